//! `demo`: each scene goes through exactly the states that it should, at both ends.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::run::{
    Finished, PROGRAM, command, finish, program_for_everybody, tcpstates, without_threads,
};
use crate::support::{has, namespace};

/// The changes that the scene prints for an end, each as `OLD -> NEW`.
fn changes(text: &str, end: &str) -> Vec<String> {
    let of_line = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        (words.first() == Some(&end) && words.get(2) == Some(&"->")).then(|| words[1..4].join(" "))
    };
    text.lines().filter_map(of_line).collect()
}

/// The segments between the ends.
fn segments(text: &str) -> Vec<String> {
    let sent = |line: &str| {
        let named = |word: &&str| word.contains("ACK") || word.contains("SYN");
        line.contains("--").then(|| line.split([' ', '<', '>', '-']).find(named).map(str::to_owned)).flatten()
    };
    text.lines().filter_map(sent).collect()
}

fn path(states: &str) -> Vec<String> {
    let states: Vec<_> = states.split(' ').collect();
    states.windows(2).map(|pair| pair.join(" -> ")).collect()
}

fn played(scene: &str) -> Finished {
    finish(tcpstates(&["demo", scene]))
}

/// Whether there may be namespaces here at all.
fn has_stage() -> bool {
    namespace().is_some()
}

#[test]
fn every_scene_takes_its_path() {
    if !has_stage() {
        return;
    }
    let opened = "CLOSED SYN_SENT ESTABLISHED";
    let accepted = "CLOSED LISTEN SYN_RECV ESTABLISHED";
    std::thread::scope(|scope| {
        for (scene, client, server, expected) in [
            ("handshake", opened.to_owned(), accepted.to_owned(), &["SYN", "SYN+ACK", "ACK"][..]),
            (
                "close",
                format!("{opened} FIN_WAIT1 FIN_WAIT2 TIME_WAIT"),
                format!("{accepted} CLOSE_WAIT LAST_ACK CLOSED"),
                &["SYN", "SYN+ACK", "ACK", "FIN+ACK", "ACK", "FIN+ACK", "ACK"],
            ),
            (
                "simultaneous-close",
                format!("{opened} FIN_WAIT1 CLOSING TIME_WAIT"),
                format!("{accepted} FIN_WAIT1 CLOSING TIME_WAIT"),
                &["SYN", "SYN+ACK", "ACK", "FIN+ACK", "FIN+ACK", "ACK", "ACK"],
            ),
            (
                "close-wait",
                format!("{opened} FIN_WAIT1 FIN_WAIT2"),
                format!("{accepted} CLOSE_WAIT"),
                &["SYN", "SYN+ACK", "ACK", "FIN+ACK", "ACK"],
            ),
            (
                "time-wait",
                format!("{opened} CLOSE_WAIT LAST_ACK CLOSED"),
                format!("{accepted} FIN_WAIT1 FIN_WAIT2 TIME_WAIT"),
                &["SYN", "SYN+ACK", "ACK", "FIN+ACK", "ACK", "FIN+ACK", "ACK"],
            ),
            ("refused", "CLOSED SYN_SENT CLOSED".to_owned(), "CLOSED".to_owned(), &["SYN", "RST+ACK"]),
            ("syn-timeout", "CLOSED SYN_SENT CLOSED".to_owned(), "CLOSED".to_owned(), &["SYN", "SYN", "SYN"]),
        ] {
            scope.spawn(move || {
                let text = played(scene).quiet();
                assert_eq!(changes(&text, "client"), path(&client), "{scene}: {text}");
                assert_eq!(changes(&text, "server"), path(&server), "{scene}: {text}");
                assert_eq!(segments(&text), expected, "{scene}: {text}");
                assert!(text.lines().all(|line| line.len() <= 80), "{text}");
            });
        }
    });
}

#[test]
fn the_scenes_end_as_people_know_them() {
    if !has_stage() {
        return;
    }
    let play = |scene: &str, words: &[&str]| {
        let text = played(scene).quiet();
        for word in words {
            assert!(text.contains(word), "{scene}: {text}");
        }
    };
    play("time-wait", &["bind(): EADDRINUSE\n", "SO_REUSEADDR, bind()\n"]);
    play("refused", &["connect(): ECONNREFUSED\n", "RST received: the connection was refused"]);
    play("syn-timeout", &["(lost)", "connect(): ETIMEDOUT\n", "no answer to any SYN: timed out"]);
    // Without a word: the whole life of a connection.
    let whole = finish(tcpstates(&["demo"])).quiet();
    assert_eq!(changes(&whole, "client"), changes(&played("close").quiet(), "client"));
}

#[test]
fn a_wire_that_was_slow_changes_no_scene() {
    if !has_stage() {
        return;
    }
    let mut demo = tcpstates(&["demo", "close"]);
    let mut child = demo.stdout(Stdio::piped()).spawn().expect("it runs");
    let pid = Pid::from_child(&child);
    let mut stdout = BufReader::new(child.stdout.take().expect("it is a pipe"));
    let mut text = String::new();
    while !text.contains("FIN+ACK") {
        assert_ne!(stdout.read_line(&mut text).expect("it can be read"), 0, "{text}");
    }
    // Meanwhile the client sends its FIN again.
    kill_process(pid, Signal::STOP).expect("it runs");
    std::thread::sleep(Duration::from_secs(1));
    kill_process(pid, Signal::CONT).expect("it was stopped");
    stdout.read_to_string(&mut text).expect("it can be read");
    assert!(child.wait().expect("it ends").success());
    let whole = played("close").quiet();
    assert_eq!(changes(&text, "client"), changes(&whole, "client"), "{text}");
    assert_eq!(segments(&text), segments(&whole), "{text}");
}

