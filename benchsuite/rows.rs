//! What is measured, beside what, and how much it may take.

use std::env::current_exe;

/// The program itself.
const TCPSTATES: &str = env!("CARGO_BIN_EXE_tcpstates");
/// The extensions that -i asks for: tcp_info, the congestion control's own numbers, its name.
const INFO: &str = "14";

/// A command of ours, and what it is compared with.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) ours: Vec<String>,
    pub(crate) others: Vec<Other>,
    /// What it may take at its peak.
    pub(crate) memory: Memory,
}

/// Bytes: in any case, and besides for each socket and each descriptor.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    pub(crate) base: u64,
    pub(crate) socket: u64,
    pub(crate) descriptor: u64,
}

const FLAT: Memory = Memory { base: 6_000_000, socket: 0, descriptor: 0 };
const HELD: Memory = Memory { socket: 200, ..FLAT };
const WITH_HOLDERS: Memory = Memory { descriptor: 100, ..FLAT };

/// Something to compare with.
pub(crate) struct Other {
    pub(crate) name: &'static str,
    /// Run in turn with ours; of several the times are added up, each with its weight.
    pub(crate) commands: Vec<(f64, Vec<String>)>,
    /// The ratio that may not be passed.
    pub(crate) bar: Option<f64>,
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

fn ours(line: &str) -> Vec<String> {
    [vec![TCPSTATES.to_owned()], words(line)].concat()
}

fn own(mode: &str) -> Vec<String> {
    [vec![current_exe().expect("it runs").display().to_string()], words(mode)].concat()
}

fn shell(line: &str) -> Vec<String> {
    vec!["sh".to_owned(), "-c".to_owned(), line.to_owned()]
}

fn other(name: &'static str, command: Vec<String>, bar: impl Into<Option<f64>>) -> Other {
    Other { name, commands: vec![(1.0, command)], bar: bar.into() }
}

fn floor(bar: f64) -> Other {
    other("floor", own("floor 0"), bar)
}

/// The rows for so many sockets: on a quiet host nothing but whole processes is compared. With the program of the last
/// release, each command is compared with the same command of it.
pub(crate) fn rows(sockets: u64, release: Option<&str>) -> Vec<Row> {
    let mut rows = if sockets < 100_000 { quiet() } else { busy(sockets) };
    for row in &mut rows {
        let command = release.map(|program| [vec![program.to_owned()], row.ours[1..].to_vec()].concat());
        row.others.extend(command.map(|command| other("the last release", command, 1.03)));
    }
    rows
}

fn quiet() -> Vec<Row> {
    let row = |name, line: &str, ss: &'static str| Row {
        name,
        ours: ours(line),
        others: vec![other(ss, words(ss), 1.0), other("an empty program", own("empty"), None)],
        memory: FLAT,
    };
    vec![
        row("--summary", "--summary", "ss -nat"),
        row("-nat", "-nat", "ss -nat"),
        row("-nat --json", "-nat --json", "ss -nat"),
        row("-nat --format netstat", "-nat --format netstat", "ss -nat"),
        row("-nati --ndjson", "-nati --ndjson", "ss -nati"),
        row("-natp", "-natp", "ss -natp"),
    ]
}

fn busy(sockets: u64) -> Vec<Row> {
    let row = |name, line: &str, others| Row { name, ours: ours(line), others, memory: FLAT };
    let half = |name, command: &str| other(name, words(command), 0.5);
    let nothing = "-nat dport = :9";
    // On the larger load ss is what to beat.
    let (process_bar, scan_bar) = if sockets < 200_000 { (0.15, Some(1.0)) } else { (0.03, None) };
    let with_scan = Other {
        name: "floor + 0.8 × scan",
        commands: vec![(1.0, own("floor 0")), (0.8, own("scan"))],
        bar: scan_bar,
    };
    vec![
        row(
            "--summary",
            "--summary",
            vec![
                floor(1.08),
                other(
                    "ss -nat | awk",
                    shell("ss -nat | awk 'NR>1{s[$1]++}END{for(k in s)print k,s[k]}'"),
                    0.45,
                ),
            ],
        ),
        row("-nat", "-nat", vec![floor(1.25), half("ss -nat", "ss -nat")]),
        row("-nat --ndjson", "-nat --ndjson", vec![floor(1.5)]),
        Row { memory: HELD, ..row("-nat --json", "-nat --json", vec![floor(1.5)]) },
        row("-nat --format csv", "-nat --format csv", vec![floor(1.5)]),
        // Its order makes it keep the IPv6 sockets until the others have come.
        Row {
            memory: HELD,
            ..row(
                "-nat --format netstat",
                "-nat --format netstat",
                vec![other("netstat -nat", words("netstat -nat"), 0.3)],
            )
        },
        row(
            "-nati --ndjson",
            "-nati --ndjson",
            vec![
                other("floor with extensions", own(&format!("floor {INFO}")), 1.6),
                half("ss -nati", "ss -nati"),
            ],
        ),
        Row { memory: HELD, ..row("-nat --sort local", "-nat --sort local", vec![floor(f64::INFINITY)]) },
        row(nothing, nothing, vec![other("ss", words("ss -nat dport = :9"), 1.1)]),
        row(
            "-nat sport = :5000",
            "-nat sport = :5000",
            vec![other("ss", words("ss -nat sport = :5000"), 1.1)],
        ),
        row("-tl", "-tl", vec![other("ss -tl", words("ss -tl"), 1.1)]),
        row(
            "--source procfs -nat",
            "--source procfs -nat",
            vec![other("cat of the two files", words("cat /proc/net/tcp /proc/net/tcp6"), 1.15)],
        ),
        Row {
            memory: WITH_HOLDERS,
            ..row("-natp", "-natp", vec![with_scan, other("ss -natp", words("ss -natp"), process_bar)])
        },
        Row {
            memory: WITH_HOLDERS,
            ..row(
                "--count-by process",
                "--count-by process",
                vec![other("netstat -natp", words("netstat -natp"), None)],
            )
        },
    ]
}
