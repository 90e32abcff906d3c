//! A trace at work, and what it is shown.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use rustix::process::{Pid, Signal, kill_process};
use socket2::{Domain, Socket, Type};

use crate::support::namespace::Namespace;
use crate::support::or_skip;
use crate::support::run::{await_end_of, tcpstates_at_all_signals};

pub(super) const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A port that no other test has: a trace sees the sockets of all network namespaces, theirs too.
pub(super) fn own_port() -> u16 {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    // Another process's tests have others, and all are below those that the kernel chooses.
    let first = u16::try_from(std::process::id() % 290).expect("it is small") * 20;
    14_000 + first + TAKEN.fetch_add(1, Ordering::Relaxed)
}

/// A trace at work.
pub(super) struct Trace {
    pub(super) child: Child,
    pub(super) stdout: BufReader<ChildStdout>,
    pub(super) stderr: BufReader<ChildStderr>,
    /// Its first line.
    pub(super) said: String,
    /// The states of each port, the state before the first transition included.
    seen: BTreeMap<u16, Vec<String>>,
    /// Meanings, beside the states that they are of.
    pub(super) meanings: Vec<(String, String)>,
}

/// Starts a trace in this thread's namespace. It records when it has said where it sees transitions. It ends after a
/// minute, so that a test does not wait forever for an event that was lost.
pub(super) fn start(args: &[&str]) -> Trace {
    // If an option is given twice, the last one counts.
    started(tcpstates_at_all_signals(
        &[&["trace", "--ndjson", "--poll", "20", "--duration", "60"], args].concat(),
    ))
}

pub(super) fn started(mut command: Command) -> Trace {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it can be started");
    let stdout = BufReader::new(child.stdout.take().expect("it was piped"));
    let mut stderr = BufReader::new(child.stderr.take().expect("it was piped"));
    let mut said = String::new();
    stderr.read_line(&mut said).expect("it says where it sees them");
    Trace { child, stdout, stderr, said, seen: BTreeMap::new(), meanings: Vec::new() }
}

impl Trace {
    /// A trace by tracepoints, or the note that they are unavailable.
    pub(super) fn by_tracepoints(args: &[&str]) -> Option<Self> {
        start(&[&["--by", "tracepoint"], args].concat()).or_skip()
    }

    /// Itself where it sees by tracepoints, or the note that it can't.
    pub(super) fn or_skip(self) -> Option<Self> {
        let sees = self.said.trim_end() == "tcpstates: the transitions of all network namespaces are seen";
        or_skip(if sees { Ok(self) } else { Err(self.said) })
    }

    /// Its next line; there is none when it has ended.
    pub(super) fn next(&mut self) -> Option<serde_json::Value> {
        let mut line = String::new();
        let is_there = self.stdout.read_line(&mut line).expect("it can be read") > 0;
        is_there.then(|| serde_json::from_str(&line).expect("JSON"))
    }

    /// Takes the next line as a transition.
    pub(super) fn read(&mut self) -> bool {
        let Some(change) = self.next() else { return false };
        let port = port_in(&change);
        let states = self.seen.entry(port).or_insert_with(|| vec![text(&change, "old")]);
        assert_eq!(states.last(), Some(&text(&change, "old")), "{change}");
        states.push(text(&change, "new"));
        let transition = format!("{} {}", text(&change, "old"), text(&change, "new"));
        self.meanings.push((transition, text(&change, "meaning")));
        true
    }

    /// Reads on until a socket with this port has come into this state.
    pub(super) fn until(&mut self, port: u16, state: &str) {
        let is_there = |seen: &BTreeMap<u16, Vec<String>>| {
            seen.get(&port).and_then(|states| states.last()).is_some_and(|last| last == state)
        };
        while !is_there(&self.seen) {
            let goes_on = self.read();
            let notes = if goes_on { String::new() } else { self.notes() };
            assert!(goes_on, "{port} did not come to {state}: {:?} {notes}", self.seen);
        }
    }

    /// What it says at its end.
    pub(super) fn notes(&mut self) -> String {
        let mut notes = String::new();
        self.stderr.read_to_string(&mut notes).expect("it can be read");
        notes
    }

