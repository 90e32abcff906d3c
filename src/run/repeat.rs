//! Once, or anew after each interval until a signal or the reader's leaving ends it.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGINT, SIGTERM};

use super::stdout;
use crate::render::Pages;

/// Does `once`, and with an interval again and again, with a blank line between.
pub(super) fn repeat(
    interval: Option<Duration>,
    mut once: impl FnMut(&mut Pages<File>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut out = Pages::new(stdout().context("write the output")?);
    let Some(interval) = interval else { return once(&mut out) };
    let ended = signals().context("wait for signals")?;
    loop {
        let begun = Instant::now();
        once(&mut out)?;
        let wait = interval.saturating_sub(begun.elapsed());
        if wait_for_end(&ended, wait).context("wait for the next time")? {
            return Ok(());
        }
        out.mark();
        out.buffer().push(b'\n');
    }
}

/// A stream that can be read once SIGINT or SIGTERM has come. A second one ends the program at once: the first may
/// have come while its output is stuck.
fn signals() -> io::Result<UnixStream> {
    let (ours, theirs) = UnixStream::pair()?;
    for signal in [SIGINT, SIGTERM] {
        let armed = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        signal_hook::flag::register_conditional_shutdown(signal, 1, armed.clone())?;
        signal_hook::flag::register(signal, armed)?;
        signal_hook::low_level::pipe::register(signal, theirs.try_clone()?)?;
    }
    Ok(ours)
}

/// Waits this long; true if a signal came, or the reader has gone.
fn wait_for_end(ended: &UnixStream, wait: Duration) -> io::Result<bool> {
    let output = io::stdout();
    let until = Instant::now() + wait;
    loop {
        let mut watched = [
            PollFd::new(ended, PollFlags::IN),
            // Nothing is asked of the output; that its reader has gone is told unasked.
            PollFd::from_borrowed_fd(output.as_fd(), PollFlags::empty()),
        ];
        let left = until.saturating_duration_since(Instant::now());
        match poll(&mut watched, Some(&timespec(left))) {
            Ok(0) => return Ok(false),
            Ok(_) => return Ok(true),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}
