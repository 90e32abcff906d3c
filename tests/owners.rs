//! Who holds a socket: several processes, sockets on their way, descriptors that never answer, threads whose first
//! has ended.

use std::fs;
use std::io::{IoSlice, IoSliceMut};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags, open};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags,
};

use crate::support::document::{Document, Holder};
use crate::support::holder::{Program, Running};
use crate::support::namespace::Namespace;
use crate::support::run::{PROGRAM, await_end_of, command, finish, tcpstates};
use crate::support::{has, namespace, or_skip};

fn listener(namespace: &Namespace, port: u16) -> TcpListener {
    namespace.inside(|| TcpListener::bind(("127.0.0.1", port)).expect("it can listen"))
}

/// The holders of the socket on this port, and why there are none.
fn owners(namespace: &Namespace, port: u16) -> (Vec<Holder>, Option<String>) {
    let json = namespace.run(&["-np", "--json", &format!(":{port}")]).done();
    let document = Document::of(&json);
    let socket = document.sockets.first().unwrap_or_else(|| panic!("no socket on {port}: {json}"));
    (socket.processes.clone().expect("they were asked for"), socket.owner_note.clone().flatten())
}

fn pids_and_fds(holders: &[Holder]) -> Vec<(u32, u32)> {
    holders.iter().map(|holder| (holder.pid, holder.fd)).collect()
}

#[test]
fn three_processes_share_one() {
    let Some(namespace) = namespace() else { return };
    let own = listener(&namespace, 80);
    let sleeper = || {
        let stdin = OwnedFd::from(own.try_clone().expect("it can be shared"));
        Running(command("sleep").arg("60").stdin(stdin).spawn().expect("sleep can be run"))
    };
    let (one, two) = (sleeper(), sleeper());
    let (holders, note) = owners(&namespace, 80);
    let fd = u32::try_from(own.as_raw_fd()).unwrap();
    let mut expected = vec![(std::process::id(), fd), (one.0.id(), 0), (two.0.id(), 0)];
    expected.sort_unstable();
    assert_eq!((pids_and_fds(&holders), note), (expected.clone(), None));
    if has("ss") {
        let shown = namespace.other("ss", &["-Hntlp"]);
        for (pid, fd) in expected {
            assert!(shown.contains(&format!("pid={pid},fd={fd})")), "{shown}");
        }
    }
}

#[test]
fn one_on_its_way_is_nobodys_until_it_arrives() {
    let Some(namespace) = namespace() else { return };
    let own = listener(&namespace, 80);
    let (here, there) = UnixStream::pair().expect("a pair can be had");
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut message = SendAncillaryBuffer::new(&mut space);
    let fds = [own.as_fd()];
    assert!(message.push(SendAncillaryMessage::ScmRights(&fds)));
    rustix::net::sendmsg(&here, &[IoSlice::new(b"x")], &mut message, SendFlags::empty())
        .expect("it can be sent");
    drop(own);
    let (holders, note) = owners(&namespace, 80);
    assert!(holders.is_empty());
    // If a process cannot be read, the socket may be its own.
    let note = note.expect("it has an inode");
    assert!(note.starts_with("held by no process") || note.starts_with("may be held by"), "{note}");

    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut message = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    rustix::net::recvmsg(&there, &mut [IoSliceMut::new(&mut byte)], &mut message, RecvFlags::CMSG_CLOEXEC)
        .expect("it arrives");
    let arrived: Vec<OwnedFd> = message
        .drain()
        .filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(fds) => Some(fds),
            _ => None,
        })
        .flatten()
        .collect();
    let fd = u32::try_from(arrived[0].as_raw_fd()).unwrap();
    assert_eq!(pids_and_fds(&owners(&namespace, 80).0), [(std::process::id(), fd)]);
}

