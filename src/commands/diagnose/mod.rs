//! `diagnose`: gathers the evidence, and reports what is wrong.

mod args;

use std::path::Path;
use std::time::{Duration, Instant};

pub(crate) use self::args::DiagnoseArgs;
use crate::diagnose::{
    Before, Earlier, Evidence, Judgement, Seen, Severity, Threshold, Thresholds, diagnose as judge,
    write_diagnosis,
};
use crate::exit::ExitStatus;
use crate::filter::Filter;
use crate::inspect::{Inquiry, Question};
use crate::kernel::host;
use crate::kernel::process::descriptors;
use crate::layout::{Head, ReportStyle};
use crate::model::{
    Access, Collected, Consumer, Counters, Descriptors, Families, Gap, Needs, Query, Source, StateSet,
};
use crate::session::{Environment, Failure, Session, answer_as, now, write};

/// A diagnosis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Diagnose {
    /// Which sockets to examine: all.
    pub query: Query,
    /// The values from which a finding is reported.
    pub thresholds: Thresholds,
    /// The time between two snapshots; `None` takes only one.
    pub interval: Option<Duration>,
    /// The lowest severity that makes the exit status 1.
    pub fail_on: Option<Severity>,
    /// The layout of the report.
    pub style: ReportStyle,
}

pub(crate) fn plan(own: &DiagnoseArgs, environment: Environment) -> Diagnose {
    let values = [
        (Threshold::CloseWaitAge, own.close_wait_age),
        (Threshold::CloseWaitCount, own.close_wait_count),
        (Threshold::QueuePercent, own.queue_percent),
        (Threshold::SynRecvCount, own.syn_recv_count),
        (Threshold::SynRetries, own.syn_retries),
        (Threshold::PortsPercent, own.ports_percent),
        (Threshold::LimitPercent, own.limit_percent),
        (Threshold::StallAge, own.stall_age),
        (Threshold::RetransPercent, own.retrans_percent),
        (Threshold::RetransSegments, own.retrans_segments),
    ];
    let query = Query {
        needs: Needs::TCP_INFO,
        only_netlink_has: vec!["accept queues' limits"],
        ..Query::new(Families::Both, StateSet::ALL)
    };
    Diagnose {
        query,
        thresholds: values
            .into_iter()
            .fold(Thresholds::default(), |all, (threshold, value)| all.with(threshold, value)),
        interval: own.interval,
        fail_on: own.fail_on.map(Severity::from),
        style: own.report.style(environment),
    }
}

/// Diagnoses once; the exit status says whether a finding is at least as severe as --fail-on.
pub(crate) fn run(what: &Diagnose, access: &Access, session: &mut Session) -> Result<ExitStatus, Failure> {
    let begun = what.interval.map(|interval| begin(&what.query, interval, access)).transpose()?;
    let taken_at = now();
    let (source, evidence) = evidence(what, begun, access)?;
    session.note_gaps(&evidence.gaps);
    let diagnosis = judge(&evidence, &what.thresholds);
    let mut out = Vec::new();
    let head = Head { source, taken_at: &taken_at };
    let judgement = Judgement { diagnosis: &diagnosis, evidence: &evidence, thresholds: &what.thresholds };
    write(write_diagnosis(&mut out, what.style, &head, &judgement))?;
    let is_so_bad = diagnosis.worst().zip(what.fail_on).is_some_and(|(worst, limit)| worst >= limit);
    answer_as(if is_so_bad { ExitStatus::Failure } else { ExitStatus::Success }, &out, what.style.color)
}

/// The first of two snapshots, and when it was begun.
struct Begun {
    at: Instant,
    interval: Duration,
    earlier: Earlier,
    counters: Counters,
    gaps: Vec<Gap>,
}

/// Takes the first snapshot, and waits until it is time for the second.
fn begin(query: &Query, interval: Duration, access: &Access) -> Result<Begun, Failure> {
    let at = Instant::now();
    let (counters, mut gaps) = host::counters();
    let mut earlier = Earlier::default();
    gaps.extend(look(query, &mut earlier, access)?.gaps);
    // A signal may end the program here: nothing is written yet.
    std::thread::sleep(interval);
    Ok(Begun { at, interval, earlier, counters, gaps })
}

/// Passes every socket to the consumer.
fn look(query: &Query, consumer: &mut impl Consumer, access: &Access) -> Result<Collected, Failure> {
    let question = Question::of_all(query, &Filter::default())?;
    Ok(Inquiry::new(&question, access).ask(consumer)?)
}

fn evidence(what: &Diagnose, begun: Option<Begun>, access: &Access) -> Result<(Source, Evidence), Failure> {
    let (settings, mut gaps) = host::settings();
    let mut seen = Seen::new(&settings, &what.thresholds);
    let mut at_first = None;
    if let Some(Begun { at, interval, earlier, counters, gaps: more }) = begun {
        gaps.extend(more);
        at_first = Some((at, earlier.states.clone(), counters));
        seen = seen.since(earlier, interval);
    }
    let Collected { source, gaps: more } = look(&what.query.needing(Needs::HOLDERS), &mut seen, access)?;
    gaps.extend(more);
    let (counters, unread) = host::counters();
    gaps.extend(unread);
    let (descriptors, unread) = limits(&seen, what);
    gaps.extend(unread);
    let before = at_first.map(|(at, states, counters)| Before { elapsed: at.elapsed(), states, counters });
    let mut once: Vec<Gap> = Vec::new();
    for gap in gaps {
        if !once.contains(&gap) {
            once.push(gap);
        }
    }
    Ok((source, Evidence { seen, settings, counters, before, descriptors, gaps: once }))
}

/// The descriptor limits of the processes that have sockets. Descriptors are counted only if those sockets may fill the
/// limit.
fn limits(seen: &Seen, what: &Diagnose) -> (Vec<Descriptors>, Vec<Gap>) {
    let (mut found, mut gaps) = (Vec::new(), Vec::new());
    for (pid, sockets) in seen.by_sockets() {
        let may_matter = |limit| what.thresholds.sockets_may_fill(sockets, limit);
        match descriptors(Path::new("/proc"), pid, may_matter) {
            Ok(descriptors) => found.extend(descriptors),
            Err(gap) => gaps.push(gap),
        }
    }
    (found, gaps)
}
