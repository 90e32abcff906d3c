//! What a trace costs those who are traced: connections one after the other, at a pace and as fast as they go.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{CpuSet, sched_setaffinity};

const TCPSTATES: &str = env!("CARGO_BIN_EXE_tcpstates");
const PORT: u16 = 4300;
/// Connections a second.
const PACE: u32 = 20_000;
/// The load at that pace lasts so many times as long, since it is made but once.
const PACED: f64 = 5.0;
/// Transitions of both ends of a connection, up to TIME_WAIT.
const TRANSITIONS: u64 = 10;

/// `PACE SECONDS`, with a pace of 0 for as fast as it goes: makes connections, and prints how many.
pub(crate) fn connect(words: &[&str]) {
    let [pace, seconds] = words else { panic!("connections PACE SECONDS") };
    let (pace, seconds): (f64, f64) =
        (pace.parse().expect("a number"), seconds.parse().expect("a number of seconds"));
    stay_on_one_processor();
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT)).expect("the port is free");
    // Each time-wait socket keeps a port to an address: there are not enough of them for one, nor for two loads.
    let second = u8::try_from(std::process::id() % 200).expect("it is small") + 4;
    let (begun, mut made) = (Instant::now(), 0_u32);
    while begun.elapsed().as_secs_f64() < seconds {
        if pace > 0.0 && f64::from(made) >= begun.elapsed().as_secs_f64() * pace {
            thread::sleep(Duration::from_micros(100));
            continue;
        }
        let third = u8::try_from(made / 2_000 % 250).expect("it is small");
        let client = TcpStream::connect((Ipv4Addr::new(127, second, third, 1), PORT)).expect("it connects");
        let (server, _) = listener.accept().expect("it is accepted");
        drop(client);
        drop(server);
        made += 1;
    }
    println!("{made} {}", begun.elapsed().as_secs_f64());
}

/// The last one: the first has most of the machine's interrupts, and going from one to another costs more than any trace.
fn stay_on_one_processor() {
    let processors = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut last = CpuSet::new();
    last.set(processors - 1);
    sched_setaffinity(None, &last).expect("it is one of ours");
}

/// So many connections within so many seconds.
#[derive(Clone, Copy)]
struct Made {
    count: u32,
    seconds: f64,
}

impl Made {
    fn load(pace: u32, seconds: f64) -> Self {
        let own = std::env::current_exe().expect("it runs");
        let output = Command::new(own)
            .args(["connections", &pace.to_string(), &seconds.to_string()])
            .stderr(Stdio::inherit())
            .output()
            .expect("it can be started");
        let text = String::from_utf8(output.stdout).expect("text");
        let (count, seconds) = text.trim().split_once(' ').expect("two numbers");
        Self { count: count.parse().expect("a number"), seconds: seconds.parse().expect("a number") }
    }

    fn pace(self) -> f64 {
        f64::from(self.count) / self.seconds
    }
}

/// Runs it all, and puts it in a table.
pub(crate) fn table(rounds: usize, seconds: f64) -> String {
    for command in ["ip link set lo up", "sysctl -qw net.ipv4.tcp_max_tw_buckets=4000000"] {
        let done = Command::new("sh").args(["-c", command]).status().expect("there is a shell");
        assert!(done.success(), "{command}");
    }
    let probe = Command::new(TCPSTATES)
        .args(["trace", "--by", "tracepoint", "--duration", "0.01", ":1"])
        .output()
        .expect("it can be started");
    if !probe.status.success() {
        return format!("no trace: {}", String::from_utf8_lossy(&probe.stderr));
    }
    // In memory: nothing is to be written to a disk while others are measured.
    let folder =
        tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder can be had");
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").expect("Linux has one");
    let processors = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut text = format!(
        "Linux {}, {processors} processors; connections over loopback, one after the other on one processor; paced for \
         {} s, unpaced for {seconds} s, medians of {rounds} rounds.\n\n\
         | load | watched by | connections a second | of those unwatched | |\n|---|---|---:|---:|---|\n",
        release.trim(),
        PACED * seconds
    );
    let alone = Made::load(PACE, PACED * seconds);
    let (watched, said) = traced(folder.path(), PACE, PACED * seconds);
    push(&mut text, "paced", "nobody", alone.pace(), 1.0, "");
    push(&mut text, "paced", "tcpstates trace", watched.pace(), watched.pace() / alone.pace(), &said);
    let mut paces = [const { Vec::new() }; 4];
    for round in 0..rounds {
        // Each begins a round in its turn: the time-wait sockets of those before it make every load slower.
        for turn in 0..paces.len() {
            match (round + turn) % paces.len() {
                0 => paces[0].push(Made::load(0, seconds).pace()),
                1 => paces[1].extend(recorded(folder.path(), seconds).map(Made::pace)),
                2 => paces[2].extend(printed(folder.path(), seconds).map(Made::pace)),
                _ => paces[3].push(traced(folder.path(), 0, seconds).0.pace()),
            }
        }
    }
    let [alone, recorded, printed, watched] = paces.map(median);
    for (name, pace) in
        [("nobody", alone), ("perf record", recorded), ("bpftrace", printed), ("tcpstates trace", watched)]
    {
        if let (Some(pace), Some(alone)) = (pace, alone) {
            push(&mut text, "unpaced", name, pace, pace / alone, "");
        }
    }
    text
}