/// A directory of a FUSE mount whose server never answers, held by its path alone.
fn dead_mount() -> Result<(OwnedFd, OwnedFd), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let server = open("/dev/fuse", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
        .map_err(|error| format!("/dev/fuse: {error}"))?;
    let options = format!("fd={},rootmode=40000,user_id=0,group_id=0", server.as_raw_fd());
    let held = std::thread::scope(|scope| {
        scope
            .spawn(|| {
                crate::support::namespace::own_mounts()?;
                rustix::mount::mount(
                    "none",
                    folder.path(),
                    "fuse",
                    rustix::mount::MountFlags::empty(),
                    &*std::ffi::CString::new(options).expect("no NUL"),
                )
                .map_err(|error| format!("cannot mount: {error}"))?;
                open(folder.path(), OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
                    .map_err(|error| format!("cannot open: {error}"))
            })
            .join()
            .expect("it does not panic")
    })?;
    Ok((held, server))
}

#[test]
fn a_descriptor_that_never_answers_stops_nothing() {
    let Some(namespace) = namespace() else { return };
    let Some((_held, _server)) = or_skip(dead_mount()) else { return };
    let own = listener(&namespace, 80);
    let mut child =
        namespace.inside(|| tcpstates(&["-natpH"]).stdout(Stdio::piped()).spawn().expect("it runs"));
    // It must not wait for the dead server.
    await_end_of(&mut child);
    let output = child.wait_with_output().expect("it has ended");
    let expected = format!("{}/", std::process::id());
    assert!(String::from_utf8_lossy(&output.stdout).contains(&expected), "{output:?}");
    drop(own);
}

/// Listens, lets another thread go on, and ends the thread that the process began with.
const LEADERLESS: &str = r#"
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
static void *stay(void *unused) { puts("ready"); fflush(stdout); for (;;) pause(); return unused; }
int main(void) {
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(80), .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    pthread_t thread;
    if (bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 1)) return 1;
    pthread_create(&thread, NULL, stay, NULL);
    pthread_exit(NULL);
}
"#;

#[test]
fn threads_whose_first_has_ended() {
    let Some(namespace) = namespace() else { return };
    if !has("cc") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder can be had");
    let (source, program) = (folder.path().join("leaderless.c"), folder.path().join("leaderless"));
    fs::write(&source, LEADERLESS).expect("it can be written");
    let compiled = Command::new("cc").arg("-pthread").arg("-o").arg(&program).arg(&source).status();
    assert!(compiled.expect("there is a compiler").success());
    let mut process =
        Running(namespace.inside(|| command(&program).stdout(Stdio::piped()).spawn().expect("it runs")));
    let mut ready = [0; 6];
    std::io::Read::read_exact(process.0.stdout.as_mut().expect("it was piped"), &mut ready)
        .expect("it is ready");
    let status = format!("/proc/{}/stat", process.0.id());
    let deadline = Instant::now() + Duration::from_secs(5);
    while !fs::read_to_string(&status).expect("it runs").contains(") Z ") {
        assert!(Instant::now() < deadline, "its first thread goes on");
        std::thread::sleep(Duration::from_millis(5));
    }
    let (holders, note) = owners(&namespace, 80);
    assert_eq!((pids_and_fds(&holders), note), (vec![(process.0.id(), 3)], None));
    assert_eq!(holders[0].name, "leaderless");
}

#[test]
fn a_thread_with_a_table_of_its_own() {
    let Some(namespace) = namespace() else { return };
    let Some(program) = Program::new("holder") else { return };
    let process = program.listening(&namespace, "holder", &["80", "own"]);
    let (holders, note) = owners(&namespace, 80);
    // It may have inherited other descriptors.
    let pids: Vec<_> = holders.iter().map(|holder| holder.pid).collect();
    assert_eq!((pids, note), (vec![process.0.id()], None));
    let answer = namespace.run(&["bind", "127.0.0.1:80"]);
    assert!(answer.stdout.contains(&format!("Stop {}/holder", process.0.id())), "{}", answer.stdout);
    if has("strace") {
        // Where threads can't be compared, their descriptors' numbers are.
        let mut strace = command("strace");
        strace.args(["-f", "-qq", "-o", "/dev/null", "-e", "inject=kcmp:error=ENOSYS"]);
        strace.args([PROGRAM, "-lnpH"]);
        let shown = namespace.inside(|| finish(strace)).done();
        assert!(shown.contains(&format!("{}/holder[", process.0.id())), "{shown}");
    }
}

