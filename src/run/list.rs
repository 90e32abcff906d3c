//! A list: streamed where its layout, order and columns allow it, held where they need all of it.

use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use rustc_hash::FxHashSet;

use super::{Told, now, read, write};
use crate::cli::List;
use crate::collect::Sink;
use crate::enrich::{Cgroups, Enrichment, Interfaces, Listeners, Processes, Services, Users};
use crate::model::{Gap, Socket, Source};
use crate::query::Access;
use crate::render::{Head, Listing, Pages, listing};
use crate::select::sort;

/// Lists once.
pub(super) fn list(
    list: &List,
    access: &Access,
    out: &mut Pages<File>,
    told: &mut Told,
) -> anyhow::Result<()> {
    let gaps = if must_hold(list) { held(list, access, out)? } else { streamed(list, access, out)? };
    told.tell(&gaps);
    Ok(())
}

/// Whether the first row can't be written before the last has come. Processes are looked through for the sockets
/// that came, so these must be known.
fn must_hold(list: &List) -> bool {
    !list.sort.is_empty() || list.needs.processes.is_some()
}

fn enrichment(list: &List, access: &Access) -> Enrichment {
    let needs = list.needs;
    Enrichment {
        interfaces: access.proc_root.is_none().then(Interfaces::default),
        processes: None,
        users: needs.users.then(Users::default),
        services: needs.services.then(Services::of_host),
        cgroups: needs.cgroups.then(Cgroups::of_host),
        listeners: needs.listener_uids.then(Listeners::default),
    }
}

/// The sockets that are shown, of those that came.
fn is_shown(list: &List, socket: &Socket) -> bool {
    list.shown.contains(socket.state) && list.filter.matches(socket)
}

fn streamed(list: &List, access: &Access, out: &mut Pages<File>) -> anyhow::Result<Vec<Gap>> {
    let mut stream = Stream {
        list,
        taken_at: now(),
        layout: listing(list.format, list.style),
        enrichment: enrichment(list, access),
        out,
        left: list.limit.unwrap_or(u64::MAX),
        error: None,
    };
    let snapshot = read(&list.query, access, &mut stream)?;
    let Stream { mut layout, error, .. } = stream;
    if let Some(error) = error {
        write(Err(error))?;
    }
    write(end(layout.as_mut(), out, &snapshot.gaps))?;
    Ok(snapshot.gaps)
}

fn end(layout: &mut dyn Listing, out: &mut Pages<File>, gaps: &[Gap]) -> io::Result<()> {
    layout.tail(out.buffer(), gaps)?;
    out.flush()
}

/// Writes each socket as it comes.
struct Stream<'a> {
    list: &'a List,
    taken_at: String,
    layout: Box<dyn Listing>,
    enrichment: Enrichment,
    out: &'a mut Pages<File>,
    left: u64,
    error: Option<io::Error>,
}

impl Stream<'_> {
    fn write_row(&mut self, socket: &Socket) -> io::Result<()> {
        let row = self.enrichment.describe(socket);
        self.layout.row(self.out.buffer(), &row)?;
        self.out.turn()
    }
}

impl Sink for Stream<'_> {
    fn begin(&mut self, source: Source) -> bool {
        if !self.out.take_back() {
            return false;
        }
        self.left = self.list.limit.unwrap_or(u64::MAX);
        let head = Head { source, taken_at: &self.taken_at };
        self.error = self.layout.head(self.out.buffer(), &head).err();
        true
    }

    fn row(&mut self, socket: &Socket) -> ControlFlow<()> {
        self.enrichment.learn(socket);
        if !is_shown(self.list, socket) {
            return ControlFlow::Continue(());
        }
        if self.left == 0 || self.error.is_some() {
            return ControlFlow::Break(());
        }
        self.left -= 1;
        match self.write_row(socket) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.error = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}

/// Keeps the sockets that are shown.
struct Hold<'a> {
    list: &'a List,
    enrichment: Enrichment,
    sockets: Vec<Socket>,
}

impl Sink for Hold<'_> {
    fn begin(&mut self, _source: Source) -> bool {
        self.sockets.clear();
        true
    }

    fn row(&mut self, socket: &Socket) -> ControlFlow<()> {
        self.enrichment.learn(socket);
        if is_shown(self.list, socket) {
            self.sockets.push(socket.clone());
        }
        ControlFlow::Continue(())
    }
}

fn held(list: &List, access: &Access, out: &mut Pages<File>) -> anyhow::Result<Vec<Gap>> {
    let taken_at = now();
    let mut hold = Hold { list, enrichment: enrichment(list, access), sockets: Vec::new() };
    let snapshot = read(&list.query, access, &mut hold)?;
    let Hold { mut enrichment, mut sockets, .. } = hold;
    let limit = list.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    if list.sort.is_empty() {
        sockets.truncate(limit);
    }
    if let Some(name) = list.needs.processes {
        let root = access.proc_root.as_deref().unwrap_or(Path::new("/proc"));
        let wanted: FxHashSet<u64> = sockets.iter().filter_map(|socket| socket.inode).collect();
        enrichment.processes = Some(Processes::scan(root, &wanted, name));
    }
    let first_pid = |socket: &Socket| {
        let processes = enrichment.processes.as_ref()?;
        processes.holders(socket).first().map(|holder| holder.pid)
    };
    sort(&mut sockets, &list.sort, first_pid);
    sockets.truncate(limit);

    let mut gaps = snapshot.gaps;
    gaps.extend(enrichment.gaps());
    let mut layout = listing(list.format, list.style);
    let head = Head { source: snapshot.source, taken_at: &taken_at };
    write(layout.head(out.buffer(), &head))?;
    for socket in &sockets {
        write(layout.row(out.buffer(), &enrichment.describe(socket)))?;
        write(out.turn())?;
    }
    write(end(layout.as_mut(), out, &gaps))?;
    Ok(gaps)
}
