//! Connections that have ended, one a line.

use super::data::{Seconds, push_csv_ends, push_json_ends, push_seconds};
use super::text::push_end;
use super::{END, SPAN, TIME, TraceFormat, TraceLines};
use crate::layout::columns::push_fmt;
use crate::layout::json::{ToJson as _, member};
use crate::layout::text::{pad_from, push_left, span_us, trim_end};
use crate::trace::{Side, Story};

const SIDE: usize = 6;
const HOW: usize = 12;
const BYTES: usize = 12;

impl TraceLines {
    /// Appends the heading of connections.
    pub(crate) fn stories_head(&self, out: &mut Vec<u8>) {
        if !self.style.header {
            return;
        }
        match self.style.format {
            TraceFormat::Ndjson => {}
            TraceFormat::Csv => out.extend_from_slice(
                b"time,local_address,local_port,peer_address,peer_port,duration,closed_first,ended,bytes_sent,\
                  bytes_received,states\n",
            ),
            TraceFormat::Plain | TraceFormat::Table => {
                self.stories_text_head(out);
            }
        }
    }

    fn stories_text_head(&self, out: &mut Vec<u8>) {
        let columns = [
            ("Time", TIME),
            ("Local Address", END),
            ("Peer Address", END),
            ("Lasted", SPAN),
            ("First", SIDE),
            ("Ended", HOW),
            ("Sent", BYTES),
            ("Received", BYTES),
        ];
        let start = out.len();
        for (title, width) in columns {
            let is_below = !self.one_line && width == END;
            if !is_below {
                push_left(out, title, width);
                out.push(b' ');
            }
        }
        if self.one_line {
            out.extend_from_slice(b"States");
        }
        trim_end(out, start);
        out.push(b'\n');
    }

    /// Appends a connection.
    pub(crate) fn story(&mut self, out: &mut Vec<u8>, story: &Story) {
        match self.style.format {
            TraceFormat::Ndjson => self.story_json(out, story),
            TraceFormat::Csv => self.story_csv(out, story),
            TraceFormat::Plain | TraceFormat::Table => self.story_text(out, story),
        }
    }

    fn story_json(&mut self, out: &mut Vec<u8>, story: &Story) {
        out.extend_from_slice(b"{\"time\":\"");
        self.push_timestamp(out, story.time);
        out.push(b'"');
        push_json_ends(out, &story.local, &story.peer);
        member!(out, "duration", story.lasted.map(Seconds));
        member!(out, "closed_first", story.closed_first.map(Side::word));
        member!(out, "ended", story.ended.word());
        member!(out, "bytes_sent", story.bytes.map(|bytes| bytes.sent));
        member!(out, "bytes_received", story.bytes.map(|bytes| bytes.received));
        out.extend_from_slice(b",\"states\":[");
        for (at, (state, span)) in story.states.iter().enumerate() {
            out.extend_from_slice(if at == 0 { b"{\"state\":" } else { b",{\"state\":" });
            state.push(out);
            member!(out, "duration", span.map(Seconds));
            out.push(b'}');
        }
        out.extend_from_slice(b"]}\n");
    }

    fn story_csv(&mut self, out: &mut Vec<u8>, story: &Story) {
        self.push_timestamp(out, story.time);
        push_csv_ends(out, &story.local, &story.peer);
        out.push(b',');
        push_seconds(out, story.lasted);
        let first = story.closed_first.map_or("", Side::word);
        push_fmt(out, format_args!(",{first},{},", story.ended.word()));
        match story.bytes {
            Some(bytes) => push_fmt(out, format_args!("{},{},", bytes.sent, bytes.received)),
            None => out.extend_from_slice(b",,"),
        }
        for (at, (state, span)) in story.states.iter().enumerate() {
            push_fmt(out, format_args!("{}{state}=", if at > 0 { " " } else { "" }));
            push_seconds(out, *span);
        }
        out.push(b'\n');
    }

    fn story_text(&mut self, out: &mut Vec<u8>, story: &Story) {
        let start = out.len();
        self.push_clock(out, story.time);
        let ends = |out: &mut Vec<u8>, width| {
            for end in [&story.local, &story.peer] {
                let start = out.len();
                push_end(out, end);
                pad_from(out, start, width);
                out.push(b' ');
            }
        };
        if self.one_line {
            ends(out, END);
        }
        let span = |span: Option<u64>| span.map_or_else(|| "-".to_owned(), |span| span_us(span / 1_000));
        let number = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
        let cells = [
            (span(story.lasted), SPAN),
            (story.closed_first.map_or("-", Side::word).to_owned(), SIDE),
            (story.ended.word().to_owned(), HOW),
            (number(story.bytes.map(|bytes| bytes.sent)), BYTES),
            (number(story.bytes.map(|bytes| bytes.received)), BYTES),
        ];
        for (cell, width) in cells {
            push_left(out, &cell, width);
            out.push(b' ');
        }
        if !self.one_line {
            trim_end(out, start);
            out.push(b'\n');
            push_left(out, "", TIME + 1);
            ends(out, 0);
            trim_end(out, start);
        }
        let states: Vec<_> =
            story.states.iter().map(|(state, time)| format!("{state} {}", span(*time))).collect();
        let states = states.join(", ");
        let width = self.style.width.filter(|_| !self.one_line);
        match width {
            None => out.extend_from_slice(states.as_bytes()),
            Some(width) => {
                let blanks = " ".repeat(TIME + 1);
                let options = textwrap::Options::new(width)
                    .initial_indent(&blanks)
                    .subsequent_indent(&blanks)
                    .break_words(false)
                    .word_splitter(textwrap::WordSplitter::NoHyphenation);
                for line in textwrap::wrap(&states, options) {
                    push_fmt(out, format_args!("\n{line}"));
                }
            }
        }
        out.push(b'\n');
    }
}