/// A process that cannot be read is reported with the reason; its sockets are not shown as ownerless.
#[test]
fn a_call_that_fails_loses_no_owner_in_silence() {
    let Some(namespace) = namespace() else { return };
    let Some(program) = Program::new("holder") else { return };
    if !has("strace") {
        return;
    }
    let process = program.listening(&namespace, "holder", &["80"]);
    let expected = format!("{}/holder[", process.0.id());
    let with_fault = |fault: &str, args: &[&str]| {
        let mut strace = command("strace");
        strace.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("inject={fault}")]);
        if fault.starts_with("pread64") {
            // The program's loader reads likewise.
            strace.args(["-P", &format!("/proc/{}/comm", process.0.id())]);
        }
        strace.arg(PROGRAM).args(args);
        namespace.inside(|| finish(strace))
    };
    // The link of a descriptor says as much as statx.
    for fault in ["statx:error=ENOMEM", "statx:error=EACCES:when=2+", "readlinkat:error=EIO"] {
        let shown = with_fault(fault, &["-lnpH", "process = holder"]).done();
        assert!(shown.contains(&expected), "{fault}: {shown}");
    }
    for (fault, what, reason) in [
        ("statx,readlinkat:error=ENOMEM:when=2+", "descriptors", "Cannot allocate memory"),
        ("getdents64:error=EIO:when=3+", "descriptors", "Input/output error"),
        ("pread64:error=EIO", "name", "Input/output error"),
    ] {
        let finished = with_fault(fault, &["-lnpH", "process = holder"]);
        assert_eq!(finished.stdout, "", "{fault}");
        let told = |line: &str| line.contains(&format!("the {what} of")) && line.contains(reason);
        assert!(finished.stderr.lines().any(told), "{fault}: {}", finished.stderr);
        assert!(!finished.stderr.contains("hidepid"), "{fault}: {}", finished.stderr);
    }
}

#[test]
fn a_holder_outside_of_the_pid_namespace_is_told_of() {
    let Some(namespace) = namespace() else { return };
    if !has("unshare") {
        return;
    }
    let _own = listener(&namespace, 80);
    let mut unshare = command("unshare");
    unshare.args(["-p", "-f", "--mount-proc", PROGRAM, "-lnpH"]);
    let (stdout, stderr) = namespace.inside(|| finish(unshare)).noted();
    assert!(stdout.trim_end().ends_with(" -"), "{stdout}");
    assert!(stderr.contains("no process of this PID namespace holds 1 socket"), "{stderr}");
    assert!(stderr.contains("\nhint: run tcpstates in the host's PID namespace"), "{stderr}");
}

