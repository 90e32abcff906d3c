//! Prints transitions as they happen, until a signal comes, the reader closes the output, or a limit is reached.

use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use libc::{
    SIGABRT, SIGALRM, SIGHUP, SIGINT, SIGIO, SIGPIPE, SIGPROF, SIGPWR, SIGQUIT, SIGRTMAX, SIGRTMIN,
    SIGSTKFLT, SIGSYS, SIGTERM, SIGTRAP, SIGUSR1, SIGUSR2, SIGVTALRM, SIGXCPU, SIGXFSZ,
};
use rustix::event::{PollFd, PollFlags, poll};

use super::Trace;
use crate::filter::{Filter, events};
use crate::inspect::resolve;
use crate::kernel::files;
use crate::layout::{Guard, Pages};
use crate::model::{Access, Needs, Row, Socket, StateSet, TcpState};
use crate::session::{Doing as _, Failure, Output, Session, print_note, signals, stdout, timespec, write};
use crate::trace::{
    By, Nanos, Note, Observation, StateChange, Stories, Tally, TraceFormat, TraceLines, Tracer, Wall,
};

/// Runs the trace.
pub(crate) fn run(what: &Trace, access: &Access, session: &mut Session) -> Result<(), Failure> {
    let filter = resolve(&what.filter)?;
    let for_kernel = events::compile(&filter.expr);
    let ended = signals(&ending_signals()).doing("wait for signals")?;
    let for_writes = ended.try_clone().doing("wait for signals")?;
    let mut out = Pages::new(Output::until(write(stdout())?, for_writes));
    let lines = TraceLines::new(what.style, TimeZone::system());
    out.guard(Guard::Text { colors: what.style.color });
    let mut printer = Printer {
        what,
        filter,
        lines,
        out: &mut out,
        left: what.count.unwrap_or(u64::MAX),
        stories: what.connections.then(|| Stories::new(what.options.max_sockets)),
        tally: Tally::new(),
        error: None,
    };
    printer.head();
    let mut tracer = Tracer::start(&what.options, for_kernel.as_deref(), access)?;
    // The next snapshot is compared with the first, so the first is taken before the message that the trace has begun.
    session.note_gaps(&tracer.read(&mut |observation| printer.take(observation))?);
    print_where(&tracer, what);
    watch(&mut tracer, &mut printer, &ended, session)?;
    if what.summary {
        let Printer { lines, tally, out, .. } = &mut printer;
        write(lines.summary(out.buffer(), tally, tracer.missed()))?;
    }
    write(printer.out.flush())?;
    let forgotten = printer.stories.as_ref().map_or(0, |stories| stories.dropped);
    print_missed(&tracer, forgotten);
    Ok(())
}

/// The signals that end a process by default. At each of them the trace ends in order, so that no trace ring is left
/// behind. Signals of faults (such as SIGSEGV) are left out: a handler could not return. Signals that were ignored from
/// the start, as nohup does with SIGHUP, are left out too, except SIGINT and SIGTERM.
fn ending_signals() -> Vec<i32> {
    const DEFAULT: [i32; 18] = [
        SIGHUP, SIGINT, SIGQUIT, SIGTRAP, SIGABRT, SIGUSR1, SIGUSR2, SIGALRM, SIGTERM, SIGSTKFLT, SIGXCPU,
        SIGXFSZ, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSYS, SIGPIPE,
    ];
    let ignored = ignored_signals();
    let is_ignored = |signal: &i32| ignored >> (signal - 1) & 1 == 1;
    let asked = |signal: &i32| matches!(*signal, SIGINT | SIGTERM) || !is_ignored(signal);
    DEFAULT.into_iter().chain(SIGRTMIN()..=SIGRTMAX()).filter(asked).collect()
}

/// One bit for each ignored signal; 0 if the mask cannot be read.
fn ignored_signals() -> u64 {
    let status = files::read("/proc/thread-self/status").unwrap_or_default();
    let status = String::from_utf8_lossy(&status);
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// Prints transitions until the trace ends.
fn watch(
    tracer: &mut Tracer,
    printer: &mut Printer<'_>,
    ended: &impl AsFd,
    session: &mut Session,
) -> Result<(), Failure> {
    let until = printer.what.duration.and_then(|duration| Instant::now().checked_add(duration));
    loop {
        write(printer.out.flush())?;
        let rest = until.map(|until| until.saturating_duration_since(Instant::now()));
        let span = rest.unwrap_or(Duration::MAX).min(Duration::from_nanos(tracer.wait()));
        let woken = wait(ended, tracer, span).doing("wait for the kernel's events")?;
        let is_over = woken != Woken::ToGoOn || until.is_some_and(|until| Instant::now() >= until);
        let mut take = |observation: Observation<'_>| printer.take(observation);
        let gaps = if is_over { tracer.finish(&mut take)? } else { tracer.read(&mut take)? };
        session.note_gaps(&gaps);
        printer.print_stories(if is_over { Nanos::MAX } else { tracer.now() });
        if let Some(error) = printer.error.take() {
            return write(Err(error));
        }
        if is_over || printer.left == 0 {
            return Ok(());
        }
    }
}

/// Writes the transitions, or the connections, that match.
struct Printer<'a> {
    what: &'a Trace,
    filter: Filter,
    lines: TraceLines,
    out: &'a mut Pages<Output>,
    left: u64,
    /// Collects connections, to print them instead of transitions.
    stories: Option<Stories>,
    tally: Tally,
    error: Option<io::Error>,
}

