//! `bind`: says whether a port can be bound, and who holds it.

mod target;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::time::Duration;

use clap::Args as ClapArgs;

use self::target::{families_of, read_target};
use super::args::{FamilyArgs, ReportArgs, SourceArgs};
use super::suggest;
use crate::bind::{Answer, Facts, Idle, Occupant, Try, Verdict, ask, write_answer};
use crate::exit::ExitStatus;
use crate::filter::{Dialect, Filter, OneEnd, OneHost, OnePort};
use crate::inspect::{Inquiry, Misuse, Question};
use crate::kernel::host;
use crate::kernel::names::{Services, device_index, host_addresses};
use crate::layout::{Head, ReportStyle};
use crate::model::{Access, Families, Family, Gap, Needs, Query, Source, StateSet, Target};
use crate::session::{Environment, Failure, Refusal, Session, answer_as, now, write};

/// Arguments of `bind`.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct BindArgs {
    /// What to bind: `80`, `127.0.0.1:80`, `[::1]:80`, `[fe80::1%eth0]:80`, `localhost:80`
    ///
    /// As ss, netstat and tcpstates print it. Of a name its first IPv4 and its first IPv6 address are tried.
    #[arg(value_name = "[ADDR:]PORT")]
    target: String,

    #[command(flatten)]
    family: FamilyArgs,

    #[command(flatten)]
    report: ReportArgs,

    #[command(flatten)]
    pub(crate) source: SourceArgs,
}

/// The question whether a port can be bound.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bind {
    /// The address and port as the user typed them; names are looked up when the kernel is asked.
    pub target: OneEnd,
    /// The families to try.
    pub families: Families,
    /// Which sockets may block the bind: those of both families.
    pub query: Query,
    /// Selects the sockets on that port.
    pub filter: Filter,
    /// The layout of the answer.
    pub style: ReportStyle,
}

pub(crate) fn plan(own: &BindArgs, environment: Environment) -> Result<Bind, Refusal> {
    let word = &own.target;
    let refusal = |why| Refusal::usage(format!("invalid value '{word}' for bind: {why}"));
    let target = read_target(word).map_err(refusal)?;
    let mut query = Query::new(Families::Both, StateSet::ALL);
    query.only_netlink_has = vec!["bound and idle sockets", "IPV6_V6ONLY"];
    let port = match &target.port {
        Some(OnePort::Service(name)) => name.clone(),
        Some(OnePort::Number(port)) => port.to_string(),
        None => String::new(),
    };
    let filter = Filter::parse(format!("sport = :{port}").as_str(), Dialect::Own);
    Ok(Bind {
        families: families_of(&target, own.family.families())?,
        filter: filter.map_err(|error| suggest::refusal(&error, &[], false))?,
        target,
        query,
        style: own.report.style(environment),
    })
}

/// The pauses before the kernel is asked again, if the socket that blocked the bind may have gone.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(1), Duration::from_millis(3), Duration::from_millis(9), Duration::from_millis(27)];

/// Answers once. The exit status is the answer.
pub(crate) fn run(what: &Bind, access: &Access, session: &mut Session) -> Result<ExitStatus, Failure> {
    let (target, addresses) = addresses(&what.target, what.families)?;
    let taken_at = now();
    // Without an address, each family is tried with its own socket; an IPv6 address is tried as programs usually bind
    // it.
    let ask = || Ok(ask(&addresses, what.target.host == OneHost::Any)?);
    let (mut given, mut source, mut gaps) = answer_to(what, &target, ask()?, access)?;
    if given.may_pass() {
        (given, source, gaps) = answer_to(what, &target, asked_again(ask)?, access)?;
    }
    session.note_gaps(&gaps);
    let mut out = Vec::new();
    write(write_answer(&mut out, what.style, &Head { source, taken_at: &taken_at }, &given, &gaps))?;
    answer_as(
        if given.can_bind() { ExitStatus::Success } else { ExitStatus::Failure },
        &out,
        what.style.color,
    )
}

/// Asks again until no address is in use, at most once after each pause; returns the last verdicts.
fn asked_again(ask: impl Fn() -> Result<Vec<Try>, Failure>) -> Result<Vec<Try>, Failure> {
    let mut tries = Vec::new();
    for pause in PAUSES {
        std::thread::sleep(pause);
        tries = ask()?;
        if tries.iter().all(|tried| tried.plain != Verdict::InUse) {
            break;
        }
    }
    Ok(tries)
}

