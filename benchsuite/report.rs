//! The table of a run, in Markdown.

use std::fmt::Write as _;
use std::process::Command;

use crate::measure::{Measured, MeasuredRow};
use crate::rows::Memory;

/// One load's results.
pub(crate) struct Table {
    pub(crate) load: String,
    /// How many bytes a row may take for each.
    pub(crate) sockets: u64,
    pub(crate) descriptors: u64,
    pub(crate) rows: Vec<MeasuredRow>,
}

/// Where it was measured, and the tables.
pub(crate) fn text(tables: &[Table], rounds: usize) -> String {
    let mut text = format!(
        "{}; {}; {}; {}; {}.\nMedians of {rounds} rounds, the programs in turn, output to /dev/null; a peak is the highest.\n",
        said("uname", &["-sr"]),
        cpu(),
        said(env!("CARGO_BIN_EXE_tcpstates"), &["--version"]),
        said("ss", &["-V"]).replace("ss utility, ", ""),
        said("netstat", &["--version"]),
    );
    for table in tables {
        push_table(&mut text, table);
    }
    text
}

fn push_table(text: &mut String, table: &Table) {
    let _ = writeln!(text, "\n{}\n", table.load);
    let _ = writeln!(text, "| tcpstates | ms | CPU ms | peak MB | beside | ms | ratio | CPU ratio | bar |");
    let _ = writeln!(text, "|---|---:|---:|---:|---|---:|---:|---:|---:|");
    for row in &table.rows {
        let ours = row.ours;
        for (at, other) in row.others.iter().enumerate() {
            let first = format!(
                "| `{}` | {} | {} | {} |",
                row.name,
                millis(ours.wall),
                millis(ours.cpu),
                peak(row, table)
            );
            let lead = if at == 0 { first } else { "| | | | |".to_owned() };
            let _ = writeln!(text, "{lead} {} |", comparison(other));
        }
    }
}

fn comparison(other: &Measured) -> String {
    let bar = match other.bar.filter(|bar| bar.is_finite()) {
        Some(bar) if other.ratio > bar => format!("**{bar}**"),
        Some(bar) => format!("{bar}"),
        None => String::new(),
    };
    let few = if other.runs < 9 { format!(" ({} runs)", other.runs) } else { String::new() };
    format!(
        "{}{few} | {} | {:.2} | {:.2} | {bar}",
        other.name.replace('|', "\\|"),
        millis(other.median.wall),
        other.ratio,
        other.cpu_ratio
    )
}

fn millis(seconds: f64) -> String {
    let millis = seconds * 1e3;
    if millis < 10.0 { format!("{millis:.2}") } else { format!("{millis:.0}") }
}

/// In bold where it is more than it may be.
fn peak(row: &MeasuredRow, table: &Table) -> String {
    let bytes = row.ours.peak_kib * 1024;
    #[expect(clippy::cast_precision_loss, reason = "megabytes")]
    let shown = format!("{:.1}", bytes as f64 / 1e6);
    let Memory { base, socket, descriptor } = row.memory;
    let may = base + socket * table.sockets + descriptor * table.descriptors;
    if bytes > may { format!("**{shown}**") } else { shown }
}

/// The first line of what a program says of itself.
fn said(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).lines().next().unwrap_or("?").trim().to_owned()
}

fn cpu() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{count} × {}", model.map_or("?", |(_, name)| name.trim()))
}