/// The missing privilege is named, and root is not advised to be root.
#[test]
fn the_hint_names_what_root_lacks() {
    let Some(namespace) = namespace() else { return };
    if !has("setpriv") {
        return;
    }
    let _own = listener(&namespace, 80);
    let as_bare_root = |args: &[&str]| {
        let mut setpriv = command("setpriv");
        setpriv
            .args(["--reuid=0", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace", PROGRAM])
            .args(args);
        namespace.inside(|| finish(setpriv))
    };
    let (_, stderr) = as_bare_root(&["-lnpH"]).noted();
    assert!(stderr.contains("\nhint: root lacks CAP_SYS_PTRACE here;"), "{stderr}");
    let answer = as_bare_root(&["bind", "127.0.0.1:80"]);
    assert_eq!(answer.status, Some(1));
    let words: Vec<_> = answer.stdout.split_whitespace().collect();
    assert!(
        words.join(" ").contains("or see who holds it: root lacks CAP_SYS_PTRACE here;"),
        "{}",
        answer.stdout
    );
    assert!(!answer.stdout.contains("as root"), "{}", answer.stdout);
}

/// With a limit on threads or descriptors: fewer threads are used, and files that could not be opened are reported.
#[test]
fn when_the_system_has_no_more_to_give() {
    let Some(namespace) = namespace() else { return };
    if !has("setpriv") {
        return;
    }
    let _own = listener(&namespace, 80);
    let (_folder, program) = crate::support::run::program_for_everybody();
    let run = |script: &str| {
        let mut shell = command("sh");
        shell.args(["-c", script]).arg(&program);
        namespace.inside(|| crate::support::run::finish(shell))
    };
    let user = "exec setpriv --reuid=65533 --regid=65533 --clear-groups";
    let (stdout, stderr) = run(&format!("{user} sh -c 'ulimit -u 1; exec \"$0\" -npH :80' \"$0\"")).noted();
    assert_eq!(stdout.lines().count(), 1);
    assert!(stderr.contains("permission denied"), "{stderr}");
    let (stdout, stderr) = run("ulimit -n 6; exec \"$0\" -npH :80").noted();
    assert_eq!(stdout.lines().count(), 1);
    assert!(stderr.contains("could not be read: Too many open files"), "{stderr}");
}

/// More descriptors than are one piece of work.
#[test]
fn thousands_of_descriptors_in_one_process() {
    let Some(namespace) = namespace() else { return };
    // One thread inside for all of them.
    let listeners: Vec<_> = namespace.inside(|| {
        (10_000..13_000).map(|port| TcpListener::bind(("127.0.0.1", port)).expect("it can listen")).collect()
    });
    let json = namespace.tcpstates(&["-np", "--json", "state", "listen"]);
    let document = Document::of(&json);
    assert_eq!(document.sockets.len(), listeners.len());
    let held_once = |processes: &[Holder]| processes.len() == 1 && processes[0].pid == std::process::id();
    assert!(document.sockets.iter().all(|socket| held_once(socket.processes.as_deref().unwrap_or_default())));
}

#[test]
fn the_other_end_is_known_before_it_comes_and_before_it_is_accepted() {
    let Some(namespace) = namespace() else { return };
    let (_held, accepted, waiting) = namespace.inside(|| {
        let listener = TcpListener::bind("127.0.0.1:5000").expect("it can listen");
        let first = TcpStream::connect("127.0.0.1:5000").expect("it can connect");
        let (other, _) = listener.accept().expect("it can be accepted");
        let second = TcpStream::connect("127.0.0.1:5000").expect("it can connect");
        let port = |stream: &TcpStream| stream.local_addr().expect("it has one").port();
        let ports = (port(&first), port(&second));
        ((listener, first, other, second), ports.0, ports.1)
    });
    let pid = std::process::id();
    let shown = |args: &[&str]| namespace.tcpstates(&[&["-nH", "--peer-process"], args].concat());
    for filter in ["sport", "dport"].map(|port| format!("{port} = :{accepted}")) {
        let one = shown(&["--limit", "1", &filter]);
        assert!(one.contains(&format!(" {pid}/")), "one of the two comes before the other: {one}");
    }
    for args in [&[][..], &["--columns", "local-port,peer-process"], &["-f", "csv"]] {
        let client = shown(&[args, &[&format!("sport = :{waiting}")]].concat());
        assert!(client.contains(&format!("({pid}/")), "{args:?}: its other end's listener: {client}");
    }
    for column in ["process", "pid", "program"] {
        for format in ["plain", "table", "csv"] {
            let chosen = |port: u16| {
                let filter = format!("dport = :{port}");
                namespace.tcpstates(&[
                    "-nH",
                    "--columns",
                    column,
                    "-f",
                    format,
                    "state",
                    "established",
                    &filter,
                ])
            };
            assert!(chosen(waiting).starts_with('('), "{column} in {format}: {}", chosen(waiting));
            assert!(!chosen(accepted).starts_with('('), "{column} in {format}: {}", chosen(accepted));
        }
    }
}
