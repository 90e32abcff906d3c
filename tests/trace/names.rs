//! Which process was running: processes that have ended before the line is printed, or are hidden.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Stdio};

use super::harness::{LOCALHOST, Trace, listener, own_port, port_of, started};
use crate::support::run::{PROGRAM, command};
use crate::support::{has, namespace};

/// A script that has printed that it is ready, and waits for a line before it goes on.
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
        let change = trace.next().expect("it goes on");
        if change["old"] == old && change["new"] == new {
            return change;
        }
    }
}

/// One line of connections to this listener.
fn trace_one(listener: &TcpListener) -> Option<Trace> {
    Trace::by_tracepoints(&["--count", "1", &format!("dport = {}", port_of(listener))])
}

#[test]
fn a_process_that_was_there_before_and_ends_has_its_name() {
    if !has("bash") {
        return;
    }
    let Some(namespace) = namespace() else { return };
    namespace.inside(|| {
        let listener = listener(LOCALHOST);
        let child = waiting(&format!("exec 3<>/dev/tcp/127.0.0.1/{}; echo; read", port_of(&listener)));
        let pid = child.id();
        let Some(mut trace) = trace_one(&listener) else { return finish(child) };
        finish(child);
        let change = next(&mut trace, "ESTABLISHED", "FIN_WAIT1");
        assert_eq!((&change["pid"], &change["name"]), (&pid.into(), &"bash".into()));
        assert_eq!(trace.status(), Some(0));
    });
}

#[test]
fn a_child_of_a_process_that_was_there_before_has_its_name() {
    if !has("bash") {
        return;
    }
    let Some(namespace) = namespace() else { return };
    namespace.inside(|| {
        let listener = listener(LOCALHOST);
        let connects = format!("exec 3<>/dev/tcp/127.0.0.1/{}", port_of(&listener));
        let child = waiting(&format!("echo; read; ({connects}); true"));
        let pid = child.id();
        let Some(mut trace) = trace_one(&listener) else { return finish(child) };
        finish(child);
        let change = next(&mut trace, "CLOSED", "SYN_SENT");
        assert_eq!(change["name"], "bash");
        assert_ne!(change["pid"], pid, "it was not the shell itself");
        assert_eq!(trace.status(), Some(0));
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
        let port = own_port();
        let filter = format!("sport = {port}");
        apart.args(["trace", "--ndjson", "--by", "tracepoint", "--count", "1", &filter]);
        let Some(mut trace) = started(apart).or_skip() else { return };
        let _listener = TcpListener::bind((LOCALHOST, port)).expect("the port is free");
        let change = next(&mut trace, "CLOSED", "LISTEN");
        assert!(change["pid"].is_null(), "{change}");
        assert_ne!(change["name"], serde_json::Value::Null, "{change}");
        assert_eq!(trace.status(), Some(0));
    });
}