fn push(text: &mut String, load: &str, name: &str, pace: f64, share: f64, note: &str) {
    let _ = writeln!(text, "| {load} | {name} | {pace:.0} | {share:.2} | {note} |");
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// With the program beside it, which writes to a file; and what that saw of them.
fn traced(folder: &Path, pace: u32, seconds: f64) -> (Made, String) {
    let path = folder.join("trace");
    let filter = format!(":{PORT}");
    let mut child = Command::new(TCPSTATES)
        .args(["trace", "--by", "tracepoint", "-f", "ndjson", "--summary", &filter])
        .stdout(File::create(&path).expect("it can be written"))
        .stderr(Stdio::piped())
        .spawn()
        .expect("it can be started");
    let mut said = String::new();
    let mut stderr = BufReader::new(child.stderr.take().expect("it was piped"));
    stderr.read_line(&mut said).expect("it says that it is set up");
    let before = resident_kib(&child);
    let made = Made::load(pace, seconds);
    // A FIN that was dropped on its way, as under much load some are, is sent again within this time.
    thread::sleep(Duration::from_secs(1));
    let after = resident_kib(&child);
    kill_process(Pid::from_child(&child), Signal::INT).expect("it can be signalled");
    assert!(child.wait().expect("it ends").success(), "{said}");
    let lines = fs::read_to_string(&path).expect("it was written");
    let summary = lines.lines().last().unwrap_or_default();
    let (lost, unseen) = (number_behind(summary, "\"lost\":"), number_behind(summary, "\"unseen\":"));
    // But for the summary, and the listener's two.
    let seen = (lines.lines().count() as u64).saturating_sub(3);
    let wanted = u64::from(made.count) * TRANSITIONS;
    let bytes = after.saturating_sub(before) * 1024 / u64::from(made.count).max(1);
    assert!(
        seen >= wanted || lost + unseen > 0,
        "{seen} of {wanted} transitions were seen, and none is reported lost: {summary}"
    );
    (
        made,
        format!(
            "{seen} of {wanted} transitions, {lost} records lost, {unseen} sockets with unseen ones; {after} KiB, {bytes} \
             bytes a TIME_WAIT"
        ),
    )
}

/// With perf record beside it, where that is installed.
fn recorded(folder: &Path, seconds: f64) -> Option<Made> {
    let mut perf = Command::new("perf");
    perf.args(["record", "-a", "-q", "-e", "sock:inet_sock_set_state", "-o"]).arg(folder.join("perf"));
    let mut child = perf.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
    thread::sleep(Duration::from_millis(500));
    let made = Made::load(0, seconds);
    kill_process(Pid::from_child(&child), Signal::INT).expect("it can be signalled");
    let _ = child.wait();
    Some(made)
}

/// With bpftrace beside it, where that is installed, which prints each transition of the same sockets into a file.
fn printed(folder: &Path, seconds: f64) -> Option<Made> {
    let script = format!(
        "BEGIN {{ printf(\"ready\\n\"); }} tracepoint:sock:inet_sock_set_state /args->sport == {PORT} || args->dport == {PORT}/ \
         {{ printf(\"%llu %d %s %d %d %d %d\\n\", nsecs, pid, comm, args->sport, args->dport, args->oldstate, \
         args->newstate); }}"
    );
    let path = folder.join("bpftrace");
    let mut child = Command::new("bpftrace")
        .args(["-e", &script])
        .stdout(File::create(&path).expect("it can be written"))
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    // What it prints comes in whole blocks: it is taken to be ready when it has had this time.
    thread::sleep(Duration::from_secs(5));
    let made = child.try_wait().ok()?.is_none().then(|| Made::load(0, seconds));
    let _ = kill_process(Pid::from_child(&child), Signal::INT);
    let _ = child.wait();
    made
}

fn resident_kib(child: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    number_behind(&status, "VmRSS:")
}

fn number_behind(text: &str, key: &str) -> u64 {
    let rest = text.split_once(key).map_or("", |(_, rest)| rest).trim_start();
    rest.split(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}
