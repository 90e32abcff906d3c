//! The conversation: ask, read to the end, and begin again where the answer broke off and nothing is lost by it.

use std::io;
use std::ops::ControlFlow;

use rustix::io::Errno;

use super::NetlinkError;
use super::datagrams::Datagrams;
use super::decode::Decoder;
use super::frame::{Body, Frames};
use super::repeats::Repeats;
use super::request::{self, Walk};
use crate::collect::Sink;
use crate::model::{Gap, Source};
use crate::query::Query;

/// How often a dump that broke off is begun again.
const RESTARTS: u32 = 3;

/// Opens a new conversation.
pub type Connect<'a> = dyn FnMut() -> io::Result<Box<dyn Datagrams>> + 'a;

/// Dumps the sockets that the query asks for into the sink; returns what is missing.
///
/// An error means that the sink has got nothing of worth.
pub fn dump(query: &Query, connect: &mut Connect<'_>, sink: &mut dyn Sink) -> Result<Vec<Gap>, NetlinkError> {
    let mut query = std::borrow::Cow::Borrowed(query);
    let mut walks = request::walks(&query);
    let mut restarts = 0;
    sink.begin(Source::Netlink);
    loop {
        let mut attempt = Attempt::new(&query, sink);
        let end = attempt.run(&walks, connect);
        let is_whole = matches!(end, Err(Fault::Inconsistent));
        let (rows, mut gaps) = attempt.finish();
        let reason = match end {
            Ok(()) => return Ok(gaps),
            Err(Fault::Disturbed(reason)) => reason,
            Err(Fault::Inconsistent) => "the kernel's table changed while it was read".to_owned(),
            // A kernel that does not take the filter: all is asked for, and filtered here.
            Err(Fault::Failed(NetlinkError::Refused { source, .. }))
                if rows == 0 && is_about_filter(&source) && query.kernel_filter.is_some() =>
            {
                let kernel_only = query.to_mut().kernel_filter.take().and_then(|filter| filter.kernel_only);
                if let Some(term) = kernel_only {
                    return Err(NetlinkError::FilterRefused { term, source });
                }
                sink.begin(Source::Netlink);
                continue;
            }
            // A kernel without the older request: ask in the newer way.
            Err(Fault::Failed(NetlinkError::Refused { .. })) if rows == 0 && walks == [Walk::Mixed] => {
                walks = request::per_family(query.families);
                sink.begin(Source::Netlink);
                continue;
            }
            Err(Fault::Failed(error)) if rows == 0 => return Err(error),
            Err(Fault::Failed(error)) => {
                gaps.push(Gap::DumpInterrupted { reason: error.to_string() });
                return Ok(gaps);
            }
        };
        if restarts < RESTARTS && sink.begin(Source::Netlink) {
            restarts += 1;
            continue;
        }
        if rows == 0 && !is_whole {
            return Err(NetlinkError::BrokeOff { tries: restarts + 1, reason });
        }
        gaps.push(Gap::DumpInterrupted { reason });
        return Ok(gaps);
    }
}

/// EINVAL for a program that the kernel does not know, EPERM for one that asks for a firewall mark.
fn is_about_filter(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::INVAL | Errno::PERM))
}

/// Why an attempt did not end well.
enum Fault {
    /// Something that may go well the next time.
    Disturbed(String),
    /// It came to its end, and the kernel says that its table changed meanwhile.
    Inconsistent,
    /// Something that won't.
    Failed(NetlinkError),
}

fn call(call: &'static str) -> impl FnOnce(io::Error) -> Fault {
    move |source| Fault::Failed(NetlinkError::Call { call, source })
}

/// One attempt at the whole answer.
struct Attempt<'a> {
    query: &'a Query,
    sink: &'a mut dyn Sink,
    decoder: Decoder,
    repeats: Repeats,
    rows: u64,
    undecodable: u64,
    first_undecodable: String,
    inconsistent: bool,
    notes: Vec<Gap>,
}

/// Whether a walk is over.
enum Progress {
    GoesOn,
    Done,
    /// The sink wants no more.
    Stopped,
}

impl<'a> Attempt<'a> {
    fn new(query: &'a Query, sink: &'a mut dyn Sink) -> Self {
        Self {
            query,
            sink,
            decoder: Decoder::new(),
            repeats: Repeats::new(),
            rows: 0,
            undecodable: 0,
            first_undecodable: String::new(),
            inconsistent: false,
            notes: Vec::new(),
        }
    }

    fn run(&mut self, walks: &[Walk], connect: &mut Connect<'_>) -> Result<(), Fault> {
        let mut source = connect().map_err(call("open a sock_diag socket"))?;
        for (walk, sequence) in walks.iter().zip(1..) {
            source.send(&request::encode(*walk, self.query, sequence)).map_err(call("send the request"))?;
            if self.read_walk(source.as_mut(), sequence)?.is_break() {
                return Ok(());
            }
        }
        if self.inconsistent { Err(Fault::Inconsistent) } else { Ok(()) }
    }

    /// How many sockets came, and what was wrong with other replies.
    fn finish(self) -> (u64, Vec<Gap>) {
        let mut gaps = self.notes;
        if self.undecodable > 0 {
            gaps.push(Gap::Undecodable { messages: self.undecodable, first: self.first_undecodable });
        }
        (self.rows, gaps)
    }

    fn read_walk(&mut self, source: &mut dyn Datagrams, sequence: u32) -> Result<ControlFlow<()>, Fault> {
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
        self.repeats.next_datagram();
        if bytes.is_empty() {
            return Err(Fault::Disturbed("the answer ended early".to_owned()));
        }
        for frame in Frames::new(bytes) {
            let frame = match frame {
                Ok(frame) => frame,
                Err(_) if truncated => break,
                Err(_) => return Err(Fault::Disturbed("a datagram held no netlink message".to_owned())),
            };
            if frame.sequence != sequence {
                continue;
            }
            self.inconsistent |= frame.inconsistent;
            match frame.body {
                Body::Socket(payload) => {
                    if self.take_socket(payload).is_break() {
                        return Ok(Progress::Stopped);
                    }
                }
                Body::Done { errno: 0, note } => {
                    self.notes.extend(note.map(|note| Gap::KernelNote(text(note))));
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

    fn take_socket(&mut self, payload: &[u8]) -> ControlFlow<()> {
        match self.decoder.decode(payload) {
            // The kernel's mask knows less than ours where its states are fewer.
            Ok(socket) if !self.query.states.contains(socket.state) => ControlFlow::Continue(()),
            Ok(socket) if self.repeats.has_seen(socket) => ControlFlow::Continue(()),
            Ok(socket) => {
                self.rows += 1;
                self.sink.row(socket)
            }
            Err(error) => {
                if self.undecodable == 0 {
                    self.first_undecodable = error.to_string();
                }
                self.undecodable += 1;
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
