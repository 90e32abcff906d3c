//! Explanations, as text and as a document.

use std::borrow::Cow;
use std::io;

use comfy_table::Cell;
use serde::Serialize;

use super::Head;
use super::diagram::{self, draw};
use super::grid::{coloured, fit, new_grid, number_cell, push_grid, title_cells};
use super::json::{self, push_document_head, push_document_tail, push_member};
use super::report::{Report, ReportStyle, state_style};
use super::text::escaped;
use crate::explain::{Explanation, Here};
use crate::model::{Gap, MACHINE, TcpState, Transition};

/// Appends what is said of all states.
pub fn write_overview(
    out: &mut Vec<u8>,
    style: ReportStyle,
    head: &Head<'_>,
    states: &[Explanation],
    gaps: &[Gap],
) -> io::Result<()> {
    if style.json {
        push_document_head(out, head)?;
        push_member(
            out,
            "states",
            &states.iter().map(|state| StateRecord::of(state, false)).collect::<Vec<_>>(),
        )?;
        push_member(out, "transitions", &MACHINE.iter().map(WayRecord::of).collect::<Vec<_>>())?;
        return push_document_tail(out, gaps);
    }
    let count = |state| states.iter().find(|other| other.state == state).map_or(0, |state| state.here.count);
    let mut report = Report::new(out, style);
    if style.width >= diagram::WIDTH {
        draw(&mut report, count);
    } else {
        report.paragraph(&format!("The state diagram needs {} columns.", diagram::WIDTH));
    }
    push_table(out, style, states);
    let mut report = Report::new(out, style);
    report.blank();
    report.paragraph("tcpstates explain STATE says more of one; --json all of it.");
    Ok(())
}

/// A state's name and the blanks behind it, before a way.
const WAY: usize = 13;

/// The eleven in a table.
fn push_table(out: &mut Vec<u8>, style: ReportStyle, states: &[Explanation]) {
    out.push(b'\n');
    let mut grid = new_grid(style.color);
    fit(&mut grid, u16::try_from(style.width).unwrap_or(u16::MAX));
    grid.set_header(title_cells(["State", "Count", "Who is in it", "What it waits for"]));
    for state in states {
        grid.add_row([
            coloured(Cell::new(state.state), state.state),
            number_cell(state.here.count),
            Cell::new(state.text.who),
            Cell::new(state.text.waits_for),
        ]);
    }
    push_grid(out, grid, &[]);
}

/// Appends what is said of one state.
pub fn write_explanation(
    out: &mut Vec<u8>,
    style: ReportStyle,
    head: &Head<'_>,
    state: &Explanation,
    gaps: &[Gap],
) -> io::Result<()> {
    if style.json {
        push_document_head(out, head)?;
        push_member(out, "state", &StateRecord::of(state, true))?;
        return push_document_tail(out, gaps);
    }
    let mut report = Report::new(out, style);
    let name = report.styled(state_style(state.state).bold(), &state.state.to_string());
    report.line(&name);
    report.paragraph(state.text.short);
    push_names(&mut report, state.state);
    push_here(&mut report, state);
    report.heading("WHO IS IN IT");
    report.paragraph(state.text.story);
    push_ways(&mut report, "WAYS IN", &state.ways_in, |way| way.from);
    push_ways(&mut report, "WAYS OUT", &state.ways_out, |way| way.to);
    report.heading("HOW LONG");
    for sentence in &state.lasts {
        report.paragraph(sentence);
    }
    push_settings(&mut report, state);
    report.heading("WHAT A PILE OF IT MEANS");
    report.paragraph(state.text.pile);
    report.heading("WHAT TO DO");
    report.paragraph(state.text.advice);
    report.command(state.text.command);
    report.heading("EXACTLY");
    for fact in state.text.exactly {
        report.paragraph(fact);
    }
    Ok(())
}

/// Its names in every dialect.
fn push_names(report: &mut Report<'_>, state: TcpState) {
    let name = |name: Option<&'static str>| name.unwrap_or("-");
    report.paragraph(&format!(
        "RFC 9293 {}, netstat {}, ss {} (in its filters {}), kernel {} = {}",
        name(state.rfc_name()),
        name(state.netstat_name()),
        name(state.ss_name()),
        name(state.ss_word()),
        name(state.kernel_name()),
        state.kernel()
    ));
}

fn push_here(report: &mut Report<'_>, state: &Explanation) {
    let Here { count, processes, peers, ports } = &state.here;
    report.heading("HERE");
    report.paragraph(&match count {
        0 => "None at this moment.".to_owned(),
        1 => "1 socket at this moment.".to_owned(),
        count => format!("{count} sockets at this moment."),
    });
    let processes = processes.iter().map(|(holder, count)| match holder {
        Some(holder) => format!("{}/{} {count}", holder.pid, escaped(&holder.name)),
        None => format!("(none seen) {count}"),
    });
    let lists = [
        ("by process", processes.collect::<Vec<_>>()),
        ("by peer", peers.iter().map(|(addr, count)| format!("{addr} {count}")).collect()),
        ("by local port", ports.iter().map(|(port, count)| format!("{port} {count}")).collect()),
    ];
    for (label, list) in lists {
        if !list.is_empty() {
            report.labelled(label, 15, &list.join(", "));
        }
    }
}

