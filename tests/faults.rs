//! System calls that fail, by strace's injection into the real program.

use std::fs;

use crate::support::namespace::Namespace;
use crate::support::run::{Finished, PROGRAM, command, finish};
use crate::support::{has, namespace, zoo};

/// The program with faults injected, of which each must have come to pass.
#[track_caller]
fn with_faults(namespace: &Namespace, faults: &[&str], args: &[&str]) -> Finished {
    let log = tempfile::NamedTempFile::new().expect("a file can be had");
    let mut strace = command("strace");
    strace.args(["-f", "-qq", "-e", "trace=socket,sendto,recvfrom", "-o"]).arg(log.path());
    for fault in faults {
        strace.args(["-e", &format!("inject={fault}")]);
    }
    strace.arg(PROGRAM).args(args);
    let finished = namespace.inside(|| finish(strace));
    let log = fs::read_to_string(log.path()).expect("strace wrote it");
    for fault in faults {
        let call = fault.split(':').next().unwrap_or_default();
        let came = |line: &str| line.contains(&format!("{call}(")) && line.contains("(INJECTED)");
        assert!(log.lines().any(came), "{fault} never came: {log}");
    }
    finished
}

#[test]
fn without_netlink_proc_is_read_and_said_so_once() {
    let Some(zoo) = zoo() else { return };
    if !has("strace") {
        return;
    }
    let procfs = zoo.namespace().tcpstates(&["-nat", "--source", "procfs"]);
    for (call, errno, reason) in [
        ("socket", "EPERM", "Operation not permitted"),
        ("socket", "EACCES", "Permission denied"),
        ("socket", "EPROTONOSUPPORT", "Protocol not supported"),
        ("socket", "EAFNOSUPPORT", "Address family not supported by protocol"),
        ("socket", "EOPNOTSUPP", "Operation not supported"),
        ("socket", "ENOENT", "No such file or directory"),
        ("sendto", "ECONNREFUSED", "Connection refused"),
        ("sendto", "EINVAL", "Invalid argument"),
        ("recvfrom", "ECONNREFUSED", "Connection refused"),
        ("recvfrom", "EIO", "Input/output error"),
    ] {
        let fault = format!("{call}:error={errno}");
        let (stdout, stderr) = with_faults(zoo.namespace(), &[&fault], &["-nat"]).noted();
        assert_eq!(stdout, procfs);
        assert_eq!(stderr.lines().count(), 2, "{stderr}");
        assert!(stderr.contains(reason) && stderr.contains("\nhint: --source "), "{stderr}");

        let (json, _) = with_faults(zoo.namespace(), &[&fault], &["--json", "-s"]).noted();
        let document: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(document["source"], "procfs");
        let warnings = document["warnings"].to_string();
        assert!(warnings.contains(reason), "{warnings}");

        let stderr = with_faults(zoo.namespace(), &[&fault], &["-nat", "--source", "netlink"]).failed(1);
        assert!(stderr.starts_with("tcpstates: netlink: "), "{stderr}");
        assert_eq!(stderr.matches(reason).count(), 1, "{stderr}");
        assert!(
            stderr.ends_with("\nhint: --source procfs reads /proc/net/tcp and tcp6 instead\n"),
            "{stderr}"
        );
    }
    // A failure that does not mean 'unavailable' is no reason to change the source.
    let stderr = with_faults(zoo.namespace(), &["socket:error=EMFILE"], &["-nat"]).failed(1);
    assert!(stderr.contains("Too many open files"), "{stderr}");
}

#[test]
fn an_interrupted_receive_goes_on() {
    let Some(zoo) = zoo() else { return };
    if !has("strace") {
        return;
    }
    let whole = zoo.namespace().tcpstates(&["-nat"]);
    for when in ["1", "2", "1..5+2"] {
        let fault = format!("recvfrom:error=EINTR:when={when}");
        assert_eq!(with_faults(zoo.namespace(), &[&fault], &["-nat"]).quiet(), whole);
    }
}