impl Printer<'_> {
    fn head(&mut self) {
        if self.what.connections {
            self.lines.stories_head(self.out.buffer());
        } else if !self.is_silent() {
            self.lines.head(self.out.buffer());
        }
    }

    fn take(&mut self, observation: Observation<'_>) {
        match observation {
            Observation::Change(change, time) if self.stories.is_none() => self.change(change, time),
            observation => {
                if let (Observation::Change(change, _), true) = (observation, self.what.summary) {
                    self.count(change);
                }
                self.stories.as_mut().into_iter().for_each(|stories| stories.take(&observation));
            }
        }
    }

    /// Writes the connections that have ended.
    fn print_stories(&mut self, now: Nanos) {
        while let Some(story) = self.stories.as_mut().and_then(|stories| stories.next(now)) {
            let socket = Socket::new(story.family, TcpState::Close, story.local, story.peer);
            if self.is_over() || !self.fits_ends(&socket) {
                continue;
            }
            self.left -= 1;
            self.lines.story(self.out.buffer(), &story);
            self.error = self.out.turn().err();
        }
    }

    /// Whether people get the summary alone. NDJSON has both: a program takes what it needs.
    fn is_silent(&self) -> bool {
        self.what.summary && self.what.style.format != TraceFormat::Ndjson
    }

    fn is_over(&self) -> bool {
        self.left == 0 || self.error.is_some()
    }

    fn count(&mut self, change: &StateChange) {
        if self.fits(change) {
            self.tally.count(change);
        }
    }

    fn change(&mut self, change: &StateChange, time: Wall) {
        if self.is_over() || !self.fits(change) {
            return;
        }
        self.left -= 1;
        if self.what.summary {
            self.tally.count(change);
            if self.is_silent() {
                return;
            }
        }
        self.lines.change(self.out.buffer(), change, time);
        self.error = self.out.turn().err();
    }

    /// A transition into an unknown state matches only if the user did not choose states.
    fn fits(&self, change: &StateChange) -> bool {
        let socket = change.socket();
        let into = |states: StateSet| match change.new {
            Some(new) => states.contains(new),
            None => states == StateSet::ALL,
        };
        into(self.what.into) && self.filter.states.is_none_or(into) && self.fits_ends(&socket)
    }

    fn fits_ends(&self, socket: &Socket) -> bool {
        self.what.families.each().contains(&socket.family)
            && self.filter.admits(&Row::bare(socket), Needs::NOTHING)
    }
}

fn print_where(tracer: &Tracer, what: &Trace) {
    let snapshots = format!(
        "snapshots of this network namespace are compared every {} ms",
        what.options.poll / 1_000_000
    );
    for note in tracer.notes() {
        match note {
            Note::FellBack(error) => {
                print_note(&format!("kernel tracepoints are unavailable, so {snapshots}: {error}"), None);
            }
            Note::NoReasons(event) => {
                let name = event.replace('/', ":");
                print_note(&format!("this kernel has no {name}: why connections end is less certain"), None);
            }
            Note::NoNames(event) => {
                let name = event.replace('/', ":");
                print_note(&format!("this kernel has no {name}: names of processes may be missing"), None);
            }
            Note::NoNotices(error) => {
                print_note(
                    &format!("what opens and closes between two snapshots is not seen: netlink: {error}"),
                    None,
                );
            }
        }
    }
    match tracer.by() {
        By::Tracepoint => print_note("the transitions of all network namespaces are seen", None),
        By::Poll if what.options.by == Some(By::Poll) => print_note(&snapshots, None),
        By::Poll => {}
    }
}

/// Reports what the trace missed. `connections` is the number of connections that had begun and were forgotten.
fn print_missed(tracer: &Tracer, connections: u64) {
    let missed = tracer.missed();
    if missed.lost > 0 {
        print_note(&format!("{} kernel events were lost: the trace ring was full", missed.lost), None);
    }
    if missed.unseen > 0 && missed.lost == 0 {
        let unseen = missed.unseen;
        print_note(
            &format!("at least {unseen} transitions are missing, though no kernel event was lost"),
            None,
        );
    }
    if missed.notices > 0 {
        print_note("notices of destroyed sockets were lost", None);
    }
    for (forgotten, what) in [(missed.dropped, "sockets"), (connections, "connections")] {
        if forgotten > 0 {
            let hint = "--max-sockets N remembers more";
            print_note(&format!("{forgotten} {what} were forgotten for want of room"), Some(hint));
        }
    }
}

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Woken {
    /// A signal came, or the reader closed the output.
    ToEnd,
    /// There are events to read, or the time is over.
    ToGoOn,
}

fn wait(ended: &impl AsFd, tracer: &Tracer, span: Duration) -> io::Result<Woken> {
    let stdout = io::stdout();
    let mut watched = vec![
        PollFd::from_borrowed_fd(ended.as_fd(), PollFlags::IN),
        // No event is requested: poll reports a closed output in any case.
        PollFd::from_borrowed_fd(stdout.as_fd(), PollFlags::empty()),
    ];
    watched.extend(tracer.descriptors().into_iter().map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
    match poll(&mut watched, Some(&timespec(span))) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    let is_over = watched.iter().take(2).any(|watched| !watched.revents().is_empty());
    Ok(if is_over { Woken::ToEnd } else { Woken::ToGoOn })
}
