//! What a command works with: stdout, the notes on stderr, signals, the environment, and what it says where it can't go on.

mod environment;
mod failure;
mod refusal;
mod repeat;

use std::io::{self, Write};

use jiff::Timestamp;

use crate::exit::ExitStatus;
use crate::kernel::names::HostNames;
use crate::layout::text;
use crate::model::Gap;

pub(crate) use environment::Environment;
pub(crate) use failure::{Doing, Failure};
pub(crate) use refusal::Refusal;
pub(crate) use repeat::{Output, repeat, signals, timespec};

/// Stdout without the standard library's line buffer, which would be a second one.
pub(crate) fn stdout() -> io::Result<std::fs::File> {
    use std::os::fd::AsFd;
    Ok(io::stdout().as_fd().try_clone_to_owned()?.into())
}

/// Writes an answer. With `Pages`, the one way to stdout: whatever is in it, a terminal obeys nothing but colours, and
/// these where there are any.
pub(crate) fn answer(text: &[u8], colors: bool) -> Result<(), Failure> {
    write(stdout().and_then(|mut out| out.write_all(&text::guarded(text, colors))))
}

/// Writes an answer that the status tells too: a reader that left takes nothing from it.
pub(crate) fn answer_as(status: ExitStatus, text: &[u8], colors: bool) -> Result<ExitStatus, Failure> {
    match answer(text, colors) {
        Err(failure) if !failure.is_closed_pipe() => Err(failure),
        _ => Ok(status),
    }
}

/// A message on stderr, and its hint on a line of its own.
pub(crate) fn tell(message: &str, hint: Option<&str>) {
    let mut stderr = io::stderr().lock();
    // What was typed may be in it; line breaks are ours. There is nobody left to tell if this fails.
    let message: Vec<_> = message.lines().map(|line| text::escaped(line.as_bytes())).collect();
    let _ = writeln!(stderr, "tcpstates: {}", message.join("\n"));
    if let Some(hint) = hint {
        let _ = writeln!(stderr, "hint: {}", text::escaped(hint.as_bytes()));
    }
}

/// What is kept from list to list: the host names that came, and the notes that were made. Each kind of note is made
/// once; numbers in it may change.
#[derive(Default)]
pub(crate) struct Session {
    pub(crate) hosts: HostNames,
    told: Vec<std::mem::Discriminant<Gap>>,
}

impl Session {
    /// Makes the notes that were not made yet.
    pub(crate) fn tell(&mut self, gaps: &[Gap]) {
        let known = self.told.len();
        for gap in gaps {
            let kind = std::mem::discriminant(gap);
            // Two of a kind in one list, as for two files, are both told.
            if !self.told[..known].contains(&kind) {
                tell(&gap.to_string(), gap.hint().as_deref());
                self.told.push(kind);
            }
        }
    }
}

/// The present time, to the millisecond.
pub(crate) fn now() -> String {
    let now = Timestamp::now();
    format!("{now:.3}")
}

/// Says what failed where the output could not be written.
pub(crate) fn write<T>(result: io::Result<T>) -> Result<T, Failure> {
    result.map_err(Failure::Output)
}
