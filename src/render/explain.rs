//! Explanations, as text and as a document.

use std::borrow::Cow;
use std::io;

use comfy_table::{Cell, CellAlignment, ContentArrangement};
use serde::Serialize;

use super::Head;
use super::diagram::draw;
use super::grid::{coloured, new_grid, push_grid, title_cells};
use super::json::{self, push_document_head, push_document_tail, push_value};
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
        out.extend_from_slice(b",\"states\":");
        push_value(out, &states.iter().map(|state| StateRecord::of(state, false)).collect::<Vec<_>>())?;
        out.extend_from_slice(b",\"transitions\":");
        push_value(out, &MACHINE.iter().map(WayRecord::of).collect::<Vec<_>>())?;
        return push_document_tail(out, gaps);
    }
    let count = |state| states.iter().find(|other| other.state == state).map_or(0, |state| state.here.count);
    draw(&mut Report::new(out, style), count);
    push_table(out, style, states);
    let mut report = Report::new(out, style);
    report.blank();
    report.paragraph("tcpstates explain STATE says more of one; --json all of it.");
    Ok(())
}

/// The eleven in a table.
fn push_table(out: &mut Vec<u8>, style: ReportStyle, states: &[Explanation]) {
    out.push(b'\n');
    let mut grid = new_grid(style.color);
    grid.set_content_arrangement(ContentArrangement::Dynamic);
    grid.set_width(u16::try_from(style.width).unwrap_or(u16::MAX));
    grid.set_header(title_cells(["State", "Count", "Who is in it", "What it waits for"]));
    for state in states {
        grid.add_row([
            coloured(Cell::new(state.state), state.state),
            Cell::new(state.here.count).set_alignment(CellAlignment::Right),
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
        out.extend_from_slice(b",\"state\":");
        push_value(out, &StateRecord::of(state, true))?;
        return push_document_tail(out, gaps);
    }
    let mut report = Report::new(out, style);
    let name = report.styled(state_style(state.state).bold(), &state.state.to_string());
    report.line(&format!("{name}  {}", names(state.state)));
    report.blank();
    report.paragraph(state.text.short);
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

/// The names in every dialect.
fn names(state: TcpState) -> String {
    let or_dash = |name: Option<&'static str>| name.unwrap_or("-");
    format!(
        "(RFC 9293 {}, netstat {}, ss {}, kernel {})",
        or_dash(state.rfc_name()),
        or_dash(state.netstat_name()),
        or_dash(state.ss_name()),
        state.kernel()
    )
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
        None => format!("no process {count}"),
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
            13,
            &format!("{}: {} ({section}{not_here})", trigger(way), way.meaning),
        );
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
        let value = value.as_deref().unwrap_or("not on this kernel").split_whitespace().collect::<Vec<_>>();
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
    kernel: u8,
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
                kernel: state.state.kernel(),
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
