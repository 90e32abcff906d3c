//! Does something again and again, and redraws its output in place on a terminal.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use jiff::Zoned;
use rustix::event::{PollFd, PollFlags};
use rustix::process::{Signal, getpid, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH};

use super::output::{Output, poll_until, signals};
use super::screen::Screen;
use super::{Doing as _, Failure, Session, write};
use crate::layout::{Pages, text};

/// One of the times that something is done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    pub is_first: bool,
    /// The columns and lines of the screen that is redrawn in place.
    pub screen: Option<(u16, u16)>,
}

/// Calls `once` again and again, and draws on the terminal what it has written.
pub(super) fn redraw(
    file: File,
    interval: Duration,
    session: &mut Session,
    mut once: impl FnMut(&mut Pages<Output>, Turn, &mut Session) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut signals = ScreenSignals::new().doing("wait for signals")?;
    let for_writes = signals.ended.try_clone().doing("wait for signals")?;
    let mut screen = write(Screen::new(write(file.try_clone())?))?;
    let mut out = Pages::new(Output::captured(file, for_writes));
    let mut turn = Turn { is_first: true, screen: None };
    loop {
        let begun = Instant::now();
        turn.screen = screen.size();
        once(&mut out, turn, session)?;
        turn.is_first = false;
        out.mark();
        let text = out.inner_mut().take();
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
        let mut watched =
            [&self.ended, &self.resized, &self.stopped].map(|stream| PollFd::new(stream, PollFlags::IN));
        poll_until(&mut watched, Some(Instant::now() + wait))?;
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
        }
        Ok(Woken::InTime)
    }
}

/// Takes all bytes that wait; each is a signal.
fn drain(stream: &mut UnixStream) {
    let mut bytes = [0; 64];
    while stream.read(&mut bytes).is_ok_and(|count| count == bytes.len()) {}
}
