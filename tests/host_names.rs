//! `-r`: names from /etc/hosts, and a name server that never answers.

use std::net::{TcpListener, UdpSocket};
use std::time::{Duration, Instant};

use crate::support::run::{PROGRAM, command, finish, without_threads};
use crate::support::{has, namespace};

#[test]
fn the_names_of_addresses() {
    let Some(namespace) = namespace() else { return };
    let hosts = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
    let local = hosts.lines().find_map(|line| {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        (words.next() == Some("127.0.0.1")).then(|| words.next()).flatten()
    });
    let Some(local) = local else {
        return crate::support::skip("/etc/hosts has no name for 127.0.0.1");
    };
    let _listener = namespace.inside(|| TcpListener::bind("127.0.0.1:4040").expect("it can listen"));
    for (format, shown) in [
        ("plain", format!(" {local}:4040 ")),
        ("netstat", format!(" {local}:4040 ")),
        ("ss", format!(" {local}:4040 ")),
        ("table", format!(" {local}:4040")),
        ("csv", format!(",{local},\n")),
        ("json", format!(r#""local_host":"{local}","peer_host":null"#)),
    ] {
        let text = namespace.tcpstates(&["-natr", "-f", format]);
        assert!(text.contains(&shown), "{format}: {text}");
        assert!(!namespace.tcpstates(&["-nat", "-f", format]).contains(local), "{format}: not asked for");
    }
}

#[test]
fn where_no_thread_can_be_had_the_reason_is_told() {
    let Some(namespace) = namespace() else { return };
    let Some((_folder, mut list)) = without_threads() else { return };
    let _listener = namespace.inside(|| TcpListener::bind("127.0.0.1:4040").expect("it can listen"));
    list.args(["-natrH", "--resolve-timeout", "60"]);
    let begun = Instant::now();
    let (stdout, stderr) = namespace.inside(|| finish(list)).noted();
    assert!(begun.elapsed() < Duration::from_secs(30), "nobody asks, so nobody waits: {:?}", begun.elapsed());
    assert!(stdout.contains(" 127.0.0.1:4040 "), "{stdout}");
    let told = "tcpstates: the name of 1 address could not be looked up: start a thread: Resource temporarily unavailable";
    assert!(stderr.starts_with(told) && !stderr.contains("--resolve-timeout"), "{stderr}");
}

#[test]
fn no_name_server_is_waited_for_beyond_the_deadline() {
    let Some(namespace) = namespace() else { return };
    if !has("unshare") {
        return;
    }
    // One server for all, that takes questions and never answers; and more addresses than are asked for at once.
    let _server = namespace.inside(|| UdpSocket::bind("127.0.0.1:53").expect("it can be bound"));
    let _listeners: Vec<_> = namespace.inside(|| {
        (1..=80)
            .map(|last| TcpListener::bind(format!("127.99.0.{last}:4040")).expect("it can listen"))
            .collect()
    });
    let servers = tempfile::NamedTempFile::new().expect("a file can be had");
    std::fs::write(servers.path(), "nameserver 127.0.0.1\n").expect("it is ours");
    let asking = |options: &str| {
        let script = format!("mount --bind \"$1\" /etc/resolv.conf && exec \"$0\" -natrH {options}");
        let mut unshare = command("unshare");
        unshare.args(["-m", "sh", "-c", &script, PROGRAM]).arg(servers.path());
        unshare
    };
    let begun = Instant::now();
    let (stdout, stderr) = namespace.inside(|| finish(asking("--resolve-timeout 0.3"))).noted();
    // One question alone would take longer.
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    assert_eq!(stdout.lines().filter(|line| line.contains(" 127.99.0.")).count(), 80);
    assert!(
        stderr.starts_with("tcpstates: the names of 80 addresses did not come in time\nhint: "),
        "{stderr}"
    );

    // List after list, no more look-ups than that go on side by side.
    let quietly = |options: &str| {
        let mut asking = asking(options);
        asking.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        namespace.inside(|| asking.spawn().expect("it runs"))
    };
    let mut child = quietly("-c=0.01 --resolve-timeout 0.01");
    std::thread::sleep(Duration::from_millis(500));
    let threads = std::fs::read_dir(format!("/proc/{}/task", child.id())).expect("it runs").count();
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    assert!((2..=33).contains(&threads), "{threads} threads");

    // A signal is not kept waiting.
    let mut child = quietly("-c=0.01 --resolve-timeout 600");
    std::thread::sleep(Duration::from_millis(500));
    assert!(child.try_wait().expect("it can be asked").is_none(), "it waits for names");
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT)
        .expect("it is ours");
    let begun = Instant::now();
    assert!(child.wait().expect("it ends").success());
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}
