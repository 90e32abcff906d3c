//! `--columns` and `-pp`.

use std::net::TcpListener;
use std::os::fd::OwnedFd;

use crate::support::namespace;
use crate::support::run::{command, finish, tcpstates};
use crate::support::zoo;

#[test]
fn chosen_and_in_order() {
    let Some(zoo) = zoo() else { return };
    let shown = |args: &[&str]| zoo.namespace().tcpstates(args);
    let plain = shown(&["-na", "--columns", "peer-port,state,local-port", "state", "close-wait", ":8009"]);
    let words: Vec<Vec<_>> = plain.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(words, [["Peer-port", "State", "Local-port"], ["7005", "CLOSE_WAIT", "8009"]]);
    let csv = shown(&["-naf", "csv", "--columns", "local-port,recv-q,peer-address", "sport = 8100"]);
    // A listener has no bytes to read.
    assert!(csv.starts_with("local_port,recv_q,peer_address\n8100,,\n8100,0,10."), "{csv}");
    let table = shown(&["-naf", "table", "--columns", "state,local", "sport = 8009"]);
    assert_eq!(table, "State       Local\nCLOSE_WAIT  10.99.0.1:8009\n");

    // What a column needs is looked up though no option asks for it.
    let pid = std::process::id().to_string();
    let one = |columns: &str| {
        let text = shown(&["-naH", "--columns", columns, "sport = 8002"]);
        text.trim_end().to_owned()
    };
    assert_eq!(one("pid"), pid);
    assert!(one("rtt").ends_with("us") || one("rtt").ends_with("ms"), "{}", one("rtt"));
    assert!(one("command").contains("integration"), "{}", one("command"));
    assert_eq!(one("process-user"), "0");
    let named = shown(&["-aH", "--names", "--columns", "process-user", "sport = 8002"]);
    assert_eq!(named, "root\n", "by name with --names");
    assert_eq!(one("unit,container"), "-        -");
    assert_eq!(
        shown(&["-naH", "--columns", "note", "state time-wait sport = 8013"]),
        "belongs to the kernel: time-wait\n"
    );
}

#[test]
fn the_keys_of_json_can_be_chosen() {
    let Some(zoo) = zoo() else { return };
    let row = |columns: &str| {
        let text = zoo.namespace().tcpstates(&["-na", "--ndjson", "--columns", columns, "sport = 8002"]);
        serde_json::from_str::<serde_json::Value>(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    };
    let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let chosen = row("state,local,rtt,pid,retrans,program,age,direction");
    assert_eq!(
        keys(&chosen),
        ["age_ms", "direction", "local_address", "local_port", "processes", "state", "tcp_info"]
    );
    assert_eq!(keys(&chosen["tcp_info"]), ["rtt_us", "total_retrans"]);
    assert_eq!(chosen["processes"][0]["pid"], std::process::id());
    assert!(chosen["tcp_info"]["rtt_us"].is_u64() && chosen["direction"].is_string(), "{chosen}");
    assert_eq!(keys(&row("timer")), ["timer"]);
}

#[test]
fn every_column_can_be_shown() {
    let Some(zoo) = zoo() else { return };
    let help = finish(tcpstates(&["--columns", "help"])).quiet();
    let words: Vec<_> = help.lines().map(|line| line.split_whitespace().next().unwrap()).collect();
    assert!(words.len() >= 32);
    let all = words.join(",");
    let json = zoo.namespace().tcpstates(&["-na", "--json", "--columns", &all]);
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(document["sockets"].as_array().unwrap().len(), zoo.specimens().len());
    for format in ["plain", "csv", "table"] {
        let text = zoo.namespace().tcpstates(&["-naWf", format, "--columns", &all]);
        assert_eq!(text.lines().count(), zoo.specimens().len() + 1, "{format}");
    }
}

#[test]
fn what_can_not_be_chosen() {
    for (args, message) in [
        (&["--columns", "size"][..], "--columns: 'size' is not a field\nhint: --columns help lists them\n"),
        (&["--columns", "state", "-f", "ss"], "--columns: the ss layout has its own\n"),
    ] {
        assert_eq!(finish(tcpstates(args)).failed(2), format!("tcpstates: {message}"));
    }
}

#[test]
fn users_and_command_lines_of_the_holders() {
    let Some(namespace) = namespace() else { return };
    let listener = namespace.inside(|| TcpListener::bind("127.0.0.1:80").expect("it can listen"));
    let mut sleep =
        command("sleep").arg("60").stdin(OwnedFd::from(listener)).spawn().expect("sleep can be run");
    let plain = namespace.tcpstates(&["-natppH"]);
    assert!(plain.contains(&format!("{}/sleep[0] 0: sleep 60", sleep.id())), "{plain}");
    let named = namespace.tcpstates(&["-atppH", "--names"]);
    assert!(named.contains(&format!("{}/sleep[0] root: sleep 60", sleep.id())), "{named}");
    let json = namespace.tcpstates(&["-npp", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    let holder = &document["sockets"][0]["processes"][0];
    assert_eq!((holder["user"].as_str(), holder["command"].as_str()), (Some("root"), Some("sleep 60")));
    assert!(!namespace.tcpstates(&["-np", "--json"]).contains("command"));
    sleep.kill().expect("it can be killed");
    sleep.wait().expect("it ends");
}

/// A user's command line may have megabytes.
#[test]
fn a_long_command_line_is_cut_and_marked() {
    let Some(namespace) = namespace() else { return };
    let (reader, _writer) = std::io::pipe().expect("a pipe can be had");
    let listener = namespace.inside(|| TcpListener::bind("127.0.0.1:81").expect("it can listen"));
    // The command has the listener open, too, until it is dropped.
    let mut shell = {
        let mut shell = command("sh");
        shell.args(["-c", "read _", "long"]).args(std::iter::repeat_n("x".repeat(100_000), 20));
        shell.stdin(reader).stdout(OwnedFd::from(listener)).spawn().expect("there is a shell")
    };
    let json = namespace.tcpstates(&["-npp", "--json", ":81"]);
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    let command = document["sockets"][0]["processes"][0]["command"].as_str().expect("it is shown");
    assert_eq!(command.len(), 4096 + "…".len());
    assert!(command.starts_with("sh -c read _ long xxx") && command.ends_with("x…"), "{command}");
    for format in ["table", "plain", "csv"] {
        let text = namespace.tcpstates(&["-nppWf", format, ":81"]);
        assert!(text.len() < 6000 && text.contains("x…"), "{format}: {} bytes", text.len());
    }
    shell.kill().expect("it can be killed");
    shell.wait().expect("it ends");
}
