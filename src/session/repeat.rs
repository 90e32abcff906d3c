//! Runs something once, or again after each interval until a signal comes or the reader closes the output.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGINT, SIGTERM};

use super::{Doing as _, Failure, stdout, write};
use crate::layout::Pages;

/// Stdout. With a stream of signals, a write that has to wait ends when a signal comes.
pub(crate) struct Output {
    file: File,
    ended: Option<UnixStream>,
    /// The most bytes to write at once when the output is ready.
    at_once: usize,
}

impl Output {
    /// A write that has to wait ends once the stream is readable.
    pub(crate) fn until(file: File, ended: UnixStream) -> Self {
        /// A writable pipe takes this many bytes without waiting (`PIPE_BUF`).
        const SURE: usize = 4096;
        // A regular file takes any number of bytes without waiting.
        let is_regular = file.metadata().is_ok_and(|file| file.is_file());
        Self { file, ended: Some(ended), at_once: if is_regular { usize::MAX } else { SURE } }
    }

    /// Whether a signal has come that ends the program. Without an interval the program catches no signal, and they end
    /// it by themselves.
    pub(crate) fn has_ended(&self) -> bool {
        let Some(ended) = &self.ended else { return false };
        let signal = wait_for(ended, &self.file, PollFlags::empty(), Some(Duration::ZERO));
        signal.is_ok_and(|(signal, _)| signal)
    }
}

/// Calls `once`; with an interval again and again, with the separator between. `once` gets whether this is the first
/// call.
pub(crate) fn repeat(
    interval: Option<Duration>,
    separator: &[u8],
    mut once: impl FnMut(&mut Pages<Output>, bool) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let file = write(stdout())?;
    let Some(interval) = interval else {
        return once(&mut Pages::new(Output { file, ended: None, at_once: usize::MAX }), true);
    };
    let ended = signals(&[SIGINT, SIGTERM]).doing("wait for signals")?;
    let for_writes = ended.try_clone().doing("wait for signals")?;
    let mut out = Pages::new(Output::until(file, for_writes));
    let mut is_first = true;
    loop {
        let begun = Instant::now();
        once(&mut out, is_first)?;
        is_first = false;
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

/// A stream that becomes readable when one of these signals comes.
pub(crate) fn signals(which: &[i32]) -> io::Result<UnixStream> {
    let (ours, theirs) = UnixStream::pair()?;
    for signal in which {
        signal_hook::low_level::pipe::register(*signal, theirs.try_clone()?)?;
    }
    Ok(ours)
}

/// Waits this long; true if a signal came, or the reader closed the output.
fn wait_for_end(ended: &UnixStream, wait: Duration) -> io::Result<bool> {
    // No event of the output is requested: poll reports a closed output in any case.
    let (signal, output) = wait_for(ended, &io::stdout(), PollFlags::empty(), Some(wait))?;
    Ok(signal || output)
}

/// Waits until a signal comes, the output has the wanted event, or the time is over; returns which of the first two
/// happened.
fn wait_for(
    ended: &UnixStream,
    output: &impl AsFd,
    wanted: PollFlags,
    wait: Option<Duration>,
) -> io::Result<(bool, bool)> {
    let until = wait.map(|wait| Instant::now() + wait);
    loop {
        let mut watched =
            [PollFd::new(ended, PollFlags::IN), PollFd::from_borrowed_fd(output.as_fd(), wanted)];
        let left = until.map(|until| timespec(until.saturating_duration_since(Instant::now())));
        match poll(&mut watched, left.as_ref()) {
            Ok(_) => {
                let [signal, output] = watched;
                return Ok((!signal.revents().is_empty(), !output.revents().is_empty()));
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether the output becomes writable within this time.
fn is_writable(output: &impl AsFd, wait: Duration) -> io::Result<bool> {
    let mut watched = [PollFd::from_borrowed_fd(output.as_fd(), PollFlags::OUT)];
    match poll(&mut watched, Some(&timespec(wait))) {
        Ok(ready) => Ok(ready > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

pub(crate) fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}

/// After a signal, a slow terminal takes the rest of the output in less time than this.
const PATIENCE: Duration = Duration::from_millis(300);

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(ended) = &self.ended else { return self.file.write(bytes) };
        let (signal, writable) = wait_for(ended, &self.file, PollFlags::OUT, None)?;
        if signal && !writable && !is_writable(&self.file, PATIENCE)? {
            // Nobody reads the rest: end as if the reader had closed the output.
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.file.write(bytes.get(..self.at_once).unwrap_or(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
