//! What people read.

use std::net::TcpListener;
use std::os::fd::OwnedFd;

use super::holders::{Kind, hold};
use crate::support::namespace;
use crate::support::namespace::Namespace;
use crate::support::run::command;

/// The text at 80 columns without colour, numbers that change put aside.
fn text(namespace: &Namespace, args: &[&str], pid: Option<u32>) -> String {
    let text = namespace.run(&[&["bind"], args].concat()).stdout;
    let text = pid.map_or(text.clone(), |pid| text.replace(&format!("{pid}/"), "PID/"));
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let words = text.split_inclusive(' ');
    let shown = |word: &str| match word.trim().parse::<u32>() {
        Ok(seconds) if (40..=60).contains(&seconds) => word.replace(word.trim(), "SS"),
        _ => word.to_owned(),
    };
    words.map(shown).collect()
}

#[test]
fn a_server_of_another_program() {
    let Some(namespace) = namespace() else { return };
    let listener = namespace.inside(|| TcpListener::bind("0.0.0.0:27000").expect("it can listen"));
    let mut sleep = command("sleep");
    let mut server = sleep.arg("60").stdin(OwnedFd::from(listener)).spawn().expect("sleep can be run");
    // Its copy of the socket was ours.
    drop(sleep);
    let shown = text(&namespace, &["27000"], Some(server.id()));
    server.kill().expect("it can be killed");
    server.wait().expect("it ends");
    insta::assert_snapshot!(shown);
    insta::assert_snapshot!("free_again", text(&namespace, &["27000"], None));
}

#[test]
fn a_server_that_was_just_ended() {
    let Some(namespace) = namespace() else { return };
    namespace.inside(|| drop((hold(Kind::TimeWait, 27_001, true), hold(Kind::TimeWait, 27_001, true))));
    insta::assert_snapshot!("restarted", text(&namespace, &["27001"], None));
    namespace.inside(|| drop(hold(Kind::TimeWait, 27_002, false)));
    insta::assert_snapshot!("restarted_without_reuse", text(&namespace, &["27002"], None));
    insta::assert_snapshot!("another_address", text(&namespace, &["127.0.0.3:27002"], None));
}

#[test]
fn colours_are_there_when_they_are_asked_for() {
    let Some(namespace) = namespace() else { return };
    let text = namespace.run(&["bind", "27003", "--color", "always"]).quiet();
    assert!(text.starts_with("\u{1b}[1m\u{1b}[32mPort 27003 can be bound.\u{1b}[0m\n"), "{text:?}");
}
