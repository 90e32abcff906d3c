//! The only place that wires the layers: it owns stdout, stderr, the clock and the signals.

mod bind;
mod count;
mod demo;
mod diagnose;
mod explain;
mod failure;
mod list;
mod repeat;
mod trace;

use std::ffi::OsString;
use std::io::{self, Write};

use jiff::Timestamp;

use crate::cli::{self, Environment, List, Mode, Plan, Refusal};
use crate::exit::ExitStatus;
use crate::inspect::{Misuse, Question};
use crate::kernel::names::HostNames;
use crate::layout::{CountStyle, Format, Summary, text};
use crate::model::Gap;
use failure::{Doing as _, Failure};

/// Runs the command with these arguments, the program's name first.
pub fn run(argv: impl IntoIterator<Item = OsString>) -> ExitStatus {
    let environment = Environment::of(io::stdout());
    let plan = match cli::parse(argv, environment) {
        Ok(plan) => plan,
        Err(Refusal::Answer(text)) => {
            return finish(answer(text.as_bytes(), false).map(|()| ExitStatus::Success), ExitStatus::Failure);
        }
        Err(Refusal::Usage { message, hint }) => {
            tell(&message, hint.as_deref());
            return ExitStatus::Usage;
        }
    };
    for note in &plan.notes {
        tell(note, None);
    }
    let failed = match plan.mode {
        // 1 is an answer.
        Mode::Bind(_) | Mode::Diagnose(_) => ExitStatus::Unasked,
        _ => ExitStatus::Failure,
    };
    finish(carry_out(&plan), failed)
}

/// Stdout without the standard library's line buffer, which would be a second one.
fn stdout() -> io::Result<std::fs::File> {
    use std::os::fd::AsFd;
    Ok(io::stdout().as_fd().try_clone_to_owned()?.into())
}

/// Writes an answer. With `Pages`, the one way to stdout: whatever is in it, a terminal obeys nothing but colours, and
/// these where there are any.
fn answer(text: &[u8], colors: bool) -> Result<(), Failure> {
    write(stdout().and_then(|mut out| out.write_all(&text::guarded(text, colors))))
}

/// Writes an answer that the status tells too: a reader that left takes nothing from it.
fn answer_as(status: ExitStatus, text: &[u8], colors: bool) -> Result<ExitStatus, Failure> {
    match answer(text, colors) {
        Err(failure) if !failure.is_closed_pipe() => Err(failure),
        _ => Ok(status),
    }
}

/// Does what is planned. Where the status is the answer, the mode says its own.
fn carry_out(plan: &Plan) -> Result<ExitStatus, Failure> {
    let mut session = Session::default();
    match &plan.mode {
        Mode::Generate(artifact) => {
            let text = cli::generate(*artifact).doing("generate the file")?;
            answer(&text, false)?;
        }
        Mode::List(list) => {
            let question = list_question(list)?;
            let mut list = list.clone();
            let wanted = list.style.header;
            repeat::repeat(plan.repeat, list.format.separator(), |out, is_first| {
                list.style.header = wanted && list.format.has_heading(is_first);
                list::list(&list, &question, &plan.access, out, &mut session)
            })?;
        }
        Mode::Count(count) => {
            let ready = Question::of_all(&count.query, &count.filter)?;
            let CountStyle { format, header, .. } = count.style;
            let format = format.of_lists();
            let mut count = count.clone();
            repeat::repeat(plan.repeat, format.separator(), |out, is_first| {
                count.style.header = header && format.has_heading(is_first);
                match count.diff {
                    Some(time) => count::diff(&ready, &count, time, &plan.access, out, &mut session),
                    None => count::count(&ready, &count, &plan.access, out, &mut session),
                }
            })?;
        }
        Mode::Explain(what) => explain::explain(what, &plan.access, &mut session)?,
        Mode::Demo(what) => demo::demo(what)?,
        Mode::Bind(what) => return bind::bind(what, &plan.access, &mut session),
        Mode::Diagnose(what) => return diagnose::diagnose(what, &plan.access, &mut session),
        Mode::Trace(what) => trace::trace(what, &plan.access, &mut session)?,
        Mode::ExplainFilter(list) => {
            answer(list_question(list)?.explain().as_bytes(), false)?;
        }
        Mode::Summary { query, filter, summary } => {
            let question = Question::of_all(query, filter)?;
            let format = summary.format.of_lists();
            repeat::repeat(plan.repeat, format.separator(), |out, is_first| {
                let header = summary.header && format.has_heading(is_first);
                let summary = Summary { header, ..*summary };
                count::summarize(&question, summary, &plan.access, out, &mut session)
            })?;
        }
    }
    Ok(ExitStatus::Success)
}

/// What a list asks for. Who asks for processes in our own formats means those of a connection's listener where it waits
/// to be accepted; netstat and ss show none.
fn list_question(list: &List) -> Result<Question, Misuse> {
    let own = !matches!(list.format, Format::Netstat | Format::Ss);
    Question::new(&list.query, list.shown, &list.filter, own)
}

/// The one rule for the end: a reader that left is no error, all else is, and ends with the status `failed`.
fn finish(result: Result<ExitStatus, Failure>, failed: ExitStatus) -> ExitStatus {
    match result {
        Ok(status) => status,
        Err(failure) if failure.is_closed_pipe() => ExitStatus::Success,
        Err(failure) => {
            tell(&failure.to_string(), failure.hint());
            failure.status(failed)
        }
    }
}

/// A message on stderr, and its hint on a line of its own.
fn tell(message: &str, hint: Option<&str>) {
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
struct Session {
    hosts: HostNames,
    told: Vec<std::mem::Discriminant<Gap>>,
}

impl Session {
    fn tell(&mut self, gaps: &[Gap]) {
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
fn now() -> String {
    let now = Timestamp::now();
    format!("{now:.3}")
}

/// Says what failed where the output could not be written.
fn write<T>(result: io::Result<T>) -> Result<T, Failure> {
    result.map_err(Failure::Output)
}
