//! Stdout, and waiting for it and for signals.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Stdout. With a stream of signals, a write that has to wait ends when a signal comes.
pub(crate) struct Output {
    file: File,
    /// What was written, if it is to be drawn on a screen instead.
    captured: Option<Vec<u8>>,
    ended: Option<UnixStream>,
    /// The most bytes to write at once when the output is ready.
    at_once: usize,
}

impl Output {
    /// A write may wait without end: signals end the program.
    pub(super) fn once(file: File) -> Self {
        Self { file, captured: None, ended: None, at_once: usize::MAX }
    }

    /// Keeps what is written, until it is taken.
    pub(super) fn captured(file: File, ended: UnixStream) -> Self {
        Self { captured: Some(Vec::new()), ..Self::until(file, ended) }
    }

    /// What was written since the last time.
    pub(super) fn take(&mut self) -> Vec<u8> {
        self.captured.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// A write that has to wait ends once the stream is readable.
    pub(crate) fn until(file: File, ended: UnixStream) -> Self {
        /// A writable pipe takes this many bytes without waiting (`PIPE_BUF`).
        const SURE: usize = 4096;
        // A regular file takes any number of bytes without waiting.
        let is_regular = file.metadata().is_ok_and(|file| file.is_file());
        Self { file, captured: None, ended: Some(ended), at_once: if is_regular { usize::MAX } else { SURE } }
    }

    /// Whether a signal has come that ends the program. Without an interval the program catches no signal, and they end
    /// it by themselves.
    pub(crate) fn has_ended(&self) -> bool {
        let Some(ended) = &self.ended else { return false };
        let signal = wait_for(ended, &self.file, PollFlags::empty(), Some(Duration::ZERO));
        signal.is_ok_and(|(signal, _)| signal)
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

/// Waits until a signal comes, the output has the wanted event, or the time is over; returns which of the first two
/// happened.
pub(super) fn wait_for(
    ended: &UnixStream,
    output: &impl AsFd,
    wanted: PollFlags,
    wait: Option<Duration>,
) -> io::Result<(bool, bool)> {
    let mut watched = [PollFd::new(ended, PollFlags::IN), PollFd::from_borrowed_fd(output.as_fd(), wanted)];
    poll_until(&mut watched, wait.map(|wait| Instant::now() + wait))?;
    let [signal, output] = watched.map(|watched| !watched.revents().is_empty());
    Ok((signal, output))
}

/// Waits until something that is watched has an event, or the time is over.
pub(super) fn poll_until(watched: &mut [PollFd<'_>], until: Option<Instant>) -> io::Result<()> {
    loop {
        let left = until.map(|until| timespec(until.saturating_duration_since(Instant::now())));
        match poll(watched, left.as_ref()) {
            Ok(_) => return Ok(()),
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
        if let Some(captured) = &mut self.captured {
            captured.extend_from_slice(bytes);
            return Ok(bytes.len());
        }
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
