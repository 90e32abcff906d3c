//! A dump: sends the request, reads the answer to its end, and starts again if the answer broke off and nothing is lost
//! by starting again.

use std::io;
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};
use std::thread;

use rustix::io::Errno;

use super::NetlinkError;
use super::datagrams::Datagrams;
use super::request::{self, Halves, Walk};
use super::walk::{Fault, Intake, Walker, call};
use crate::kernel::lock;
use crate::model::Query;
use crate::model::{Gap, Sink, Socket, Source};

/// How often a dump that broke off is started again.
const RESTARTS: u32 = 3;

/// Opens a new conversation.
pub type Connect<'a> = dyn FnMut() -> io::Result<Box<dyn Datagrams + Send>> + 'a;

/// Dumps the sockets that the query asks for into the sink; returns what is missing.
///
/// With `halves`, programs that split the sockets in two, two walks run in parallel where one would do. An error means
/// that the sink has received nothing useful.
pub fn dump(
    query: &Query,
    mut halves: Option<&Halves>,
    connect: &mut Connect<'_>,
    sink: &mut dyn Sink,
) -> Result<Vec<Gap>, NetlinkError> {
    let mut query = std::borrow::Cow::Borrowed(query);
    let mut walks = request::walks(&query, halves);
    let mut restarts = 0;
    sink.begin(Source::Netlink);
    loop {
        let intake = Mutex::new(Intake::new(query.states, sink, request::are_halves(&walks)));
        let end = run(&walks, halves.is_some(), &query, connect, &intake);
        let is_whole = matches!(end, Err(Fault::Inconsistent));
        let (rows, mut gaps) = intake.into_inner().unwrap_or_else(PoisonError::into_inner).finish();
        let reason = match end {
            Ok(()) => return Ok(gaps),
            Err(Fault::Disturbed(reason)) => reason,
            Err(Fault::Inconsistent) => "the kernel's table changed while it was read".to_owned(),
            // The kernel does not accept the halves' filters, or does not allow so much to be opened: read one walk
            // after the other.
            Err(Fault::Failed(_)) if rows == 0 && halves.is_some() => {
                halves = None;
                walks = request::walks(&query, None);
                sink.begin(Source::Netlink);
                continue;
            }
            // The kernel does not accept the filter: request all sockets, and filter them here.
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
            // The kernel lacks the older request: use the newer one.
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
        if restarts < RESTARTS && sink.can_begin_again() {
            sink.begin(Source::Netlink);
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

/// EINVAL: the kernel does not know the filter's program. EPERM: the program asks for a firewall mark.
fn is_about_filter(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::INVAL | Errno::PERM))
}

/// One attempt at the whole answer.
fn run(
    walks: &[Walk<'_>],
    is_large: bool,
    query: &Query,
    connect: &mut Connect<'_>,
    intake: &Mutex<Intake<'_>>,
) -> Result<(), Fault> {
    if let [first, second] = *walks {
        if request::are_halves(walks) {
            side_by_side((first, intake), (second, intake), query, connect)?;
            return consistent(intake);
        }
        if is_large {
            return one_behind_the_other(first, second, query, connect, intake);
        }
    }
    let mut source = connect().map_err(call("open a sock_diag socket"))?;
    for (walk, sequence) in walks.iter().zip(1..) {
        if read(*walk, query, sequence, source.as_mut(), intake)?.is_break() {
            return Ok(());
        }
    }
    consistent(intake)
}

/// Reads two walks in parallel, each into its intake.
fn side_by_side(
    (here, ours): (Walk<'_>, &Mutex<Intake<'_>>),
    (there, theirs): (Walk<'_>, &Mutex<Intake<'_>>),
    query: &Query,
    connect: &mut Connect<'_>,
) -> Result<(), Fault> {
    let mut source = connect().map_err(call("open a sock_diag socket"))?;
    let mut other = connect().map_err(call("open a sock_diag socket"))?;
    thread::scope(|scope| {
        let there = move || read(there, query, 1, other.as_mut(), theirs).map(drop);
        let there = thread::Builder::new().spawn_scoped(scope, there).map_err(call("start a thread"))?;
        let here = read(here, query, 1, source.as_mut(), ours).map(drop);
        // The thread does not panic; if it did, its part would be missing.
        let gone = || Err(Fault::Disturbed("a thread ended early".to_owned()));
        here.and(there.join().unwrap_or_else(|_| gone()))
    })
}

/// Reads two walks in parallel, and passes on the second walk's sockets when the first walk is over. So the order is
/// the same as if one were read after the other.
fn one_behind_the_other(
    first: Walk<'_>,
    second: Walk<'_>,
    query: &Query,
    connect: &mut Connect<'_>,
    intake: &Mutex<Intake<'_>>,
) -> Result<(), Fault> {
    let mut behind = Behind::default();
    let second_intake = Mutex::new(lock(intake).beside(&mut behind));
    let end = side_by_side((first, intake), (second, &second_intake), query, connect);
    let noted = second_intake.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut taken = lock(intake);
    taken.take_notes(noted);
    if !taken.has_stopped() || end.is_err() {
        for socket in &behind.sockets {
            if taken.row(socket).is_break() {
                return Ok(());
            }
        }
    }
    drop(taken);
    end?;
    consistent(intake)
}

/// Keeps the sockets of a walk.
#[derive(Default)]
struct Behind {
    sockets: Vec<Socket>,
}

impl Sink for Behind {
    fn begin(&mut self, _source: Source) {
        self.sockets.clear();
    }

    fn row(&mut self, socket: &Socket) -> ControlFlow<()> {
        self.sockets.push(socket.clone());
        ControlFlow::Continue(())
    }
}

fn consistent(intake: &Mutex<Intake<'_>>) -> Result<(), Fault> {
    if lock(intake).is_inconsistent() { Err(Fault::Inconsistent) } else { Ok(()) }
}

fn read(
    walk: Walk<'_>,
    query: &Query,
    sequence: u32,
    source: &mut dyn Datagrams,
    intake: &Mutex<Intake<'_>>,
) -> Result<ControlFlow<()>, Fault> {
    source.send(&request::encode(walk, query, sequence)).map_err(call("send the request"))?;
    let brings_bound = !matches!(walk, Walk::Half { upper: true, .. });
    Walker::new(intake, brings_bound).read(source, sequence)
}

#[cfg(test)]
mod tests;