fn push_ways(
    report: &mut Report<'_>,
    heading: &str,
    ways: &[&'static Transition],
    other_end: impl Fn(&Transition) -> TcpState,
) {
    report.heading(heading);
    for way in ways {
        let section =
            way.section.map_or_else(|| "Linux alone".to_owned(), |section| format!("RFC 9293, {section}"));
        let not_here = if way.on_linux { "" } else { "; Linux does not do it" };
        report.labelled(
            &other_end(way).to_string(),
            WAY,
            &format!("{}  ({section}{not_here})", trigger(way)),
        );
        report.labelled("", WAY, way.meaning);
    }
}

/// `rcv FIN / snd ACK`, as figure 5 writes it.
fn trigger(way: &Transition) -> String {
    way.sends.map_or_else(|| way.event.to_string(), |segment| format!("{} / snd {segment}", way.event))
}

fn push_settings(report: &mut Report<'_>, state: &Explanation) {
    if state.settings.is_empty() {
        return;
    }
    report.blank();
    for (setting, value) in &state.settings {
        // Numbers in a row are apart by tabs.
        let value = value
            .as_deref()
            .unwrap_or("not in this kernel or namespace")
            .split_whitespace()
            .collect::<Vec<_>>();
        report.labelled(setting.name(), 36, &value.join(" "));
    }
}

/// A state.
#[derive(Serialize)]
struct StateRecord<'a> {
    state: String,
    names: NamesRecord,
    count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    processes: Option<Vec<ProcessRecord<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peers: Option<Vec<PeerRecord>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    local_ports: Option<Vec<PortRecord>>,
    summary: &'a str,
    who: &'a str,
    waits_for: &'a str,
    story: &'a str,
    ways_in: Vec<WayRecord>,
    ways_out: Vec<WayRecord>,
    lasts: &'a [String],
    settings: Vec<SettingRecord<'a>>,
    pile: &'a str,
    advice: &'a str,
    exactly: &'a [&'a str],
    command: &'a str,
}

#[derive(Serialize)]
struct NamesRecord {
    rfc9293: Option<&'static str>,
    netstat: Option<&'static str>,
    ss: Option<&'static str>,
    ss_filter: Option<&'static str>,
    kernel: Option<&'static str>,
    number: u8,
}

#[derive(Serialize)]
struct ProcessRecord<'a> {
    pid: Option<u64>,
    name: Option<Cow<'a, str>>,
    count: u64,
}

#[derive(Serialize)]
struct PeerRecord {
    peer: String,
    count: u64,
}

#[derive(Serialize)]
struct PortRecord {
    local_port: u64,
    count: u64,
}

#[derive(Serialize)]
struct SettingRecord<'a> {
    name: &'static str,
    value: Option<&'a str>,
}

/// A way from state to state.
#[derive(Serialize)]
struct WayRecord {
    from: String,
    to: String,
    event: String,
    sends: Option<String>,
    rfc9293_section: Option<&'static str>,
    figure_5: bool,
    linux: bool,
    meaning: &'static str,
}

impl<'a> StateRecord<'a> {
    /// With those that have most of it, where they were counted.
    fn of(state: &'a Explanation, counted: bool) -> Self {
        let Explanation { text, here, .. } = state;
        let process = |(holder, count): &'a (Option<crate::explain::Holder>, u64)| ProcessRecord {
            pid: holder.as_ref().map(|holder| holder.pid),
            name: holder.as_ref().map(|holder| json::text(&holder.name)),
            count: *count,
        };
        Self {
            state: state.state.to_string(),
            names: NamesRecord {
                rfc9293: state.state.rfc_name(),
                netstat: state.state.netstat_name(),
                ss: state.state.ss_name(),
                ss_filter: state.state.ss_word(),
                kernel: state.state.kernel_name(),
                number: state.state.kernel(),
            },
            count: here.count,
            processes: counted.then(|| here.processes.iter().map(process).collect()),
            peers: counted.then(|| {
                here.peers
                    .iter()
                    .map(|(peer, count)| PeerRecord { peer: peer.to_string(), count: *count })
                    .collect()
            }),
            local_ports: counted.then(|| {
                here.ports
                    .iter()
                    .map(|(port, count)| PortRecord { local_port: *port, count: *count })
                    .collect()
            }),
            summary: text.short,
            who: text.who,
            waits_for: text.waits_for,
            story: text.story,
            ways_in: state.ways_in.iter().map(|way| WayRecord::of(way)).collect(),
            ways_out: state.ways_out.iter().map(|way| WayRecord::of(way)).collect(),
            lasts: &state.lasts,
            settings: state
                .settings
                .iter()
                .map(|(setting, value)| SettingRecord { name: setting.name(), value: value.as_deref() })
                .collect(),
            pile: text.pile,
            advice: text.advice,
            exactly: text.exactly,
            command: text.command,
        }
    }
}

