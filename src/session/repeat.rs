//! Runs something once, or again after each interval until a signal comes or the reader closes the output.

use std::fs::File;
use std::io::{self, Read as _, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use jiff::Zoned;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Signal, getpid, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH};

use super::screen::Screen;
use super::{Doing as _, Failure, Session, stdout, write};
use crate::layout::{Pages, text};

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

/// Whether and how something is done again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Repeat {
    /// How long to wait before it is done again; `None` to do it once.
    pub interval: Option<Duration>,
    /// Redraw the terminal in place, instead of appending.
    pub in_place: bool,
}

/// One of the times that something is done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    pub is_first: bool,
    /// The columns and lines of the screen that is redrawn in place.
    pub screen: Option<(u16, u16)>,
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
        let output = Output { file, captured: None, ended: None, at_once: usize::MAX };
        return once(&mut Pages::new(output), Turn { is_first: true, screen: None }, session);
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

/// Calls `once` again and again, and draws on the terminal what it has written.
fn redraw(
    file: File,
    interval: Duration,
    session: &mut Session,
    mut once: impl FnMut(&mut Pages<Output>, Turn, &mut Session) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut signals = ScreenSignals::new().doing("wait for signals")?;
    let for_writes = signals.ended.try_clone().doing("wait for signals")?;
    let mut screen = write(Screen::new(write(file.try_clone())?))?;
    let output = Output { captured: Some(Vec::new()), ..Output::until(file, for_writes) };
    let mut out = Pages::new(output);
    let mut turn = Turn { is_first: true, screen: None };
    loop {
        let begun = Instant::now();
        turn.screen = screen.size();
        once(&mut out, turn, session)?;
        turn.is_first = false;
        out.mark();
        let text = out.inner_mut().captured.replace(Vec::new()).unwrap_or_default();
        let notes = session.waiting.iter().flatten().map(|note| &*note.message);
        write(screen.draw(&heading(interval, notes), &text))?;
        match signals.wait(interval.saturating_sub(begun.elapsed())).doing("wait for the next time")? {
            Woken::Ended => return Ok(()),
            Woken::Stopped => {
                write(screen.leave())?;
                kill_process(getpid(), Signal::STOP).map_err(io::Error::from).doing("stop")?;
                write(screen.enter())?;
            }
            Woken::InTime => {}
        }
    }
}

/// The lines above what is redrawn.
fn heading<'a>(interval: Duration, notes: impl Iterator<Item = &'a str>) -> String {
    let now = Zoned::now().strftime("%H:%M:%S").to_string();
    let mut lines = format!("{now}  every {} s  Ctrl-C ends", interval.as_secs_f64());
    for note in notes {
        lines.push_str("\r\n");
        lines.push_str(&text::escaped(note.as_bytes()));
    }
    lines
}

/// What ended a wait.
enum Woken {
    /// The time is over, or the screen has another size.
    InTime,
    /// The program is to stop until it is continued (SIGTSTP).
    Stopped,
    /// The program is to end, or the terminal is gone.
    Ended,
}

/// The signals that matter while the screen is redrawn.
struct ScreenSignals {
    ended: UnixStream,
    resized: UnixStream,
    stopped: UnixStream,
}

impl ScreenSignals {
    fn new() -> io::Result<Self> {
        let read_at_once = |stream: UnixStream| stream.set_nonblocking(true).map(|()| stream);
        Ok(Self {
            ended: signals(&[SIGINT, SIGTERM, SIGHUP, SIGQUIT])?,
            resized: read_at_once(signals(&[SIGWINCH])?)?,
            stopped: read_at_once(signals(&[SIGTSTP])?)?,
        })
    }

    fn wait(&mut self, wait: Duration) -> io::Result<Woken> {
        let until = Instant::now() + wait;
        loop {
            let mut watched =
                [&self.ended, &self.resized, &self.stopped].map(|stream| PollFd::new(stream, PollFlags::IN));
            let left = timespec(until.saturating_duration_since(Instant::now()));
            match poll(&mut watched, Some(&left)) {
                Ok(0) => return Ok(Woken::InTime),
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            let [ended, resized, stopped] = watched.map(|stream| !stream.revents().is_empty());
            if ended {
                return Ok(Woken::Ended);
            }
            if stopped {
                drain(&mut self.stopped);
                return Ok(Woken::Stopped);
            }
            if resized {
                drain(&mut self.resized);
                return Ok(Woken::InTime);
            }
        }
    }
}

/// Takes all bytes that wait; each is a signal.
fn drain(stream: &mut UnixStream) {
    let mut bytes = [0; 64];
    while stream.read(&mut bytes).is_ok_and(|count| count == bytes.len()) {}
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