#[test]
fn each_step_waits_for_enter_and_the_end_of_input_for_nobody() {
    if !has_stage() {
        return;
    }
    let whole = finish(tcpstates(&["demo", "handshake", "--step"])).quiet();
    assert_eq!(changes(&whole, "server"), path("CLOSED LISTEN SYN_RECV ESTABLISHED"));
    let mut waiting = tcpstates(&["demo", "handshake", "--step"]);
    let mut child = waiting.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it runs");
    let mut input = child.stdin.take().expect("it is a pipe");
    input.write_all(b"\n\n").expect("it takes them");
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert!(child.try_wait().expect("it can be asked").is_none(), "it waits for the third");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success());
    assert_eq!(changes(&String::from_utf8_lossy(&output.stdout), "server").len(), 3);
}

#[test]
fn a_step_is_shown_before_the_scene_is_over() {
    if !has_stage() {
        return;
    }
    let mut stepped = tcpstates(&["demo", "syn-timeout", "--step"]);
    let mut child = stepped.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it runs");
    let mut shown = BufReader::new(child.stdout.take().expect("it is a pipe"));
    let mut line = String::new();
    shown.read_line(&mut line).expect("it can be read");
    let first = Instant::now();
    assert!(line.contains("CLIENT"), "{line}");
    drop(child.stdin.take());
    std::io::copy(&mut shown, &mut std::io::sink()).expect("it can be read");
    assert!(child.wait().expect("it ends").success());
    // The kernel takes seven seconds to give up, and no less.
    assert!(first.elapsed() > Duration::from_secs(4), "it was played before");
}

#[test]
fn input_that_can_not_be_read_is_named() {
    if !has_stage() {
        return;
    }
    let mut stepped = tcpstates(&["demo", "handshake", "--step"]);
    stepped.stdin(File::open("/").expect("it is there"));
    let Finished { status, stderr, .. } = finish(stepped);
    assert_eq!((status, &*stderr), (Some(1), "tcpstates: wait for Enter: Is a directory (os error 21)\n"));
}

#[test]
fn where_there_may_be_no_more_namespaces_it_says_what_limits_them() {
    if !has_stage() || !has("unshare") {
        return;
    }
    let mut limited = command("unshare");
    limited.args([
        "-Ur",
        "sh",
        "-c",
        "echo 0 > /proc/sys/user/max_net_namespaces && exec \"$0\" demo",
        PROGRAM,
    ]);
    let told = finish(limited);
    if told.stderr.starts_with("unshare:") || told.stderr.starts_with("sh:") {
        return crate::support::skip(&told.stderr);
    }
    let told = told.failed(1);
    assert!(told.starts_with("tcpstates: set the scene: unshare: No space left on device"), "{told}");
    assert!(told.contains("\nhint: user.max_net_namespaces and user.max_user_namespaces say"), "{told}");
}

/// The program as a user without any privilege.
fn as_nobody() -> Command {
    let mut setpriv = command("setpriv");
    setpriv.args([
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "--inh-caps=-all",
        "--bounding-set=-all",
    ]);
    setpriv
}

#[test]
fn where_no_stage_can_be_had_it_says_so() {
    if !has_stage() || !has("setpriv") {
        return;
    }
    let (_folder, program) = program_for_everybody();
    let mut setpriv = as_nobody();
    let finished = finish({
        setpriv.arg(program).args(["demo", "handshake"]);
        setpriv
    });
    // If everybody may open the device, a user namespace is enough.
    if finished.stdout.contains("SYN_RECV") {
        return drop(finished.quiet());
    }
    assert!(finished.stderr.contains("tcpstates: set the scene: "), "{}", finished.stderr);
    assert!(finished.stderr.contains("\nhint: run it as root"), "{}", finished.stderr);
}

/// A user namespace needs a process of one thread, and the thread that tried without one may not be quite gone.
#[test]
fn a_thread_on_its_way_out_is_waited_for() {
    if !has_stage() || !has("setpriv") || !has("strace") {
        return;
    }
    let (_folder, program) = program_for_everybody();
    let mut setpriv = as_nobody();
    // The limit applies to the first thread only, which calls nothing else.
    setpriv.args(["strace", "-e", "trace=unshare", "-e", "inject=unshare:error=EINVAL:when=1..3"]);
    setpriv.arg(program).args(["demo", "handshake"]);
    let stderr = finish(setpriv).stderr;
    assert_eq!(stderr.matches("(INJECTED)").count(), 3, "{stderr}");
    assert!(!stderr.contains("a user namespace: Invalid argument"), "{stderr}");
}

#[test]
fn where_no_thread_can_be_had_it_says_so() {
    let Some(without_threads) = without_threads() else { return };
    let (_folder, mut demo) = without_threads;
    demo.args(["demo", "refused"]);
    let told = finish(demo).failed(1);
    assert!(
        told.starts_with("tcpstates: set the scene: start a thread: Resource temporarily unavailable"),
        "{told}"
    );
    assert!(told.contains("\nhint: the limits on processes "), "{told}");
}

#[test]
fn words_that_make_no_sense() {
    for (words, told) in [
        (&["demo", "teardown"][..], "invalid value 'teardown' for SCENE: expected one of handshake, "),
        (&["demo", "--json"], "'--json' is not an option of tcpstates demo"),
        (&["demo", "--format", "csv"], "'--format' is not an option of tcpstates demo"),
        (&["demo", "-6"], "'-6' is not an option of tcpstates demo\nhint: see tcpstates demo --help"),
        (&["demo", "close", "close"], "'close' is an unexpected argument"),
    ] {
        let stderr = finish(tcpstates(words)).failed(2);
        assert!(stderr.contains(told), "{words:?}: {stderr}");
    }
}
