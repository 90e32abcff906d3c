//! What every command uses: stdout, notes on stderr, signals, the environment, failures and refusals.

mod environment;
mod failure;
mod output;
mod redraw;
mod refusal;
mod repeat;
mod screen;

use std::io::{self, Write};

use jiff::Timestamp;

use crate::exit::ExitStatus;
use crate::kernel::names::HostNames;
use crate::layout::text;
use crate::model::Gap;

pub(crate) use environment::Environment;
pub(crate) use failure::{Doing, Failure};
pub(crate) use output::{Output, signals, timespec};
pub(crate) use redraw::Turn;
pub(crate) use refusal::Refusal;
pub(crate) use repeat::{Repeat, repeat};

/// Stdout without the standard library's line buffer, which would be a second buffer.
pub(crate) fn stdout() -> io::Result<std::fs::File> {
    use std::os::fd::AsFd;
    Ok(io::stdout().as_fd().try_clone_to_owned()?.into())
}

/// Writes an answer, escaped so that a terminal obeys no control sequences in it except colours, and these only if
/// `colors` is set.
pub(crate) fn answer(text: &[u8], colors: bool) -> Result<(), Failure> {
    write(stdout().and_then(|mut out| out.write_all(&text::guarded(text, colors))))
}

/// Writes an answer that the exit status gives too, so that a reader that closes the output still gets it.
pub(crate) fn answer_as(status: ExitStatus, text: &[u8], colors: bool) -> Result<ExitStatus, Failure> {
    match answer(text, colors) {
        Err(failure) if !failure.is_closed_pipe() => Err(failure),
        _ => Ok(status),
    }
}

/// Prints a message on stderr, and its hint on a line of its own.
pub(crate) fn print_note(message: &str, hint: Option<&str>) {
    let mut stderr = io::stderr().lock();
    // The message may quote what the user typed, so it is escaped; its line breaks are ours. If this write fails, there
    // is nowhere to report that.
    let message: Vec<_> = message.lines().map(|line| text::escaped(line.as_bytes())).collect();
    let _ = writeln!(stderr, "tcpstates: {}", message.join("\n"));
    if let Some(hint) = hint {
        let _ = writeln!(stderr, "hint: {}", text::escaped(hint.as_bytes()));
    }
}

/// What is kept from list to list: the host names that were resolved, and the kinds of notes that were printed. Each
/// kind is printed once, even if the numbers in it change.
#[derive(Default)]
pub(crate) struct Session {
    pub(crate) hosts: HostNames,
    printed: Vec<std::mem::Discriminant<Gap>>,
    /// Notes that wait until the terminal shows its first screen again; `None` if they are printed at once.
    waiting: Option<Vec<Note>>,
}

/// A message with its hint.
#[derive(Clone, Debug)]
struct Note {
    message: String,
    hint: Option<String>,
}

impl Session {
    /// Prints the notes of kinds that were not printed before.
    pub(crate) fn note_gaps(&mut self, gaps: &[Gap]) {
        let known = self.printed.len();
        for gap in gaps {
            let kind = std::mem::discriminant(gap);
            // Two notes of one kind from the same list, such as for two files, are both printed.
            if !self.printed[..known].contains(&kind) {
                self.note(gap.to_string(), gap.hint());
                self.printed.push(kind);
            }
        }
    }

    /// Prints a note, or keeps it until the screen is given back.
    pub(crate) fn note(&mut self, message: String, hint: Option<String>) {
        match &mut self.waiting {
            Some(waiting) => waiting.push(Note { message, hint }),
            None => print_note(&message, hint.as_deref()),
        }
    }

    /// Prints the notes that were kept.
    fn print_waiting(&mut self) {
        for Note { message, hint } in self.waiting.take().into_iter().flatten() {
            print_note(&message, hint.as_deref());
        }
    }
}

/// The present time, to the millisecond.
pub(crate) fn now() -> String {
    let now = Timestamp::now();
    format!("{now:.3}")
}

/// Converts an error of writing the output to a failure.
pub(crate) fn write<T>(result: io::Result<T>) -> Result<T, Failure> {
    result.map_err(Failure::Output)
}
