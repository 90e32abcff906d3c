//! Runs something once, or again after each interval until a signal comes or the reader closes the output.

use std::io;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use signal_hook::consts::{SIGINT, SIGTERM};

use super::output::{Output, signals, wait_for};
use super::redraw::{Turn, redraw};
use super::{Doing as _, Failure, Session, stdout, write};
use crate::layout::Pages;

/// Whether and how something is done again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Repeat {
    /// How long to wait before it is done again; `None` to do it once.
    pub interval: Option<Duration>,
    /// Redraw the terminal in place, instead of appending.
    pub in_place: bool,
}

/// Calls `once`; with an interval again and again, with the separator between.
pub(crate) fn repeat(
    how: Repeat,
    separator: &[u8],
    session: &mut Session,
    mut once: impl FnMut(&mut Pages<Output>, Turn, &mut Session) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let file = write(stdout())?;
    let Some(interval) = how.interval else {
        return once(&mut Pages::new(Output::once(file)), Turn { is_first: true, screen: None }, session);
    };
    if how.in_place {
        session.waiting = Some(Vec::new());
        let result = redraw(file, interval, session, once);
        session.print_waiting();
        return result;
    }
    let ended = signals(&[SIGINT, SIGTERM]).doing("wait for signals")?;
    let for_writes = ended.try_clone().doing("wait for signals")?;
    let mut out = Pages::new(Output::until(file, for_writes));
    let mut turn = Turn { is_first: true, screen: None };
    loop {
        let begun = Instant::now();
        once(&mut out, turn, session)?;
        turn.is_first = false;
        let wait = interval.saturating_sub(begun.elapsed());
        if wait_for_end(&ended, wait).doing("wait for the next time")? {
            return Ok(());
        }
        // Written at once: if the next list has to be taken back, the separator must stay.
        out.buffer().extend_from_slice(separator);
        write(out.flush())?;
        out.mark();
    }
}

/// Waits this long; true if a signal came, or the reader closed the output.
fn wait_for_end(ended: &UnixStream, wait: Duration) -> io::Result<bool> {
    // No event of the output is requested: poll reports a closed output in any case.
    let (signal, output) = wait_for(ended, &io::stdout(), PollFlags::empty(), Some(wait))?;
    Ok(signal || output)
}
