//! Who was on the processor: processes that are gone by the time that a line is told, or can't be seen.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Stdio};

use super::{LOCALHOST, SEEN_EVERYWHERE, Trace, start, started, status_of};
use crate::support::run::{PROGRAM, command};
use crate::support::{has, namespace, or_skip};

/// A script that has said that it is ready, and reads a line before it goes on.
fn waiting(script: &str) -> Child {
    let mut bash = command("bash");
    bash.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = bash.spawn().expect("it can be started");
    let mut ready = String::new();
    let stdout = child.stdout.take().expect("it was piped");
    BufReader::new(stdout).read_line(&mut ready).expect("it says that it is ready");
    child
}

/// It goes on to its end, and nothing is left of it.
fn finish(mut child: Child) {
    drop(child.stdin.take());
    child.wait().expect("it ends");
}

/// The next transition from one state to the other.
fn next(trace: &mut Trace, old: &str, new: &str) -> serde_json::Value {
    loop {
        let mut line = String::new();
        assert_ne!(trace.stdout.read_line(&mut line).expect("it can be read"), 0, "it ended");
        let change: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        if change["old"] == old && change["new"] == new {
            return change;
        }
    }
}

/// By tracepoints, one line of this port.
fn trace_one(filter: &str) -> Option<Trace> {
    let trace = start(&["--by", "tracepoint", "--count", "1", filter]);
    if trace.said.trim_end() == SEEN_EVERYWHERE { Some(trace) } else { or_skip(Err(trace.said)) }
}

#[test]
fn a_process_that_was_there_before_and_ends_has_its_name() {
    if !has("bash") {
        return;
    }
    let Some(namespace) = namespace() else { return };
    namespace.inside(|| {
        let _listener = TcpListener::bind((LOCALHOST, 4132)).expect("the port is free");
        let child = waiting("exec 3<>/dev/tcp/127.0.0.1/4132; echo; read");
        let pid = child.id();
        let Some(mut trace) = trace_one("dport = 4132") else { return finish(child) };
        finish(child);
        let change = next(&mut trace, "ESTABLISHED", "FIN_WAIT1");
        assert_eq!((&change["pid"], &change["name"]), (&pid.into(), &"bash".into()));
        assert_eq!(status_of(trace.child), Some(0));
    });
}

#[test]
fn a_child_of_a_process_that_was_there_before_has_its_name() {
    if !has("bash") {
        return;
    }
    let Some(namespace) = namespace() else { return };
    namespace.inside(|| {
        let _listener = TcpListener::bind((LOCALHOST, 4133)).expect("the port is free");
        let child = waiting("echo; read; (exec 3<>/dev/tcp/127.0.0.1/4133); true");
        let pid = child.id();
        let Some(mut trace) = trace_one("dport = 4133") else { return finish(child) };
        finish(child);
        let change = next(&mut trace, "CLOSED", "SYN_SENT");
        assert_eq!(change["name"], "bash");
        assert_ne!(change["pid"], pid, "it was not the shell itself");
        assert_eq!(status_of(trace.child), Some(0));
    });
}

#[test]
fn a_process_of_another_pid_namespace_is_nobody_that_is_known() {
    if !has("unshare") {
        return;
    }
    let Some(namespace) = namespace() else { return };
    namespace.inside(|| {
        let mut apart = command("unshare");
        apart.args(["-p", "-f", "--kill-child", "--mount-proc", PROGRAM]);
        apart.args(["trace", "--ndjson", "--by", "tracepoint", "--count", "1", "sport = 4134"]);
        let mut trace = started(apart);
        if trace.said.trim_end() != SEEN_EVERYWHERE {
            or_skip::<()>(Err(trace.said));
            return;
        }
        let _listener = TcpListener::bind((LOCALHOST, 4134)).expect("the port is free");
        let change = next(&mut trace, "CLOSED", "LISTEN");
        assert!(change["pid"].is_null() && change["name"].is_null(), "{change}");
        assert_eq!(status_of(trace.child), Some(0));
    });
}
