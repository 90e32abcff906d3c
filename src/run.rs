//! The only place that wires the layers: it owns stdout, stderr, the clock and the signals.

mod list;
mod repeat;

use std::ffi::OsString;
use std::io::{self, Write};

use anyhow::Context;
use jiff::Timestamp;

use crate::cli::{self, Environment, Mode, Plan, Refusal};
use crate::collect::{CollectError, Sink, collect};
use crate::exit::ExitStatus;
use crate::filter::Filter;
use crate::model::{Gap, Socket, Source};
use crate::query::{Access, Query};
use crate::render::{Head, Pages, Summary, write_summary};
use crate::select::StateCounts;

/// Runs the command with these arguments, the program's name first.
pub fn run(argv: impl IntoIterator<Item = OsString>) -> ExitStatus {
    let environment = Environment::of(io::stdout());
    let plan = match cli::parse(argv, environment) {
        Ok(plan) => plan,
        Err(Refusal::Answer(text)) => return finish(answer(&text)),
        Err(Refusal::Usage { message, hint }) => {
            tell(&message, hint.as_deref());
            return ExitStatus::Usage;
        }
    };
    for note in &plan.notes {
        tell(note, None);
    }
    finish(carry_out(&plan))
}

/// Stdout without the standard library's line buffer, which would be a second one.
fn stdout() -> io::Result<std::fs::File> {
    use std::os::fd::AsFd;
    Ok(io::stdout().as_fd().try_clone_to_owned()?.into())
}

fn answer(text: &str) -> anyhow::Result<()> {
    Ok(stdout().and_then(|mut out| out.write_all(text.as_bytes()))?)
}

fn carry_out(plan: &Plan) -> anyhow::Result<()> {
    let mut told = Told::default();
    match &plan.mode {
        Mode::Generate(artifact) => Ok(stdout()?.write_all(&cli::generate(*artifact)?)?),
        Mode::List(list) => repeat::repeat(plan.repeat, |out| list::list(list, &plan.access, out, &mut told)),
        Mode::Summary { query, filter, summary } => repeat::repeat(plan.repeat, |out| {
            summarize(query, filter, *summary, &plan.access, out, &mut told)
        }),
    }
}

/// The one rule for the end: a reader that left is no error, all else is.
fn finish(result: anyhow::Result<()>) -> ExitStatus {
    match result {
        Ok(()) => ExitStatus::Success,
        Err(error) if is_closed_pipe(&error) => ExitStatus::Success,
        Err(error) => {
            tell(&format!("{error:#}"), None);
            ExitStatus::Failure
        }
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

/// A message on stderr, and its hint on a line of its own.
fn tell(message: &str, hint: Option<&str>) {
    let mut stderr = io::stderr().lock();
    // There is nobody left to tell if this fails.
    let _ = writeln!(stderr, "tcpstates: {message}");
    if let Some(hint) = hint {
        let _ = writeln!(stderr, "hint: {hint}");
    }
}

/// The notes that were made: each is made once, however often a list is printed.
#[derive(Default)]
struct Told {
    texts: Vec<String>,
}

impl Told {
    fn tell(&mut self, gaps: &[Gap]) {
        for gap in gaps {
            let text = gap.to_string();
            if !self.texts.contains(&text) {
                tell(&text, gap.hint());
                self.texts.push(text);
            }
        }
    }
}

/// The present time, to the millisecond.
fn now() -> String {
    let now = Timestamp::now();
    format!("{now:.3}")
}

/// Counts without keeping a single socket.
struct Counter<'a> {
    filter: &'a Filter,
    counts: StateCounts,
}

impl Sink for Counter<'_> {
    fn begin(&mut self, _source: Source) -> bool {
        self.counts = StateCounts::default();
        true
    }

    fn row(&mut self, socket: &Socket) -> std::ops::ControlFlow<()> {
        if self.filter.matches(socket) {
            self.counts.add(socket.state);
        }
        std::ops::ControlFlow::Continue(())
    }
}

fn summarize(
    query: &Query,
    filter: &Filter,
    summary: Summary,
    access: &Access,
    out: &mut Pages<std::fs::File>,
    told: &mut Told,
) -> anyhow::Result<()> {
    let taken_at = now();
    let mut counter = Counter { filter, counts: StateCounts::default() };
    let snapshot = read(query, access, &mut counter)?;
    told.tell(&snapshot.gaps);
    let head = Head { source: snapshot.source, taken_at: &taken_at };
    write_summary(out.buffer(), summary, &head, &counter.counts, &snapshot.gaps)?;
    write(out.flush())
}

fn read(query: &Query, access: &Access, sink: &mut dyn Sink) -> anyhow::Result<crate::model::Snapshot> {
    collect(query, access, sink).map_err(|error: CollectError| anyhow::Error::new(error))
}

/// Says what failed where the output could not be written.
fn write(result: io::Result<()>) -> anyhow::Result<()> {
    result.context("write the output")
}
