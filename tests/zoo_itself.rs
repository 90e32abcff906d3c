//! The zoo that the other tests count on: every state is in it, and nothing outlasts it.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::namespace::Namespace;
use crate::support::run::command;
use crate::support::zoo;
use crate::support::zoo::{Family, STATES, Specimen, listed_states};

/// The namespace's, as in `net:[4026531840]`.
fn inode(namespace: &Namespace) -> u64 {
    namespace.inside(|| fs::metadata("/proc/thread-self/ns/net")).expect("a namespace has an inode").ino()
}

/// How many links there are to `target` in the directory at `path`.
fn links_to(target: &str, path: &str) -> usize {
    let points = |path: &Path| fs::read_link(path).is_ok_and(|to| to == Path::new(target));
    fs::read_dir(path)
        .expect("/proc can be listed")
        .filter_map(io::Result::ok)
        .filter(|entry| points(&entry.path()) || points(&entry.path().join("ns/net")))
        .count()
}

fn threads_in(link: &str) -> usize {
    links_to(link, "/proc/self/task")
}

fn descriptors_of(link: &str) -> usize {
    links_to(link, "/proc/self/fd")
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn each_state_is_there_for_both_families() {
    let Some(zoo) = zoo() else { return };
    for state in listed_states() {
        for family in [Family::V4, Family::V6] {
            let there = |s: &Specimen| s.state == state && s.family == family;
            assert!(zoo.specimens().iter().any(there), "no {state} for {family:?}");
        }
    }
    let stranger = zoo.specimens().iter().find(|s| !STATES.contains(&s.state));
    assert_eq!(stranger, None, "a state of another name");
}

#[test]
fn nothing_is_left_of_a_dropped_zoo() {
    let Some(zoo) = zoo() else { return };
    let watch = Namespace::new().expect("there may be namespaces, as the zoo has one");
    // The kernel deletes one end of a pair with the namespace it is in, and the other along with it.
    let mut process =
        zoo.namespace().inside(|| command("sleep").arg("60").spawn()).expect("sleep can be run");
    let into = process.id();
    let paired = watch.ip(&format!("link add watch type veth peer name watched netns {into}"));
    process.kill().expect("sleep can be killed");
    process.wait().expect("sleep ends");
    paired.expect("a veth pair can be made");

    let link = format!("net:[{}]", inode(zoo.namespace()));
    // Those which ran something inside may still be on their way out.
    eventually("the peer's is the only thread", || threads_in(&link) == 1);
    assert_eq!(descriptors_of(&link), 1);
    let sockets: Vec<_> = zoo.specimens().iter().filter_map(|s| s.inode).collect();
    let open = || sockets.iter().map(|inode| descriptors_of(&format!("socket:[{inode}]"))).sum::<usize>();
    assert_eq!(open(), sockets.len());

    drop(zoo);
    assert_eq!((descriptors_of(&link), open()), (0, 0));
    eventually("no thread is left", || threads_in(&link) == 0);
    eventually("the namespace is gone", || watch.ip("link show watch").is_err());
}
