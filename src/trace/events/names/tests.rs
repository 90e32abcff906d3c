//! Made-up events of threads, and real processes.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use super::*;

fn event(thread: u32, kind: EventKind) -> Event {
    Event { at: 0, thread, cpu: 0, in_interrupt: false, kind }
}

fn comm(name: &[u8]) -> Comm {
    Comm::from_bytes(name)
}

fn exited(thread: u32) -> Event {
    event(thread, EventKind::Exited { thread, name: comm(b"exited") })
}

/// A number higher than any thread's.
const NOBODY: u32 = u32::MAX / 2;

fn on_cpu(names: &mut Names, thread: u32) -> (Option<u32>, Vec<u8>) {
    let on_cpu = names.on_cpu(&exited(thread));
    (on_cpu.pid, on_cpu.name.as_bytes().to_vec())
}

#[test]
fn a_child_has_its_parents_name_until_it_has_its_own() {
    let mut names = Names::empty(true);
    let pid = NOBODY;
    names.learn(&event(1, EventKind::Began { thread: pid, of_process: false, name: comm(b"sh") }));
    assert_eq!(on_cpu(&mut names, pid), (Some(pid), b"sh".to_vec()));
    names.learn(&event(pid, EventKind::Named { thread: pid, name: comm(b"curl") }));
    assert_eq!(on_cpu(&mut names, pid), (Some(pid), b"curl".to_vec()));
    names.learn(&exited(pid));
    assert_eq!(on_cpu(&mut names, pid).1, b"curl", "its sockets are closed after its exit");
    for other in 1..=u32::try_from(ENDED).unwrap() {
        names.learn(&exited(pid + other));
    }
    assert_eq!(on_cpu(&mut names, pid).1, b"", "forgotten");
}

#[test]
fn a_thread_is_shown_as_its_process() {
    let mut names = Names::empty(true);
    let (process, thread, next) = (NOBODY, NOBODY + 1, NOBODY + 2);
    names.learn(&event(1, EventKind::Began { thread: process, of_process: false, name: comm(b"server") }));
    names.learn(&event(process, EventKind::Began { thread, of_process: true, name: comm(b"server") }));
    names.learn(&event(thread, EventKind::Began { thread: next, of_process: true, name: comm(b"server") }));
    names.learn(&event(next, EventKind::Named { thread: next, name: comm(b"worker") }));
    for number in [process, thread, next] {
        assert_eq!(on_cpu(&mut names, number), (Some(process), b"server".to_vec()));
    }
    // The thread ends, and its number is used again.
    names.learn(&exited(next));
    names.learn(&event(1, EventKind::Began { thread: next, of_process: false, name: comm(b"cat") }));
    assert_eq!(on_cpu(&mut names, next), (Some(next), b"cat".to_vec()));
}

#[test]
fn existing_threads_are_found() {
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let (say, hear) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        say.send(u32::try_from(rustix::thread::gettid().as_raw_nonzero().get()).unwrap()).unwrap();
        let _ = wait.recv();
    });
    let number = hear.recv().unwrap();
    let ours = std::process::id();
    let at_first = on_cpu(&mut Names::from_proc(), number);
    let later = on_cpu(&mut Names::empty(true), number);
    drop(go);
    thread.join().unwrap();
    assert_eq!((at_first.0, later.0), (Some(ours), Some(ours)));
    assert_eq!(at_first.1, name_of(ours).unwrap());
}

#[test]
fn in_another_namespace_names_come_from_the_kernel_only() {
    let mut names = Names::empty(false);
    // In this namespace the number belongs to another process.
    let thread = std::process::id();
    assert_eq!(on_cpu(&mut names, thread), (None, Vec::new()));
    assert!(names.need_list([exited(thread)].iter()));
    names.learn_list(&format!("no line\n{thread} my server\n{NOBODY} <...>\n"));
    assert_eq!(on_cpu(&mut names, thread), (None, b"my server".to_vec()));
    assert_eq!(on_cpu(&mut names, NOBODY).1, b"");
    assert!(!names.need_list([exited(thread), exited(0)].iter()));
    names.learn(&exited(NOBODY + 1));
    assert_eq!(on_cpu(&mut names, NOBODY + 1).1, b"exited");
    assert_eq!(on_cpu(&mut names, 0), (Some(0), b"idle".to_vec()));
}

#[test]
fn names_are_cut_as_in_the_kernel() {
    assert_eq!(comm(b"0123456789abcdefgh").as_bytes(), b"0123456789abcde");
    assert_eq!(comm(b"a\nb\n\0\0").as_bytes(), b"a\nb\n", "a line break is a character");
}

#[test]
fn a_process_that_has_ended_keeps_its_name() {
    let mut cat = Command::new("cat");
    let mut child = cat.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.as_mut().unwrap().write_all(b"x").unwrap();
    child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    let mut names = Names::from_proc();
    child.stdin.take();
    child.wait().unwrap();
    assert_eq!(on_cpu(&mut names, child.id()), (Some(child.id()), b"cat".to_vec()));
}