impl WayRecord {
    fn of(way: &Transition) -> Self {
        Self {
            from: way.from.to_string(),
            to: way.to.to_string(),
            event: way.event.to_string(),
            sends: way.sends.map(|segment| segment.to_string()),
            rfc9293_section: way.section,
            figure_5: way.in_figure,
            linux: way.on_linux,
            meaning: way.meaning,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::explain::{Holder, explain};
    use crate::model::{Setting, Settings, Source};

    const STYLE: ReportStyle = ReportStyle { json: false, color: false, width: 80 };
    const HEAD: Head<'_> = Head { source: Source::Netlink, taken_at: "2026-01-02T03:04:05.678Z" };

    /// As on a host that was never tuned.
    fn settings() -> Settings {
        use Setting::{
            AbortOnOverflow, FinTimeout, KeepaliveIntvl, KeepaliveProbes, KeepaliveTime, LocalPortRange,
            MaxSynBacklog, MaxTwBuckets, OrphanRetries, Retries2, Somaxconn, SynLinearTimeouts, SynRetries,
            SynackRetries, Syncookies, TwReuse,
        };
        let values = [
            (FinTimeout, "60"),
            (SynRetries, "6"),
            (SynLinearTimeouts, "4"),
            (SynackRetries, "5"),
            (OrphanRetries, "0"),
            (Retries2, "15"),
            (MaxTwBuckets, "131072"),
            (TwReuse, "2"),
            (MaxSynBacklog, "2048"),
            (Somaxconn, "4096"),
            (Syncookies, "1"),
            (AbortOnOverflow, "0"),
            (KeepaliveTime, "7200"),
            (KeepaliveIntvl, "75"),
            (KeepaliveProbes, "9"),
            (LocalPortRange, "32768\t60999"),
        ];
        values.into_iter().map(|(setting, value)| (setting, value.to_owned())).collect()
    }

    fn here(count: u64) -> Here {
        let holder = Holder { pid: 77, name: b"nasty\x1b[31m".as_slice().into() };
        Here {
            count,
            processes: vec![(Some(holder), 2), (None, 1)],
            peers: vec![(Ipv4Addr::new(192, 0, 2, 1).into(), 3)],
            ports: vec![(443, 3)],
        }
    }

    fn explained(state: TcpState) -> Explanation {
        explain(state, &settings(), here(3)).unwrap()
    }

    #[test]
    fn each_state_as_text() {
        for state in TcpState::SHOWN {
            let mut out = Vec::new();
            write_explanation(&mut out, STYLE, &HEAD, &explained(state), &[]).unwrap();
            let text = String::from_utf8(out).unwrap();
            assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
            insta::assert_snapshot!(format!("explain_{state}"), text);
        }
    }

    #[test]
    fn all_states_as_text() {
        let states: Vec<_> = TcpState::SHOWN.into_iter().map(explained).collect();
        let mut out = Vec::new();
        write_overview(&mut out, STYLE, &HEAD, &states, &[]).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn a_narrow_terminal_gets_no_broken_diagram() {
        let states: Vec<_> = TcpState::SHOWN.into_iter().map(explained).collect();
        let mut out = Vec::new();
        write_overview(&mut out, ReportStyle { width: 60, ..STYLE }, &HEAD, &states, &[]).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("needs 74 columns") && !text.contains("->"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
    }

    #[test]
    fn documents_are_whole_and_safe() {
        let style = ReportStyle { json: true, ..STYLE };
        let gaps = [Gap::ProcessesHidden];
        let mut one = Vec::new();
        write_explanation(&mut one, style, &HEAD, &explained(TcpState::CloseWait), &gaps).unwrap();
        let one: serde_json::Value = serde_json::from_slice(&one).unwrap();
        assert_eq!(one["state"]["processes"][0]["name"], "nasty\u{1b}[31m");
        assert_eq!(one["state"]["processes"][1]["pid"], serde_json::Value::Null);
        assert_eq!(one["warnings"][0], gaps[0].to_string());

        let states: Vec<_> = TcpState::SHOWN.into_iter().map(explained).collect();
        let mut all = Vec::new();
        write_overview(&mut all, style, &HEAD, &states, &[]).unwrap();
        let all: serde_json::Value = serde_json::from_slice(&all).unwrap();
        assert_eq!(all["states"].as_array().map(Vec::len), Some(11));
        assert_eq!(all["transitions"].as_array().map(Vec::len), Some(MACHINE.len()));
    }

    #[test]
    fn colours_are_only_there_when_asked_for() {
        let mut out = Vec::new();
        write_explanation(
            &mut out,
            ReportStyle { color: true, ..STYLE },
            &HEAD,
            &explained(TcpState::Listen),
            &[],
        )
        .unwrap();
        assert!(String::from_utf8(out).unwrap().contains("\u{1b}[1m"));
    }
}
