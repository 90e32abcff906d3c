//! The manual page, made from the command line's definition.

use std::io::{self, Write as _};

use clap_mangen::Man;

use crate::cli::help::definition;
use crate::commands::field_words::described;
use crate::fields::{self, typed_word};
use crate::layout::text::capitalised;

/// The manual's text before the list of fields.
const FIELDS: &str = include_str!("man_fields.roff");
/// The end of the manual, which is not part of clap's definition.
const MAN_END: &str = include_str!("man_end.roff");

/// The manual page.
pub(super) fn man() -> io::Result<Vec<u8>> {
    let version = format!("tcpstates {}", env!("CARGO_PKG_VERSION"));
    let man = Man::new(definition()).source(version).manual("User Commands");
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    push_options(&man, &mut out)?;
    push_commands(&mut out)?;
    let (examples_and_filters, rest) = MAN_END.split_once(".SH TRACING").unwrap_or((MAN_END, ""));
    out.extend_from_slice(examples_and_filters.as_bytes());
    push_fields(&mut out)?;
    writeln!(out, ".SH TRACING{rest}")?;
    out.pop();
    Ok(out)
}

/// A paragraph for each field: its words, its help, and its key in JSON.
fn push_fields(out: &mut Vec<u8>) -> io::Result<()> {
    out.extend_from_slice(FIELDS.as_bytes());
    let escaped = |text: &str| text.replace('-', "\\-");
    for field in fields::all() {
        let others: Vec<_> = field.others.iter().map(|word| typed_word(word)).collect();
        let others = if others.is_empty() { String::new() } else { format!(" ({})", others.join(", ")) };
        writeln!(out, ".TP\n\\fB{}\\fR{}", escaped(&field.typed()), escaped(&others))?;
        let unit = match field.kind.unit() {
            "" => String::new(),
            unit => format!(", {unit}"),
        };
        let json = match field.json {
            "" => "its parts".to_owned(),
            key => format!("\\fI{}\\fR", escaped(key)),
        };
        writeln!(out, "{}. JSON: {json}{unit}.", escaped(&capitalised(&described(field))))?;
    }
    Ok(())
}

/// One section for all options: each of their headings is one below it.
fn push_options(man: &Man, out: &mut Vec<u8>) -> io::Result<()> {
    let mut section = Vec::new();
    man.render_options_section(&mut section)?;
    out.extend_from_slice(b".SH OPTIONS\n");
    for line in String::from_utf8_lossy(&section).lines().filter(|line| *line != ".SH OPTIONS") {
        match line.strip_prefix(".SH ") {
            Some(heading) => writeln!(out, ".SS {}", capitalised(&heading.to_lowercase().replace('"', "")))?,
            None => writeln!(out, "{line}")?,
        }
    }
    Ok(())
}

/// A section for each command: what it does, and its options.
fn push_commands(out: &mut Vec<u8>) -> io::Result<()> {
    for command in definition().get_subcommands().filter(|command| !command.is_hide_set()) {
        let name = command.get_name().to_owned();
        let man = Man::new(command.clone());
        writeln!(out, ".SH \"TCPSTATES {}\"", name.to_uppercase())?;
        let mut section = Vec::new();
        man.render_synopsis_section(&mut section)?;
        man.render_description_section(&mut section)?;
        man.render_options_section(&mut section)?;
        // All parts of a command go below one heading, each as a paragraph.
        let text = String::from_utf8_lossy(&section);
        let lines = text.lines().map(|line| if line.starts_with(".SH ") { ".PP" } else { line });
        for line in lines {
            writeln!(
                out,
                "{}",
                line.replace(&format!("\\fB{name}\\fR"), &format!("\\fBtcpstates {name}\\fR"))
            )?;
        }
    }
    Ok(())
}
