//! Explanations, as text and as a document.

mod diagram;
mod records;
#[cfg(test)]
mod tests;

use std::io;

use comfy_table::Cell;

use self::diagram::draw;
use self::records::{StateRecord, WayRecord};
use crate::explain::{Explanation, Here};
use crate::layout::grid::{coloured, fit, new_grid, number_cell, push_grid, title_cells};
use crate::layout::json::{push_document_head, push_document_tail, push_member};
use crate::layout::report::{Report, state_style};
use crate::layout::text::escaped;
use crate::layout::{Head, ReportStyle};
use crate::model::{Gap, MACHINE, TcpState, Transition};

/// Appends the explanation of all states.
pub(crate) fn write_overview(
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
    report.paragraph("tcpstates explain STATE explains one state; --json writes everything.");
    Ok(())
}

/// A state's name, padded with blanks, before a transition.
const WAY: usize = 13;

/// The eleven states in a table.
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

/// Appends the explanation of one state.
pub(crate) fn write_explanation(
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
    report.heading("WHAT A LARGE NUMBER MEANS");
    report.paragraph(state.text.pile);
    report.heading("WHAT TO DO");
    report.paragraph(state.text.advice);
    report.command(state.text.command);
    report.heading("DETAILS");
    for fact in state.text.exactly {
        report.paragraph(fact);
    }
    Ok(())
}

/// The state's names in every dialect.
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
    report.heading("ON THIS HOST");
    report.paragraph(&match count {
        0 => "None at this moment.".to_owned(),
        1 => "1 socket at this moment.".to_owned(),
        count => format!("{count} sockets at this moment."),
    });
    let processes = processes.iter().map(|(holder, count)| match holder {
        Some(holder) => format!("{}/{} {count}", holder.pid, escaped(&holder.name)),
        None => format!("(unknown) {count}"),
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
            way.section.map_or_else(|| "Linux only".to_owned(), |section| format!("RFC 9293, {section}"));
        let not_here = if way.on_linux { "" } else { "; not on Linux" };
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
        // The kernel separates the numbers of a setting by tabs.
        let value = value
            .as_deref()
            .unwrap_or("not in this kernel or namespace")
            .split_whitespace()
            .collect::<Vec<_>>();
        report.labelled(setting.name(), 36, &value.join(" "));
    }
}
