//! What command lines mean, in a pipe and on a terminal.

use std::time::Duration;

use super::help::definition;
use super::{Mode, Plan, parse};
use crate::commands::NAMES;
use crate::commands::list::List;
use crate::diagnose::samples::Sample;
use crate::diagnose::{Finding, Thresholds, diagnose};
use crate::fields::named;
use crate::layout::{Format, Scope};
use crate::model::{Families, Family, Needs, Order, SourceChoice, StateSet, TcpState};
use crate::session::{Environment, Refusal};
use crate::tally::{SortDirection, SortTerm};
use crate::trace::TraceFormat;

const PIPE: Environment =
    Environment { terminal: false, can_redraw: false, width: None, no_color: false, force_color: false };
const TERMINAL: Environment = Environment { terminal: true, can_redraw: true, width: Some(80), ..PIPE };

fn plan_in(environment: Environment, line: &str) -> Result<Plan, Refusal> {
    parse(std::iter::once("tcpstates").chain(line.split_whitespace()), environment)
}

fn plan(line: &str) -> Plan {
    plan_in(PIPE, line).unwrap()
}

fn list_in(environment: Environment, line: &str) -> List {
    match plan_in(environment, line).unwrap().mode {
        Mode::List(list) => list,
        other => panic!("{line}: {other:?}"),
    }
}

fn list(line: &str) -> List {
    list_in(PIPE, line)
}

#[test]
fn the_definition_holds_together() {
    definition().debug_assert();
}

#[test]
fn the_commands_are_those_of_the_list_of_names() {
    let definition = definition();
    let shown = definition.get_subcommands().filter(|command| !command.is_hide_set());
    assert_eq!(shown.map(clap::Command::get_name).collect::<Vec<_>>(), NAMES);
}

#[test]
fn an_option_of_the_list_stands_behind_a_command_that_has_it_and_nowhere_else() {
    let values = [("format", "plain"), ("color", "never"), ("source", "netlink"), ("proc-root", "/x")];
    for (command, words) in [("explain", ""), ("demo", ""), ("bind", " 80"), ("diagnose", ""), ("trace", "")]
    {
        let Err(Refusal::Answer(help)) = plan_in(PIPE, &format!("{command} --help")) else {
            panic!("no help of {command}")
        };
        for long in [
            "ipv4",
            "ipv6",
            "numeric",
            "processes",
            "format",
            "json",
            "no-header",
            "color",
            "source",
            "proc-root",
        ] {
            let value = values.iter().find(|(name, _)| *name == long);
            let option = value.map_or_else(|| format!("--{long}"), |(_, value)| format!("--{long}={value}"));
            let takes = help.contains(&format!("--{long}\n")) || help.contains(&format!("--{long} <"));
            let behind = plan_in(PIPE, &format!("{command}{words} {option}"));
            match behind {
                Ok(_) => assert!(takes, "{command} {option}"),
                Err(Refusal::Usage { message, .. }) => {
                    assert!(!takes && message.contains(&format!("tcpstates {command}")), "{message}");
                }
                Err(Refusal::Answer(text)) => panic!("{text}"),
            }
            let Err(Refusal::Usage { message, hint }) = plan_in(PIPE, &format!("{option} {command}{words}"))
            else {
                panic!("{option} {command}")
            };
            assert_eq!(message, format!("--{long} is an option of the list and must come after '{command}'"));
            assert_eq!(
                hint.is_some_and(|hint| hint.ends_with(&format!("tcpstates {command} --{long}"))),
                takes
            );
        }
    }
}

#[test]
fn a_command_takes_the_layouts_that_its_help_shows() {
    for (command, words, layouts) in [
        ("explain", "", &["plain", "json"][..]),
        ("demo", "", &[]),
        ("bind", " 80", &["plain", "json"]),
        ("diagnose", "", &["plain", "json"]),
        ("trace", "", &["table", "plain", "ndjson", "csv"]),
    ] {
        for (layout, _) in Format::WORDS {
            let line = format!("{command}{words} -f {layout}");
            assert_eq!(plan_in(PIPE, &line).is_ok(), layouts.contains(&layout), "{line}");
        }
    }
}

