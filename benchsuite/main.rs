//! Times the program beside its rivals, and beside the least that could be done.
//!
//! `cargo bench --bench suite [-- OPTIONS]` makes a load of real sockets in network and PID namespaces of its own,
//! runs the programs in turn, and prints a table of medians and ratios. `cargo test` runs a smoke test of it.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::expect_used,
    clippy::panic,
    reason = "a tool for developers"
)]

mod floor;
mod load;
#[allow(unsafe_code, reason = "wait4(2) has no safe wrapper that tells the peak of memory")]
mod measure;
mod report;
mod rows;
mod scan;
mod trace;
mod worker;

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use clap::Parser as _;

use load::Load;

/// What can be chosen.
#[derive(Debug, clap::Parser)]
struct Options {
    /// How many sockets there are.
    #[arg(long, value_delimiter = ',', default_value = "10,1000,110000,470000")]
    sizes: Vec<u64>,
    /// How often each program is run.
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// Only rows whose names begin with one of these.
    #[arg(long, value_delimiter = ',')]
    rows: Vec<String>,
    /// Rounds of programs that take longer than ten seconds.
    #[arg(long, default_value_t = 3)]
    slow_rounds: usize,
    /// A tcpstates of the last release: each command is run by it too, and may take 1.03 × its time.
    #[arg(long, value_name = "PROGRAM")]
    release: Option<String>,
    /// Keep the table in benchsuite/runs under this name.
    #[arg(long)]
    keep: Option<String>,
    /// Measure what a trace costs, by loads that last this many seconds, and nothing else.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "5")]
    trace: Option<f64>,
    /// Set by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What this program is when it is started by itself.
const INSIDE: &str = "--inside-the-namespaces";

fn main() {
    let args: Vec<_> = std::env::args().collect();
    let words: Vec<_> = args.iter().skip(1).map(String::as_str).collect();
    match words.as_slice() {
        ["empty"] => {}
        ["floor", extensions] => floor::print(extensions.parse().expect("a number of extensions")),
        ["scan"] => scan::print(),
        ["worker", words @ ..] => worker::work(words),
        ["connections", words @ ..] => trace::connect(words),
        [INSIDE, words @ ..] => suite(words),
        words => outside(words),
    }
}

/// Goes on in namespaces that end with it.
fn outside(words: &[&str]) {
    let inside = |words: &[&str]| {
        let own = std::env::current_exe().expect("it runs");
        let mut unshare = Command::new("unshare");
        unshare.args(["--net", "--pid", "--mount", "--mount-proc", "--fork", "--kill-child"]).arg(own);
        unshare.arg(INSIDE).args(words);
        unshare
    };
    let mut unshare = if words.contains(&"--bench") {
        inside(words)
    } else {
        // By `cargo test`: does it run at all?
        if !rustix::process::geteuid().is_root() {
            assert!(std::env::var_os("CI").is_none(), "would be skipped, which CI does not allow");
            return eprintln!("skipped: the benchmark's smoke test needs root");
        }
        let traced = inside(&["--trace=0.2", "--rounds", "1"]).status();
        assert!(traced.expect("unshare can be run").success(), "the trace's benchmark failed");
        inside(&["--sizes", "10,40", "--rounds", "1", "--slow-rounds", "1"])
    };
    let error = unshare.exec();
    panic!("cannot run unshare: {error}");
}

fn suite(words: &[&str]) {
    let options = Options::parse_from(std::iter::once(&"suite").chain(words));
    if let Some(seconds) = options.trace {
        return keep(&trace::table(options.rounds, seconds), options.keep.as_deref());
    }
    let mut tables = Vec::new();
    for size in &options.sizes {
        let mut load = Load::new(*size);
        eprintln!("{}", load.described());
        let rows = rows::rows(*size, options.release.as_deref());
        let chosen =
            |name: &str| options.rows.is_empty() || options.rows.iter().any(|row| name.starts_with(row));
        let measured = rows
            .into_iter()
            .filter(|row| chosen(row.name))
            .map(|row| {
                eprintln!("  {}", row.name);
                measure::row(&row, options.rounds, options.slow_rounds, &mut || load.renew())
            })
            .collect();
        tables.push(report::Table {
            load: load.described(),
            sockets: *size,
            descriptors: load.descriptors(),
            rows: measured,
        });
    }
    keep(&report::text(&tables, options.rounds), options.keep.as_deref());
}

fn keep(text: &str, name: Option<&str>) {
    println!("{text}");
    if let Some(name) = name {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("benchsuite/runs").join(name);
        std::fs::write(path, text).expect("the run can be kept");
    }
}
