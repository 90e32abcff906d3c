//! Parses the command line, runs the command, and turns an error into a message, a hint and an exit status.

use std::ffi::OsString;
use std::io;

use crate::cli::{self, Mode, Plan};
use crate::commands::{bind, count, demo, diagnose, explain, list, trace};
use crate::exit::ExitStatus;
use crate::session::{Doing as _, Environment, Failure, Refusal, Session, answer, print_note};

/// Runs the command with these arguments, the program's name first.
pub fn run(argv: impl IntoIterator<Item = OsString>) -> ExitStatus {
    let environment = Environment::of(io::stdout());
    let plan = match cli::parse(argv, environment) {
        Ok(plan) => plan,
        Err(Refusal::Answer(text)) => {
            return finish(answer(text.as_bytes(), false).map(|()| ExitStatus::Success), ExitStatus::Failure);
        }
        Err(Refusal::Usage { message, hint }) => {
            print_note(&message, hint.as_deref());
            return ExitStatus::Usage;
        }
    };
    for note in &plan.notes {
        print_note(note, None);
    }
    let failed = match plan.mode {
        // Here status 1 is an answer, so a failure needs another status.
        Mode::Bind(_) | Mode::Diagnose(_) => ExitStatus::Unasked,
        _ => ExitStatus::Failure,
    };
    finish(carry_out(&plan), failed)
}

/// Runs the plan. Commands whose answer is the exit status return their own.
fn carry_out(plan: &Plan) -> Result<ExitStatus, Failure> {
    let (access, session) = (&plan.access, &mut Session::default());
    match &plan.mode {
        Mode::List(what) => list::run(what, access, plan.repeat, session)?,
        Mode::ExplainFilter(what) => list::explain_filter(what)?,
        Mode::Summary(what) => count::run_summary(what, access, plan.repeat, session)?,
        Mode::Count(what) => count::run(what, access, plan.repeat, session)?,
        Mode::Explain(what) => explain::run(what, access, session)?,
        Mode::Demo(what) => demo::run(what)?,
        Mode::Bind(what) => return bind::run(what, access, session),
        Mode::Diagnose(what) => return diagnose::run(what, access, session),
        Mode::Trace(what) => trace::run(what, access, session)?,
        Mode::Generate(artifact, typed) => {
            answer(&cli::generate(*artifact, typed).doing("generate the file")?, false)?;
        }
    }
    Ok(ExitStatus::Success)
}

/// Turns the result into an exit status. A reader that closed the output is not an error. Every other failure is
/// printed, and ends with `failed` or, for a misuse, with the status of usage errors.
fn finish(result: Result<ExitStatus, Failure>, failed: ExitStatus) -> ExitStatus {
    match result {
        Ok(status) => status,
        Err(failure) if failure.is_closed_pipe() => ExitStatus::Success,
        Err(failure) => {
            print_note(&failure.to_string(), failure.hint());
            failure.status(failed)
        }
    }
}