    /// The instance of tracefs that it records in.
    pub(super) fn instance(&self) -> String {
        format!("instances/tcpstates-{}", self.child.id())
    }

    pub(super) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it can be signalled");
    }

    pub(super) fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    /// Interrupts it, and reads the rest.
    pub(super) fn end(mut self) -> Seen {
        self.interrupt();
        while self.read() {}
        let stderr = self.notes();
        assert_eq!(self.child.wait().expect("it has ended").code(), Some(0), "{stderr}");
        assert_eq!(stderr, "");
        Seen { states: self.seen, meanings: self.meanings }
    }

    /// How it ended; it must end soon.
    #[track_caller]
    pub(super) fn status(self) -> Option<i32> {
        status_of(self.child)
    }

    /// The exit status after its reader has closed the pipe.
    #[track_caller]
    pub(super) fn status_unread(self) -> Option<i32> {
        drop(self.stdout);
        status_of(self.child)
    }
}

#[track_caller]
fn status_of(mut child: Child) -> Option<i32> {
    await_end_of(&mut child);
    child.wait().expect("it has ended").code()
}

#[track_caller]
pub(super) fn text(line: &serde_json::Value, key: &str) -> String {
    line[key].as_str().unwrap_or_else(|| panic!("no {key}: {line}")).to_owned()
}

#[track_caller]
pub(super) fn port_in(line: &serde_json::Value) -> u16 {
    let port = line["local_port"].as_u64().and_then(|port| port.try_into().ok());
    port.unwrap_or_else(|| panic!("no port: {line}"))
}

/// What a trace has seen.
pub(super) struct Seen {
    pub(super) states: BTreeMap<u16, Vec<String>>,
    meanings: Vec<(String, String)>,
}

impl Seen {
    #[track_caller]
    pub(super) fn assert_states(&self, expected: &[(u16, &str)]) {
        let seen: Vec<_> = self.states.iter().map(|(port, states)| (*port, states.join(" "))).collect();
        let mut expected: Vec<_> =
            expected.iter().map(|(port, states)| (*port, (*states).to_owned())).collect();
        expected.sort_unstable();
        assert_eq!(seen, expected);
    }

    #[track_caller]
    pub(super) fn assert_meaning(&self, transition: &str, meaning: &str) {
        let is_it = |(states, says): &(String, String)| states == transition && says.starts_with(meaning);
        assert!(self.meanings.iter().any(is_it), "{transition} {meaning}: {:?}", self.meanings);
    }
}

/// At a port of its own.
pub(super) fn listener(address: impl Into<IpAddr>) -> TcpListener {
    TcpListener::bind((address.into(), own_port())).expect("the port is free")
}

/// A client that is bound, so that its port is known though it never connects.
pub(super) fn bound_client(port: u16) -> Socket {
    let client = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    client.bind(&SocketAddr::from((LOCALHOST, port)).into()).expect("the port is free");
    client
}

/// The ends of a connection to the listener's address, or where that is reflected to.
pub(super) fn connected(listener: &TcpListener, to: impl Into<IpAddr>) -> (TcpStream, TcpStream) {
    let client = TcpStream::connect((to.into(), port_of(listener))).expect("it connects");
    (client, listener.accept().expect("it is accepted").0)
}

pub(super) fn port_of(listener: &TcpListener) -> u16 {
    listener.local_addr().expect("it is bound").port()
}

pub(super) fn port(stream: &TcpStream) -> u16 {
    stream.local_addr().expect("it is connected").port()
}

/// Waits for the other end's FIN.
pub(super) fn await_end(mut stream: &TcpStream) {
    assert_eq!(stream.read(&mut [0]).expect("it can be read"), 0);
}

/// In a namespace: a listener at an address, and a trace of its port at work. The listener's own port shows the
/// accepted end, since the listener was there before.
pub(super) fn traced<T: Send>(
    namespace: &Namespace,
    address: impl Into<IpAddr> + Send,
    scene: impl FnOnce(&TcpListener, Trace) -> T + Send,
) -> Option<T> {
    namespace.inside(|| {
        let listener = listener(address);
        let trace = Trace::by_tracepoints(&[&format!(":{}", port_of(&listener))])?;
        Some(scene(&listener, trace))
    })
}
