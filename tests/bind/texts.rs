//! What people read.

use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;

use anyhow::ensure;
use tcpstates::internals::kernel::host::lists_idle;

use super::asked::{asked, eventually};
use super::holders::{Kind, hold};
use crate::support::namespace;
use crate::support::namespace::Namespace;
use crate::support::run::command;

/// The text at 80 columns without colour, as soon as there are so many holders, held by so many descriptors; numbers
/// that change are put aside.
fn text(namespace: &Namespace, args: &[&str], holders: usize, descriptors: usize) -> String {
    let pids = eventually(|| {
        let (answer, _) = asked(namespace, args);
        let found = answer["holders"].as_array().unwrap();
        let held: Vec<_> = found.iter().flat_map(|holder| holder["processes"].as_array().unwrap()).collect();
        ensure!((found.len(), held.len()) == (holders, descriptors), "{answer:#}");
        Ok(held.iter().map(|process| process["pid"].to_string()).collect::<Vec<_>>())
    });
    let text = namespace.run(&[&["bind"], args].concat()).stdout;
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let text = pids.iter().fold(text, |text, pid| text.replace(&format!("{pid}/"), "PID/"));
    let second = |word: &str| word.parse::<u32>().is_ok_and(|seconds| (40..=60).contains(&seconds));
    text.split_inclusive(' ').map(|word| if second(word.trim_end()) { "SS " } else { word }).collect()
}

#[test]
fn a_server_of_another_program() {
    let Some(namespace) = namespace() else { return };
    let listener = namespace.inside(|| TcpListener::bind("0.0.0.0:27000").expect("it can listen"));
    let mut sleep = command("sleep");
    let mut server = sleep.arg("60").stdin(OwnedFd::from(listener)).spawn().expect("sleep can be run");
    // Its copy of the socket was ours.
    drop(sleep);
    insta::assert_snapshot!(text(&namespace, &["27000"], 1, 1));
    server.kill().expect("it can be killed");
    server.wait().expect("it ends");
    insta::assert_snapshot!("free_again", text(&namespace, &["27000"], 0, 0));
}

#[test]
fn a_server_that_was_just_ended() {
    let Some(namespace) = namespace() else { return };
    namespace.inside(|| drop((hold(Kind::TimeWait, 27_001, true), hold(Kind::TimeWait, 27_001, true))));
    insta::assert_snapshot!("restarted", text(&namespace, &["27001"], 2, 0));
    namespace.inside(|| drop(hold(Kind::TimeWait, 27_002, false)));
    let without_reuse = text(&namespace, &["27002"], 1, 0);
    if lists_idle() {
        insta::assert_snapshot!("restarted_without_reuse", without_reuse);
    } else {
        // What blocks with SO_REUSEADDR too might be a socket that this kernel does not list.
        assert!(without_reuse.contains("blocks unless"), "{without_reuse}");
    }
    insta::assert_snapshot!("another_address", text(&namespace, &["127.0.0.3:27002"], 1, 0));
}

#[test]
fn a_connection_whose_peer_has_not_closed_may_stay_longer_than_its_timer() {
    let Some(namespace) = namespace() else { return };
    // So long in FIN_WAIT2, and 60 s in TIME_WAIT if the peer closes meanwhile.
    namespace.sysctl("ipv4/tcp_fin_timeout", "50");
    let client = namespace.inside(|| {
        let listener = TcpListener::bind("127.0.0.1:27004").expect("it can listen");
        let client = TcpStream::connect("127.0.0.1:27004").expect("it can connect");
        drop(listener.accept().expect("it can accept"));
        client
    });
    let shown = |state: &str| {
        eventually(|| {
            let text = namespace.run(&["bind", "27004"]).stdout;
            ensure!(text.contains(state), "{text}");
            Ok(text)
        })
    };
    let text = shown("FIN_WAIT2, ends in at most 1");
    assert!(text.contains("wait at most 1"), "{text}");
    drop(client);
    let text = shown("TIME_WAIT, ends in ");
    assert!(text.contains("or wait ") && !text.contains("at most"), "{text}");
}

#[test]
fn colours_are_there_when_they_are_asked_for() {
    let Some(namespace) = namespace() else { return };
    let text = namespace.run(&["bind", "27003", "--color", "always"]).quiet();
    assert!(text.starts_with("\u{1b}[1m\u{1b}[32mPort 27003 can be bound.\u{1b}[0m\n"), "{text:?}");
}
