//! What is told in paragraphs: the reports on states, on a port, on what is wrong.

use std::time::Duration;

use super::args::{Args, DiagnoseArgs};
use super::environment::Environment;
use super::refusal::Refusal;
use super::suggest;
use super::target::{families_of, read_target};
use crate::demo::Scene;
use crate::diagnose::{Severity, Threshold, Thresholds};
use crate::filter::{Dialect, Filter, OneEnd, OnePort};
use crate::layout::ReportStyle;
use crate::model::{Families, Needs, Query, StateSet, TcpState};

/// An explanation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Explain {
    /// Of this state; of all where there is none.
    pub state: Option<TcpState>,
    /// Which sockets are counted.
    pub query: Query,
    /// How it is shown.
    pub style: ReportStyle,
}

/// A scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Demo {
    /// Which.
    pub scene: Scene,
    /// Whether each step waits for Enter.
    pub step: bool,
    /// How it is shown.
    pub style: ReportStyle,
}

pub(super) fn demo(args: &Args, word: &str, step: bool, environment: Environment) -> Demo {
    // clap has let through no other word.
    let scene =
        Scene::WORDS.into_iter().find(|(name, _)| *name == word).map_or(Scene::Close, |(_, scene)| scene);
    Demo { scene, step, style: style(args, environment) }
}

pub(super) fn explain(args: &Args, word: Option<&str>, environment: Environment) -> Result<Explain, Refusal> {
    let state =
        word.map(|word| word.parse::<TcpState>().map_err(|error| suggest::no_state(&error.0))).transpose()?;
    let mut query = Query::new(args.shared.families(), StateSet::ALL);
    query.wants_idle = state.is_none_or(|state| state.shown() == TcpState::Close);
    Ok(Explain { state, query, style: style(args, environment) })
}

/// The question whether a port can be bound.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bind {
    /// What is to be bound, as it was typed: names are looked up when it is asked.
    pub target: OneEnd,
    /// The families to try.
    pub families: Families,
    /// Which sockets may be in the way: those of either family.
    pub query: Query,
    /// Of these, the ones on that port.
    pub filter: Filter,
    /// How the answer is shown.
    pub style: ReportStyle,
}

pub(super) fn bind(args: &Args, word: &str, environment: Environment) -> Result<Bind, Refusal> {
    let refusal = |why| Refusal::usage(format!("bind: '{word}' is not accepted: {why}"));
    let target = read_target(word).map_err(refusal)?;
    let mut query = Query::new(Families::Both, StateSet::ALL);
    query.netlink_tells = vec!["bound and idle sockets", "IPV6_V6ONLY"];
    let port = match &target.port {
        Some(OnePort::Service(name)) => name.clone(),
        Some(OnePort::Number(port)) => port.to_string(),
        None => String::new(),
    };
    let filter = Filter::parse(format!("sport = :{port}").as_str(), Dialect::Own);
    Ok(Bind {
        families: families_of(&target, args.shared.families())?,
        filter: filter.map_err(|error| suggest::refusal(&error, args))?,
        target,
        query,
        style: style(args, environment),
    })
}

/// A diagnosis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Diagnose {
    /// Which sockets are looked at: all.
    pub query: Query,
    /// From where on something is told.
    pub thresholds: Thresholds,
    /// How long to wait before it is looked for the second time; `None` to look once.
    pub interval: Option<Duration>,
    /// From which severity on it is a failure.
    pub fail_on: Option<Severity>,
    /// How it is shown.
    pub style: ReportStyle,
}

pub(super) fn diagnose(args: &Args, own: &DiagnoseArgs, environment: Environment) -> Diagnose {
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
        netlink_tells: vec!["accept queues' limits"],
        ..Query::new(Families::Both, StateSet::ALL)
    };
    Diagnose {
        query,
        thresholds: values
            .into_iter()
            .fold(Thresholds::default(), |all, (threshold, value)| all.with(threshold, value)),
        interval: own.interval,
        fail_on: own.fail_on.map(Severity::from),
        style: style(args, environment),
    }
}

/// Text for people, or one document.
fn style(args: &Args, environment: Environment) -> ReportStyle {
    ReportStyle {
        json: args.shared.json || args.shared.format.as_deref() == Some("json"),
        color: args.shared.color(environment),
        width: environment.width.map_or(ReportStyle::WIDEST, usize::from).min(ReportStyle::WIDEST),
    }
}