#[test]
fn a_dump_that_lost_something_begins_again() {
    let Some(zoo) = zoo() else { return };
    if !has("strace") {
        return;
    }
    let whole = zoo.namespace().tcpstates(&["-nat"]);
    for when in ["1", "2", "1..3"] {
        let fault = format!("recvfrom:error=ENOBUFS:when={when}");
        assert_eq!(with_faults(zoo.namespace(), &[&fault], &["-nat"]).quiet(), whole, "{when}");
    }
    // Whatever is kept of the first attempt is forgotten.
    for args in
        [&["-s"][..], &["-natp"], &["-nat", "--sort", "local"], &["-nat", "--limit", "45"], &["-natf", "csv"]]
    {
        let whole = zoo.namespace().tcpstates(args);
        let again = with_faults(zoo.namespace(), &["recvfrom:error=ENOBUFS:when=2"], args).quiet();
        assert_eq!(again, whole, "{args:?}");
    }
    let json = with_faults(zoo.namespace(), &["recvfrom:error=ENOBUFS:when=2"], &["--json"]).quiet();
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(document["sockets"].as_array().map(Vec::len), Some(zoo.specimens().len()));
    let stderr = with_faults(zoo.namespace(), &["recvfrom:error=ENOBUFS"], &["-nat"]).failed(1);
    assert_eq!(
        stderr,
        "tcpstates: netlink: the dump broke off 4 times: the kernel ran out of buffer space\n\
         hint: --source procfs reads /proc/net/tcp and tcp6 instead\n"
    );
}

#[test]
fn neither_source_is_an_error_that_names_both() {
    let Some(namespace) = namespace() else { return };
    if !has("strace") || !has("unshare") {
        return;
    }
    // A mount namespace whose /proc is empty.
    let script = "mount -t tmpfs none /proc && exec strace -qq -e trace=socket -o /dev/null \
                  -e inject=socket:error=EPERM \"$0\" -nat";
    let mut unshare = command("unshare");
    unshare.args(["-m", "sh", "-c", script, PROGRAM]);
    let stderr = namespace.inside(|| finish(unshare)).failed(1);
    assert_eq!(
        stderr,
        "tcpstates: netlink: open a sock_diag socket: Operation not permitted (os error 1); and \
         /proc/thread-self/net/tcp: No such file or directory (os error 2)\n"
    );
}

/// Rows that were written stay, and so do later ones; a note says that rows are missing.
#[test]
fn a_dump_that_breaks_off_late_keeps_what_came() {
    let Some(namespace) = namespace() else { return };
    if !has("strace") {
        return;
    }
    let _listeners: Vec<_> = namespace.inside(|| {
        (20_000..23_000)
            .map(|port| std::net::TcpListener::bind(("127.0.0.1", port)).expect("it can listen"))
            .collect()
    });
    let faults = &["recvfrom:error=ENOBUFS:when=8+"];
    let (stdout, stderr) = with_faults(&namespace, faults, &["-natH"]).noted();
    let rows = stdout.lines().count();
    // Seven datagrams of some 32 KiB, at some 120 bytes a socket.
    assert!((1500..3000).contains(&rows), "{rows} rows");
    assert!(stderr.starts_with("tcpstates: the list may be incomplete: "), "{stderr}");
}

/// What is not asked for is not looked up.
#[test]
fn a_count_and_a_plain_list_open_no_process() {
    let Some(zoo) = zoo() else { return };
    if !has("strace") {
        return;
    }
    let opened = |args: &[&str]| {
        let log = tempfile::NamedTempFile::new().expect("a file can be had");
        let mut strace = command("strace");
        strace.args(["-f", "-qq", "-e", "trace=open,openat,readlink,readlinkat,statx", "-o"]).arg(log.path());
        strace.arg(PROGRAM).args(args);
        zoo.namespace().inside(|| finish(strace)).quiet();
        fs::read_to_string(log.path()).expect("strace wrote it")
    };
    for args in [&["-s"][..], &["-s", "-nap"], &["-s", "--json"], &["-nat"], &["-natoim", "--json"]] {
        let log = opened(args);
        // The start of any program reads its own maps; a look at processes begins with the folder of all.
        let processes = log.lines().any(|line| line.contains("\"/proc\"") || line.contains("/fd"));
        assert!(!processes, "{args:?}: {log}");
    }
    assert!(opened(&["-natp"]).contains("\"/proc\""));
}
