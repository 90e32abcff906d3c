//! Reads a walk of the kernel's table: datagrams → sockets → the sink. Two walks may run in parallel: both wait for
//! datagrams at the same time, but only one processes a datagram at a time.

use std::io;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use rustix::io::Errno;

use super::NetlinkError;
use super::datagrams::Datagrams;
use super::decode::Decoder;
use super::frame::{Body, Frames};
use super::repeats::{Bound, Window};
use crate::kernel::lock;
use crate::model::Sink;
use crate::model::{Gap, Socket, StateSet, TcpState};

/// Why an attempt failed.
pub(super) enum Fault {
    /// A failure that may not happen at the next attempt.
    Disturbed(String),
    /// The dump was complete, but the kernel reports that its table changed meanwhile.
    Inconsistent,
    /// A failure that would happen again.
    Failed(NetlinkError),
}

pub(super) fn call(call: &'static str) -> impl FnOnce(io::Error) -> Fault {
    move |source| Fault::Failed(NetlinkError::Call { call, source })
}

/// The state that all walks of an attempt share.
pub(super) struct Intake<'a> {
    states: StateSet,
    sink: &'a mut dyn Sink,
    bound: Bound,
    rows: u64,
    undecodable: u64,
    first_undecodable: String,
    inconsistent: bool,
    notes: Vec<Gap>,
    /// The sink wants no more sockets, or a walk has failed.
    stopped: Arc<AtomicBool>,
}

impl<'a> Intake<'a> {
    /// For sockets in these states. With `side_by_side`, several walks run in parallel instead of one after the other.
    pub(super) fn new(states: StateSet, sink: &'a mut dyn Sink, side_by_side: bool) -> Self {
        let may_come_later = side_by_side && states.contains(TcpState::BoundInactive);
        Self {
            states,
            sink,
            bound: Bound::new(may_come_later),
            rows: 0,
            undecodable: 0,
            first_undecodable: String::new(),
            inconsistent: false,
            notes: Vec::new(),
            stopped: Arc::default(),
        }
    }

    /// Another intake, for a walk that stops when this intake's walks do.
    pub(super) fn beside<'b>(&self, sink: &'b mut dyn Sink) -> Intake<'b> {
        Intake { stopped: self.stopped.clone(), ..Intake::new(self.states, sink, false) }
    }

    /// Takes over what another intake has recorded, except its sockets.
    pub(super) fn take_notes(&mut self, other: Intake<'_>) {
        if self.undecodable == 0 {
            self.first_undecodable = other.first_undecodable;
        }
        self.undecodable += other.undecodable;
        self.inconsistent |= other.inconsistent;
        self.notes.extend(other.notes);
    }

    /// Hands a socket to the sink.
    pub(super) fn row(&mut self, socket: &Socket) -> ControlFlow<()> {
        self.rows += 1;
        self.sink.row(socket)
    }

    /// Whether to stop reading.
    pub(super) fn has_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Whether the kernel reported that its table changed during the dump.
    pub(super) fn is_inconsistent(&self) -> bool {
        self.inconsistent
    }

    /// The number of sockets, and the gaps from other replies.
    pub(super) fn finish(self) -> (u64, Vec<Gap>) {
        let mut gaps = self.notes;
        if self.undecodable > 0 {
            gaps.push(Gap::Undecodable { messages: self.undecodable, first: self.first_undecodable });
        }
        (self.rows, gaps)
    }
}

/// Whether a walk is over.
enum Progress {
    GoesOn,
    Done,
    /// The sink wants no more sockets.
    Stopped,
}

/// One walk.
pub(super) struct Walker<'m, 'a> {
    intake: &'m Mutex<Intake<'a>>,
    /// Whether this walk lists the bound sockets, which come before all connections.
    brings_bound: bool,
    decoder: Decoder,
    window: Window,
}

impl<'m, 'a> Walker<'m, 'a> {
    pub(super) fn new(intake: &'m Mutex<Intake<'a>>, brings_bound: bool) -> Self {
        Self { intake, brings_bound, decoder: Decoder::new(), window: Window::new() }
    }