#[test]
fn the_last_layout_of_a_trace_wins() {
    let format = |line| match plan(line).mode {
        Mode::Trace(trace) => trace.style.format,
        other => panic!("{line}: {other:?}"),
    };
    assert_eq!(format("trace --ndjson -f csv"), TraceFormat::Csv);
    assert_eq!(format("trace -f csv --ndjson"), TraceFormat::Ndjson);
    let Err(Refusal::Usage { hint, .. }) = plan_in(PIPE, "trace --json") else { panic!("it has no JSON") };
    assert_eq!(hint.as_deref(), Some("did you mean '--ndjson'?"));
}

#[test]
fn every_option_has_help_that_is_one_sentence() {
    let whole = definition();
    let commands = whole.get_subcommands().flat_map(clap::Command::get_arguments);
    for arg in whole.get_arguments().chain(commands) {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        assert!(!help.is_empty(), "{}", arg.get_id());
        assert!(!help.ends_with('.'), "{}: {help}", arg.get_id());
        assert!(help.starts_with(char::is_uppercase), "{}: {help}", arg.get_id());
    }
}

#[test]
fn every_option_of_the_list_stands_under_a_heading() {
    let whole = definition();
    let shown = whole.get_arguments().filter(|arg| !arg.is_hide_set());
    let bare: Vec<_> = shown.filter(|arg| arg.get_help_heading().is_none()).collect();
    assert!(bare.is_empty(), "place them in cli/help.rs: {bare:?}");
}

#[test]
fn the_layout_follows_the_terminal_unless_it_is_chosen() {
    assert_eq!(list("").format, Format::Plain);
    assert_eq!(list_in(TERMINAL, "").format, Format::Table);
    assert_eq!(list_in(TERMINAL, "-f plain").format, Format::Plain);
    assert_eq!(list("--json").format, Format::Json);
    assert_eq!(list("--ndjson").format, Format::Ndjson);
    assert_eq!(list("--json -f ss").format, Format::Ss);
    assert_eq!(list("-f ss --ndjson").format, Format::Ndjson);
}

#[test]
fn each_layout_has_its_usual_states() {
    let all = StateSet::ALL;
    let listen = StateSet::of(TcpState::Listen);
    let closed = StateSet::of(TcpState::Close);
    let ss =
        StateSet::connected() - StateSet::exactly(TcpState::SynRecv) - StateSet::exactly(TcpState::TimeWait);
    for (line, states) in [
        ("", all - listen - closed),
        ("-l", listen),
        ("-a", all),
        ("-al", all),
        (":80", all),
        ("-l :80", listen),
        ("--json", all),
        ("--json -l", listen),
        ("-f csv", all),
        ("-f netstat", all - listen - closed),
        ("-f netstat -a", all - closed),
        ("-f netstat -l", listen),
        ("-f ss", ss),
        ("-f ss -a", all),
        ("-f ss -l", listen | StateSet::exactly(TcpState::Close)),
        ("-f ss :80", ss),
        ("-f ss exclude all", ss),
        ("-a state listen", listen),
        ("-f ss state closed", StateSet::exactly(TcpState::Close)),
        ("state closed", closed),
        ("--json exclude listen", all - listen),
    ] {
        assert_eq!(list(line).shown.states, states, "{line}");
    }
}

#[test]
fn only_what_is_shown_is_looked_up() {
    let needs = |line, needs| list(line).query.needs.contains(needs);
    assert_eq!(list("-nat").query.needs, Needs::NOTHING);
    assert!(needs("--names -at", Needs::SERVICES));
    assert!(!needs("--json -a", Needs::SERVICES), "ports are numbers there");
    assert!(needs("-np", Needs::HOLDERS) && !needs("-np", Needs::FIRST_WORDS));
    assert!(needs("-np -f netstat", Needs::HOLDERS | Needs::FIRST_WORDS));
    assert!(needs("-n --sort pid", Needs::HOLDERS));
    assert!(needs("--names -e", Needs::USERS | Needs::CGROUPS) && !needs("-e", Needs::USERS));
    assert!(!needs("-ne", Needs::USERS) && needs("-ne --json", Needs::USERS));
    assert!(!needs("--names -e --proc-root /x", Needs::USERS), "another host's users");
    assert!(needs("-ne -f netstat", Needs::LISTENER_USERS));
    assert!(needs("-np", Needs::LISTENER_HOLDERS));
    for line in ["-np -f ss", "-np -f netstat"] {
        assert!(!list(line).query.needs.has_any_of(Needs::LISTENER_HOLDERS | Needs::LISTENER_USERS));
    }
}