/// Makes the answer from the kernel's verdicts and the sockets on the port; also returns the source of these sockets
/// and the gaps.
fn answer_to(
    what: &Bind,
    target: &Target,
    tries: Vec<Try>,
    access: &Access,
) -> Result<(Answer, Source, Vec<Gap>), Failure> {
    let (source, occupants, mut gaps) = occupants(what, access)?;
    let to_see_holders = gaps.iter().find_map(Gap::hint);
    let facts = Facts { to_see_holders, ..facts(target.port, &tries, source, &mut gaps) };
    Ok((Answer::new(target.clone(), tries, occupants, facts), source, gaps))
}

/// The target as the answer names it, and the addresses to try.
fn addresses(typed: &OneEnd, families: Families) -> Result<(Target, Vec<SocketAddr>), Misuse> {
    let scope = match &typed.device {
        Some(name) => device_index(name)
            .or_else(|| name.parse().ok())
            .ok_or_else(|| Misuse(format!("bind: unknown device '{name}'")))?,
        None => 0,
    };
    let port = match &typed.port {
        Some(OnePort::Number(port)) => *port,
        Some(OnePort::Service(name)) => {
            Services::of_host().port(name).ok_or_else(|| Misuse(format!("bind: unknown service '{name}'")))?
        }
        None => return Err(Misuse("bind: it has no port".to_owned())),
    };
    let hosts = hosts(&typed.host, families)?;
    let full = |addr: &IpAddr| match *addr {
        IpAddr::V4(addr) => SocketAddr::from((addr, port)),
        IpAddr::V6(addr) => SocketAddrV6::new(addr, port, 0, scope).into(),
    };
    let addr = match (&typed.host, &*hosts) {
        (OneHost::Addr(_) | OneHost::Name(_), [only]) => Some(*only),
        _ => None,
    };
    Ok((Target { addr, device: typed.device.clone(), port }, hosts.iter().map(full).collect()))
}

/// One address for each family; for a name, its first address of that family.
fn hosts(typed: &OneHost, families: Families) -> Result<Vec<IpAddr>, Misuse> {
    let is_of = |addr: &IpAddr, family: Family| addr.is_ipv4() == (family == Family::Inet);
    let any = |family: &Family| match family {
        Family::Inet => Ipv4Addr::UNSPECIFIED.into(),
        Family::Inet6 => Ipv6Addr::UNSPECIFIED.into(),
    };
    match typed {
        OneHost::Any => Ok(families.each().iter().map(any).collect()),
        OneHost::Addr(addr) => Ok(vec![*addr]),
        OneHost::Name(name) => {
            let all = host_addresses(name);
            let first = |family: &Family| all.iter().copied().find(|addr| is_of(addr, *family));
            let found: Vec<_> = families.each().iter().filter_map(first).collect();
            let lacking = if all.is_empty() { "there is no host" } else { "of that family there is no host" };
            if found.is_empty() { Err(Misuse(format!("bind: {lacking} '{name}'"))) } else { Ok(found) }
        }
    }
}

/// Further facts about the host: its settings, duplicate address detection, and whether it lists idle sockets.
fn facts(port: u16, tries: &[Try], source: Source, gaps: &mut Vec<Gap>) -> Facts {
    let (settings, unread) = host::settings();
    gaps.extend(unread);
    let refused = tries.iter().find(|tried| tried.plain == Verdict::NoSuchAddress).map(|tried| tried.at);
    let dad = match refused {
        Some(SocketAddr::V6(at)) => host::dad(*at.ip(), at.scope_id()),
        _ => Ok(None),
    };
    let dad = dad.unwrap_or_else(|gap| {
        gaps.push(gap);
        None
    });
    let idle = match source {
        Source::Procfs => Idle::NotInProc,
        Source::Netlink if host::lists_idle() => Idle::Seen,
        Source::Netlink => Idle::NotListed,
    };
    Facts { dad, idle, ..Facts::of(port, &settings) }
}

/// The sockets on the port, with their holders.
fn occupants(what: &Bind, access: &Access) -> Result<(Source, Vec<Occupant>, Vec<Gap>), Failure> {
    let question = Question::of_all(&what.query.needing(Needs::HOLDERS), &what.filter)?;
    let held = Inquiry::new(&question, access).hold(None)?;
    let occupants = held.sockets.iter().map(|socket| Occupant::from(&held.row(socket))).collect();
    Ok((held.source, occupants, held.gaps))
}
