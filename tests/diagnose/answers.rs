//! The answer apart from findings: that there are none, its limits, the exit status.

use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::{Document, document, gist, listener, local, pair};
use crate::support::run::{
    PROGRAM, command, finish, program_for_everybody, tcpstates, tcpstates_at_all_signals,
};
use crate::support::{has, namespace};

#[test]
fn a_quiet_host_has_nothing_and_one_line_says_what_was_checked() {
    let Some(namespace) = namespace() else { return };
    let held = namespace.inside(|| {
        let listener = listener(local(80), 16);
        let pairs = [pair(&listener), pair(&listener)];
        drop(pair(&listener));
        (listener, pairs)
    });
    let document = document(&namespace, &[]);
    assert_eq!(gist(&document), []);
    assert_eq!((document.source.as_str(), document.rules.len(), document.interval_s), ("netlink", 13, None));
    assert!(document.sockets >= 5, "{}", document.sockets);
    assert!(document.settings.contains_key("net.ipv4.tcp_fin_timeout"));
    assert_eq!(document.unseen.iter().filter(|what| what.contains("tcp_mem")).count(), 1, "said once");
    let text = namespace.run(&["diagnose"]).done();
    let first = text.lines().next().unwrap_or_default();
    assert!(first.starts_with("Nothing wrong: 13 rules over ") && first.len() <= 80, "{first}");
    drop(held);
}

#[test]
fn what_others_hold_is_said_to_be_unseen() {
    let Some(namespace) = namespace() else { return };
    if !has("setpriv") {
        return;
    }
    let (_listener, _server) = namespace.inside(|| {
        let listener = listener(local(80), 16);
        let (client, server) = pair(&listener);
        drop(client);
        (listener, server)
    });
    let (_folder, program) = program_for_everybody();
    let mut setpriv = command("setpriv");
    setpriv.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
    setpriv.args(["diagnose", "--json", "--close-wait-age", "0"]);
    let (json, stderr) = namespace.inside(|| finish(setpriv)).noted();
    let document: Document = serde_json::from_str(&json).unwrap();
    assert_eq!(gist(&document), [("close-wait", "note")]);
    assert!(document.findings[0].first("processes", "pid").is_null());
    let unseen = |part: &str| document.unseen.iter().any(|what| what.contains(part));
    assert!(
        unseen("permission denied") && unseen("the process is unknown for 2 sockets"),
        "{:?}",
        document.unseen
    );
    assert_eq!(document.warnings.len(), 1, "{:?}", document.warnings);
    assert!(stderr.contains("permission denied"), "{stderr}");
}

#[test]
fn what_proc_does_not_tell_is_said() {
    let Some(namespace) = namespace() else { return };
    let (_listener, _pair) = namespace.inside(|| {
        let listener = listener(local(80), 16);
        let pair = pair(&listener);
        (listener, pair)
    });
    let document = document(&namespace, &["--source", "procfs"]);
    assert_eq!((gist(&document), document.source.as_str()), (vec![], "procfs"));
    for part in [
        "tcp_info is unknown for 2 connections;",
        "the backlog is unknown for 1 listener;",
        "/proc does not have",
    ] {
        assert!(document.unseen.iter().any(|what| what.contains(part)), "{part}: {:?}", document.unseen);
    }
}

#[test]
fn the_status_is_an_answer_where_that_is_asked_for() {
    let Some(namespace) = namespace() else { return };
    let (_listener, _server) = namespace.inside(|| {
        let listener = listener(local(80), 16);
        let (client, server) = pair(&listener);
        drop(client);
        (listener, server)
    });
    let status = |more: &[&str]| {
        let mut command = tcpstates(&[&["diagnose", "--close-wait-age", "0"], more].concat());
        namespace.inside(|| command.stdout(Stdio::null()).stderr(Stdio::null()).status()).unwrap().code()
    };
    assert_eq!(status(&[]), Some(0));
    assert_eq!(status(&["--fail-on", "warning"]), Some(0), "it is a note");
    let warning = ["--close-wait-count", "1", "--fail-on"];
    assert_eq!(status(&[&warning[..], &["warning"]].concat()), Some(1));
    assert_eq!(status(&[&warning[..], &["critical"]].concat()), Some(0));
    assert_eq!(status(&["--fail-on", "note"]), Some(2));
    // A reader that has left takes nothing from the answer.
    let mut command = tcpstates(
        &[&["diagnose", "--interval", "0.3", "--close-wait-age", "0"], &warning[..], &["warning"]].concat(),
    );
    let mut left = namespace.inside(|| command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()).unwrap();
    drop(left.stdout.take());
    assert_eq!(left.wait().unwrap().code(), Some(1));
}

#[test]
fn what_could_not_be_asked_ends_in_3() {
    let Some(namespace) = namespace() else { return };
    if !has("strace") {
        return;
    }
    let mut strace = command("strace");
    strace.args([
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        "trace=socket",
        "-e",
        "inject=socket:error=EPERM",
        PROGRAM,
    ]);
    strace.args(["diagnose", "--source", "netlink"]);
    let stderr = namespace.inside(|| finish(strace)).failed(3);
    assert!(stderr.contains("Operation not permitted"), "{stderr}");
}

#[test]
fn an_interrupt_ends_the_interval() {
    let Some(namespace) = namespace() else { return };
    let mut command = tcpstates_at_all_signals(&["diagnose", "--interval", "600"]);
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let running = namespace.inside(|| command.spawn()).unwrap();
    let pid = Pid::from_child(&running);
    sleep(Duration::from_millis(300));
    kill_process(pid, Signal::INT).expect("it runs");
    let output = running.wait_with_output().unwrap();
    assert_eq!((output.status.signal(), output.stdout, output.stderr), (Some(libc::SIGINT), vec![], vec![]));
}

#[test]
fn each_threshold_has_its_flag_and_is_checked() {
    let help = finish(tcpstates(&["diagnose", "--help"])).quiet();
    for threshold in tcpstates::internals::diagnose::Threshold::ALL {
        assert!(help.contains(&format!("--{} <", threshold.flag())), "{}", threshold.flag());
    }
    for bad in [
        &["--queue-percent", "101"][..],
        &["--limit-percent", "0"],
        &["--close-wait-count", "0"],
        &["--stall-age", "-1"],
        &["--interval", "0"],
        &["--format", "csv"],
        &["-4"],
        &["--proc-root", "/proc"],
        &["extra"],
    ] {
        let stderr = finish(tcpstates(&[&["diagnose"], bad].concat())).failed(2);
        assert!(stderr.starts_with("tcpstates: "), "{bad:?}: {stderr}");
    }
    finish(tcpstates(&["-a", "diagnose"])).failed(2);
}