#[test]
fn a_netstat_list_asks_for_the_listeners_of_half_open_connections() {
    let list = list("-nte -f netstat");
    assert!(list.query.states.contains(TcpState::Listen));
    assert!(!list.shown.states.contains(TcpState::Listen));
    assert_eq!(list.style.scope, Scope::Connected);
}

#[test]
fn families_and_their_order() {
    assert_eq!(list("").query.families, Families::Both);
    assert_eq!(list("-46").query.families, Families::Both);
    assert_eq!(list("-4 -4").query.families, Families::Only(Family::Inet));
    assert_eq!(list("-6").query.families, Families::Only(Family::Inet6));
    assert_eq!(list("").query.order, Order::Any);
    assert_eq!(list("-f ss").query.order, Order::Ipv4First);
    assert_eq!(list("-f netstat").query.order, Order::Ipv4First);
}

#[test]
fn sort_terms() {
    let falling = SortTerm { field: named("recv_q").unwrap(), direction: SortDirection::Falling };
    let rising = SortTerm { field: named("local").unwrap(), direction: SortDirection::Rising };
    assert_eq!(list("--sort -recv-q,local").sort, [falling, rising]);
    assert_eq!(list("--sort=-recv-q --sort=local").sort, [falling, rising], "they add up");
}

#[test]
fn intervals() {
    assert_eq!(plan("").repeat.interval, None);
    assert_eq!(plan("-c").repeat.interval, Some(Duration::from_secs(1)));
    assert_eq!(plan("-natc=0.5").repeat.interval, Some(Duration::from_millis(500)));
    assert_eq!(plan("--continuous=2 -s").repeat.interval, Some(Duration::from_secs(2)));
    for bad in ["-c=0", "-c=-1", "-c=x", "-c=nan", "-c=1e300", "-c="] {
        assert!(matches!(plan_in(PIPE, bad), Err(Refusal::Usage { .. })), "{bad}");
    }
}

#[test]
fn colours() {
    let color = |environment, line| list_in(environment, line).style.color;
    assert!(color(TERMINAL, "") && !color(PIPE, ""));
    assert!(!color(Environment { no_color: true, ..TERMINAL }, ""));
    assert!(color(Environment { no_color: true, ..PIPE }, "--color always"));
    assert!(color(Environment { force_color: true, ..PIPE }, ""));
    assert!(!color(Environment { force_color: true, ..TERMINAL }, "--color never"));
}

#[test]
fn where_to_read() {
    assert_eq!(plan("").access.source, SourceChoice::Auto);
    assert_eq!(plan("--source procfs").access.source, SourceChoice::Procfs);
    assert_eq!(plan("--proc-root /host/proc").access.proc_root.as_deref(), Some("/host/proc".as_ref()));
    assert!(plan_in(PIPE, "--proc-root /x --source netlink").is_err());
}

#[test]
fn words_of_the_list_are_refused_before_a_command() {
    for (line, word) in
        [("-a generate man", "--all"), ("--limit 3 generate man", "--limit"), (":80 generate man", ":80")]
    {
        match plan_in(PIPE, line) {
            Err(Refusal::Usage { message, .. }) => assert!(message.contains(word), "{message}"),
            other => panic!("{line}: {other:?}"),
        }
    }
    assert!(matches!(plan("generate man").mode, Mode::Generate(..)));
}

#[test]
fn other_protocols_are_a_note_beside_tcp_and_an_error_alone() {
    assert_eq!(plan("-tulpn").notes, ["-u: only TCP sockets are shown here"]);
    assert_eq!(plan("-tuwx").notes, ["-u, -w, -x: only TCP sockets are shown here"]);
    assert!(plan_in(PIPE, "-u").is_err());
}

/// Splits a command into words as a shell does: quotes keep blanks.
fn words(command: &str) -> Vec<String> {
    let parts = command.split('\'').enumerate();
    parts
        .flat_map(|(number, part)| match number % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        })
        .collect()
}

/// The commands of the other findings are run by the tests of those findings.
#[test]
fn commands_of_the_whole_hosts_limits_are_understood() {
    let sample = Sample::default().counter("TCP", "orphan", 100).counter("TCP", "mem", 400);
    let findings = diagnose(&sample.evidence(), &Thresholds::default()).findings;
    assert_eq!(findings.len(), 2);
    for Finding { command, .. } in findings {
        assert!(parse(words(&command), PIPE).is_ok(), "{command}");
    }
}
