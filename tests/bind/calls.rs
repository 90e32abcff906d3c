//! The system calls that it makes, and what it says when they fail, by strace on the real program.

use super::holders::{Kind, hold};
use crate::support::namespace::Namespace;
use crate::support::run::{Finished, finish};
use crate::support::{has, namespace, run};

/// The program under strace: its calls on the network, and how it ended.
fn traced(namespace: &Namespace, options: &[&str], args: &[&str]) -> (String, Finished) {
    let log = tempfile::NamedTempFile::new().expect("a file can be had");
    let mut strace = run::command("strace");
    strace.args(["-f", "-qq", "-yy", "-e", "trace=%network", "-o"]).arg(log.path());
    strace.args(options).arg(run::PROGRAM).args(args);
    let finished = namespace.inside(|| finish(strace));
    (std::fs::read_to_string(log.path()).expect("strace wrote it"), finished)
}

#[test]
fn it_never_listens_connects_or_sends() {
    let Some(namespace) = namespace() else { return };
    if !has("strace") {
        return;
    }
    let _held = namespace.inside(|| hold(Kind::Wildcard, 24_000, false));
    let (log, finished) = traced(&namespace, &[], &["bind", "24000"]);
    assert_eq!(finished.status, Some(1), "{}", finished.stderr);
    let of_tcp: Vec<_> = log.lines().filter(|line| line.contains("<TCP")).collect();
    assert_eq!(of_tcp.iter().filter(|line| line.contains("bind(")).count(), 3, "{log}");
    for line in of_tcp {
        let call =
            line.split_once(' ').map_or(line, |(_, call)| call).trim_start().split('(').next().unwrap();
        assert!(matches!(call, "socket" | "setsockopt" | "bind"), "{line}");
    }
    // What is sent goes to the kernel.
    for line in
        log.lines().filter(|line| ["send", "connect(", "listen("].iter().any(|call| line.contains(call)))
    {
        assert!(line.contains("<NETLINK:") || line.contains("AF_UNIX"), "{line}");
    }
}

#[test]
fn a_free_port_is_held_once_for_each_family() {
    let Some(namespace) = namespace() else { return };
    if !has("strace") {
        return;
    }
    let (log, finished) = traced(&namespace, &[], &["bind", "24001"]);
    assert_eq!(finished.status, Some(0), "{}", finished.stderr);
    let calls: Vec<_> = log.lines().filter(|line| line.contains("<TCP") && line.contains("bind(")).collect();
    assert_eq!(calls.len(), 2, "{log}");
}

/// Each holds the port for a moment, in which the other finds it in use.
#[test]
fn two_that_run_at_once_do_not_tell_of_each_other() {
    let Some(namespace) = namespace() else { return };
    let statuses = || {
        let once = |_| finish(run::tcpstates(&["bind", "24002"])).status;
        namespace.inside(|| (0..150).map(once).filter(|status| *status != Some(0)).collect::<Vec<_>>())
    };
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(statuses)).collect();
        for run in runs {
            assert_eq!(run.join().expect("it ends well"), [], "nobody else wants the port");
        }
    });
}

#[test]
fn a_host_without_ipv6_is_asked_for_ipv4_alone() {
    let Some(namespace) = namespace() else { return };
    if !has("strace") {
        return;
    }
    let without = |call: &str, args: &[&str]| {
        let fault = format!("inject=socket:error=EAFNOSUPPORT:when={call}");
        let (log, finished) = traced(&namespace, &["-e", &fault], args);
        assert!(log.contains("(INJECTED)"), "{log}");
        finished
    };
    // The first try is IPv4's.
    let finished = without("2", &["bind", "25000"]);
    assert_eq!(finished.status, Some(0), "{}", finished.stderr);
    assert!(finished.stdout.contains("This host has no IPv6: only IPv4 counts."), "{}", finished.stdout);
    let finished = without("1", &["bind", "-6", "25000"]);
    assert_eq!(finished.status, Some(1), "{}", finished.stderr);
    assert!(finished.stdout.contains("This host has no IPv6."), "{}", finished.stdout);
}

#[test]
fn a_rule_that_forbids_it_is_told_from_a_lacking_privilege() {
    let Some(namespace) = namespace() else { return };
    if !has("strace") {
        return;
    }
    for (errno, message) in [("EPERM", "operation not permitted"), ("EACCES", "permission denied")] {
        let fault = format!("inject=bind:error={errno}:when=1..2");
        let (log, finished) = traced(&namespace, &["-e", &fault], &["bind", "25001"]);
        assert_eq!(log.matches("(INJECTED)").count(), 2, "{log}");
        assert_eq!(finished.status, Some(1), "{}", finished.stderr);
        let text = finished.stdout;
        assert!(text.starts_with(&format!("Port 25001 can't be bound: {message}.\n")), "{text}");
        assert!(text.contains("Look for a rule that forbids it"), "{text}");
    }
}

#[test]
fn what_can_not_be_asked_ends_with_3() {
    let Some(namespace) = namespace() else { return };
    if has("strace") {
        let (_, finished) =
            traced(&namespace, &["-e", "inject=socket:error=EMFILE:when=2"], &["bind", "25000"]);
        let stderr = finished.failed(3);
        assert_eq!(stderr, "tcpstates: ask the kernel: open a socket: Too many open files (os error 24)\n");
    }
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("it is there");
    let mut command = run::tcpstates(&["bind", "25000"]);
    command.stdout(full);
    let stderr = namespace.inside(|| finish(command)).failed(3);
    assert_eq!(stderr, "tcpstates: write the output: No space left on device (os error 28)\n");
}
