//! `-c`: again and again, until a signal or the reader's leaving ends it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::run::{PROGRAM, await_end_of, tcpstates};
use crate::support::zoo;
use crate::support::zoo::Zoo;

fn spawn(args: &[&str]) -> Child {
    tcpstates(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs")
}

/// The exit status and stderr; it must end soon.
#[track_caller]
fn end_of(mut child: Child) -> (Option<i32>, String) {
    await_end_of(&mut child);
    let mut stderr = String::new();
    child.stderr.take().expect("it was piped").read_to_string(&mut stderr).expect("it can be read");
    (child.wait().expect("it has ended").code(), stderr)
}

#[test]
fn lists_are_apart_by_a_blank_line_until_a_signal() {
    for signal in [Signal::INT, Signal::TERM] {
        let mut child = spawn(&["-s", "-c=0.05"]);
        let mut lines = BufReader::new(child.stdout.take().expect("it was piped")).lines();
        let read: Vec<_> = lines.by_ref().take(11 + 1 + 11 + 1).map(|line| line.expect("a line")).collect();
        assert_eq!((read[11].as_str(), read[23].as_str()), ("", ""));
        assert!(read[12].starts_with("LISTEN "));
        let pid = Pid::from_child(&child);
        // It may be at any point now, writing too; nothing is cut off.
        kill_process(pid, signal).expect("it can be signalled");
        let rest = lines.map(|line| line.expect("a line")).collect::<Vec<_>>();
        assert_eq!(end_of(child), (Some(0), String::new()));
        let whole = rest.len() % 12;
        assert!(whole == 11 || whole == 0, "cut off after {rest:?}");
    }
}

#[test]
fn every_layout_for_people_has_a_blank_line_between() {
    let Some(zoo) = zoo() else { return };
    for format in ["plain", "table", "netstat", "ss"] {
        for more in [&[][..], &["--sort", "local"]] {
            let (lines, child) = zoo.namespace().inside(|| {
                let mut child = spawn(&[&["-nH", "-c=0.02", "-f", format, "state", "listen"], more].concat());
                let lines = BufReader::new(child.stdout.take().expect("it was piped")).lines();
                (lines.take(60).map(|line| line.expect("a line")).collect::<Vec<_>>(), child)
            });
            assert_eq!(end_of(child), (Some(0), String::new()));
            let lists: Vec<_> = lines.split(String::is_empty).map(<[_]>::len).collect();
            assert!(lists.len() > 2 && lists[0] > 2, "{format} {more:?}: {lines:?}");
            assert!(
                lists[..lists.len() - 1].iter().all(|len| *len == lists[0]),
                "{format} {more:?}: {lists:?}"
            );
        }
    }
}

#[test]
fn a_signal_ends_it_though_its_reader_reads_nothing() {
    let Some(zoo) = zoo() else { return };
    let child = zoo.namespace().inside(|| spawn(&["--ndjson", "-i", "-c=0.001"]));
    // Its pipe is full soon; how soon does not matter.
    std::thread::sleep(Duration::from_millis(300));
    kill_process(Pid::from_child(&child), Signal::TERM).expect("it can be signalled");
    assert_eq!(end_of(child), (Some(0), String::new()));
}

#[test]
fn it_ends_when_its_reader_leaves_even_between_two_lists() {
    let mut child = spawn(&["-s", "-c=3600"]);
    let stdout = child.stdout.take().expect("it was piped");
    let mut first = String::new();
    let mut reader = BufReader::new(stdout);
    reader.read_line(&mut first).expect("a line");
    assert!(first.starts_with("LISTEN "));
    drop(reader);
    assert_eq!(end_of(child), (Some(0), String::new()));
}

/// The first lines that come from the zoo's namespace, and then the program ends.
fn first_lines(zoo: &Zoo, count: usize, args: &[&str]) -> Vec<String> {
    let (lines, child) = zoo.namespace().inside(|| {
        let mut child = spawn(&[args, &["-c=0.02"]].concat());
        let lines = BufReader::new(child.stdout.take().expect("it was piped")).lines();
        (lines.take(count).map(|line| line.expect("a line")).collect::<Vec<_>>(), child)
    });
    assert_eq!(end_of(child), (Some(0), String::new()), "{args:?}");
    assert_eq!(lines.len(), count, "{args:?}");
    lines
}

/// Asserts that these are rising times, of more than one snapshot.
fn assert_times_pass(times: &[String]) {
    assert!(times.is_sorted() && times.first() < times.last(), "{times:?}");
    for time in times {
        assert!(time.parse::<jiff::Timestamp>().is_ok(), "{time}");
    }
}

#[test]
fn every_line_of_json_is_a_document_with_its_time() {
    let Some(zoo) = zoo() else { return };
    for args in [
        &["-s", "--json"][..],
        &["-s", "--ndjson"],
        &["-a", "--json"],
        &["-a", "--ndjson"],
        &["-a", "--json", "--sort", "local"],
        &["-a", "--count-by", "state", "--json"],
        &["-a", "--count-by", "state", "--ndjson"],
        &["-a", "--diff=0.01", "--count-by", "state", "--json"],
        &["state", "syn-sent", "dport = :9", "--json"],
    ] {
        let lines = first_lines(&zoo, 60, args);
        let time = |line: &String| {
            let document: serde_json::Value = serde_json::from_str(line).expect("JSON");
            document["taken_at"].as_str().unwrap_or_else(|| panic!("{args:?}: {line}")).to_owned()
        };
        assert_times_pass(&lines.iter().map(time).collect::<Vec<_>>());
    }
}

#[test]
fn csv_has_one_heading_and_each_row_its_time() {
    let Some(zoo) = zoo() else { return };
    for args in [
        &["-s"][..],
        &["-a"],
        &["-a", "--sort", "local"],
        &["-a", "--columns", "state,local"],
        &["-a", "--count-by", "state,local-port"],
    ] {
        let lines = first_lines(&zoo, 60, &[args, &["-f", "csv"]].concat());
        let (heading, rows) = lines.split_first().expect("lines");
        assert!(heading.starts_with("taken_at,"), "{heading}");
        let width = |line: &str| line.split(',').count();
        assert!(rows.iter().all(|row| width(row) == width(heading)), "{args:?}: {lines:#?}");
        assert_times_pass(
            &rows.iter().map(|row| row.split(',').next().unwrap().to_owned()).collect::<Vec<_>>(),
        );
        let bare = first_lines(&zoo, 60, &[args, &["-f", "csv", "-H"]].concat());
        assert_times_pass(
            &bare.iter().map(|row| row.split(',').next().unwrap().to_owned()).collect::<Vec<_>>(),
        );
    }
}

#[test]
fn each_ndjson_line_has_its_time() {
    let Some(zoo) = zoo() else { return };
    let (times, child) = zoo.namespace().inside(|| {
        let mut child = spawn(&["--ndjson", "-c=0.02"]);
        let lines = BufReader::new(child.stdout.take().expect("it was piped")).lines();
        let mut times = Vec::new();
        for line in lines.map(|line| line.expect("a line")) {
            let socket: serde_json::Value = serde_json::from_str(&line).expect("JSON");
            times.push(socket["taken_at"].as_str().expect("a time").to_owned());
            if times.len() > zoo.specimens().len() * 3 {
                break;
            }
        }
        (times, child)
    });
    assert_eq!(end_of(child), (Some(0), String::new()));
    assert_times_pass(&times);
}

/// Runs a command in a terminal of this size in the namespace; returns what the terminal got.
fn in_a_terminal(
    namespace: &crate::support::namespace::Namespace,
    term: &str,
    args: &str,
    signal: &str,
) -> String {
    namespace.inside(|| {
        let mut shell = std::process::Command::new("sh");
        // The signal is sent once the heading has come twice.
        let script = format!(
            "stty cols 60 rows 8; echo BEFORE; {PROGRAM} {args} & wait_for() {{ while kill -0 $! 2>/dev/null && \
             [ ! -e \"$GO\" ]; do sleep 0.05; done; }}; wait_for; kill -{signal} $!; wait $!; echo AFTER"
        );
        let _ = shell.args(["-c", &script]);
        shell.env("TERM", term).env("NO_COLOR", "1");
        let folder = tempfile::tempdir().expect("a folder can be made");
        let go = folder.path().join("go");
        shell.env("GO", &go);
        let mut session = rexpect::session::spawn_command(shell, Some(20_000)).expect("a terminal can be had");
        let mut seen = String::new();
        for _ in 0..2 {
            seen += &session.exp_string("State").expect("it prints a heading");
            seen += "State";
        }
        std::fs::write(&go, "").expect("the file can be made");
        seen + &session.exp_eof().expect("it ends")
    })
}

#[test]
fn on_a_terminal_it_is_redrawn_in_place_and_the_screen_is_given_back() {
    let Some(zoo) = zoo() else { return };
    for signal in ["INT", "TERM", "HUP"] {
        let seen = in_a_terminal(zoo.namespace(), "xterm", "-ac=0.1", signal);
        let (before, rest) = seen.split_once("\u{1b}[?1049h\u{1b}[?25l").expect("it takes the other screen");
        assert!(before.contains("BEFORE"), "{seen:?}");
        let (drawn, after) = rest.split_once("\u{1b}[?25h\u{1b}[?1049l").expect("it gives the screen back");
        assert!(after.contains("AFTER") && !after.contains('\u{1b}'), "{signal}: {after:?}");
        assert!(drawn.contains("more lines: a filter or --limit shows fewer"), "{drawn:?}");
        assert!(drawn.matches("\u{1b}[H").count() >= 2 && drawn.contains("Ctrl-C ends"), "{drawn:?}");
    }
    let seen = in_a_terminal(zoo.namespace(), "xterm", "-c=0.1 --count-by state", "INT");
    assert!(seen.contains("\u{1b}[?1049h") && seen.contains("\u{1b}[?1049l"), "{seen:?}");
    let seen = in_a_terminal(zoo.namespace(), "dumb", "-ac=0.1", "INT");
    assert!(!seen.contains('\u{1b}'), "a terminal that can't redraw gets one list after another: {seen:?}");
}