    /// Reads to the end; `Break` if the sink wants no more sockets.
    pub(super) fn read(
        &mut self,
        source: &mut dyn Datagrams,
        sequence: u32,
    ) -> Result<ControlFlow<()>, Fault> {
        let result = self.read_all(source, sequence);
        let mut intake = lock(self.intake);
        if !matches!(result, Ok(ControlFlow::Continue(()))) {
            intake.stopped.store(true, Ordering::Relaxed);
        }
        if self.brings_bound {
            intake.bound.is_complete();
        }
        result
    }

    fn read_all(&mut self, source: &mut dyn Datagrams, sequence: u32) -> Result<ControlFlow<()>, Fault> {
        loop {
            let datagram = source.receive().map_err(|error| match Errno::from_io_error(&error) {
                Some(Errno::NOBUFS) => Fault::Disturbed("the kernel ran out of buffer space".to_owned()),
                _ => call("receive")(error),
            })?;
            let truncated = datagram.truncated;
            match self.take_datagram(datagram.bytes, sequence, truncated)? {
                Progress::Stopped => return Ok(ControlFlow::Break(())),
                Progress::Done => return Ok(ControlFlow::Continue(())),
                Progress::GoesOn if truncated => {
                    return Err(Fault::Disturbed(
                        "a datagram was longer than the kernel's own limit".to_owned(),
                    ));
                }
                Progress::GoesOn => {}
            }
        }
    }

    fn take_datagram(&mut self, bytes: &[u8], sequence: u32, truncated: bool) -> Result<Progress, Fault> {
        let mut intake = lock(self.intake);
        if intake.has_stopped() {
            return Ok(Progress::Stopped);
        }
        self.window.next_datagram();
        if bytes.is_empty() {
            return Err(Fault::Disturbed("the answer ended early".to_owned()));
        }
        for frame in Frames::new(bytes) {
            let frame = match frame {
                Ok(frame) => frame,
                Err(_) if truncated => break,
                Err(_) => return Err(Fault::Disturbed("a datagram was not a netlink message".to_owned())),
            };
            if frame.sequence != sequence {
                continue;
            }
            intake.inconsistent |= frame.inconsistent;
            match frame.body {
                Body::Socket(payload) => {
                    if self.take_socket(&mut intake, payload).is_break() {
                        return Ok(Progress::Stopped);
                    }
                }
                Body::Done { errno: 0, note } => {
                    intake.notes.extend(note.map(|note| Gap::KernelNote(text(note))));
                    return Ok(Progress::Done);
                }
                Body::Done { errno, note } | Body::Error { errno, note } if errno != 0 => {
                    return Err(kernel_error(errno, note));
                }
                Body::Overrun => return Err(Fault::Disturbed("the kernel lost replies".to_owned())),
                Body::Done { .. } | Body::Error { .. } | Body::Other => {}
            }
        }
        Ok(Progress::GoesOn)
    }

    fn take_socket(&mut self, intake: &mut Intake<'_>, payload: &[u8]) -> ControlFlow<()> {
        let decoded = self.decoder.decode(payload);
        let is_connection = |socket: &&Socket| !StateSet::unconnected().contains(socket.state);
        if self.brings_bound && decoded.as_ref().is_ok_and(is_connection) {
            intake.bound.is_complete();
        }
        match decoded {
            // A kernel that has fewer states filters less exactly than our mask.
            Ok(socket) if !intake.states.contains(socket.state) => ControlFlow::Continue(()),
            Ok(socket) if self.window.has_seen(socket) || intake.bound.has_seen(socket) => {
                ControlFlow::Continue(())
            }
            Ok(socket) => intake.row(socket),
            Err(error) => {
                if intake.undecodable == 0 {
                    intake.first_undecodable = error.to_string();
                }
                intake.undecodable += 1;
                ControlFlow::Continue(())
            }
        }
    }
}

fn kernel_error(errno: i32, note: Option<&[u8]>) -> Fault {
    let source = io::Error::from_raw_os_error(errno);
    match Errno::from_io_error(&source) {
        Some(Errno::INTR | Errno::NOBUFS | Errno::AGAIN) => {
            Fault::Disturbed(format!("the kernel ended the dump: {source}"))
        }
        _ => Fault::Failed(NetlinkError::Refused { source, note: note.map(text) }),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
