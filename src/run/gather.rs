//! Sockets that are held until all of them are known, with what was looked up for them.

use std::ops::ControlFlow;
use std::path::Path;

use rustc_hash::FxHashSet;

use super::failure::Failure;
use super::{cgroups, read};
use crate::filter::{Filter, Known};
use crate::inspect::{Enrichment, Listeners, Peers};
use crate::kernel::names::{Cgroups, Interfaces, Services, Users};
use crate::kernel::process::{Details, Processes, Wanted};
use crate::model::{Access, Needs, Query, Shown};
use crate::model::{Gap, ListenerUse, OwnerNote, ProcessName, Row, Sink, Socket, Source};

/// What came.
pub(super) struct Gathered {
    pub(super) source: Source,
    pub(super) sockets: Vec<Socket>,
    pub(super) enrichment: Enrichment,
    pub(super) gaps: Vec<Gap>,
}

/// The look-ups that are needed; processes come later, when the sockets are known.
pub(super) fn enrichment(needs: Needs, access: &Access) -> Enrichment {
    Enrichment {
        interfaces: access.proc_root.is_none().then(Interfaces::default),
        processes: None,
        hosts: None,
        users: needs.users.then(Users::default),
        services: needs.services.then(Services::of_host),
        cgroups: needs.cgroups.then(|| match &access.proc_root {
            Some(_) => Cgroups::of_processes(),
            None => Cgroups::of_host(),
        }),
        listeners: needs.listeners.map(|_| Listeners::default()),
        listener_use: needs.listeners,
        peers: needs.peers.then(Peers::default),
    }
}

/// What a filter may count on.
pub(super) fn known(enrichment: &Enrichment) -> Known {
    Known { processes: enrichment.processes.is_some(), cgroup_paths: enrichment.cgroups.is_some() }
}

/// Holds the sockets that are in one of the states and may fit the filter, `enough` at most.
pub(super) fn gather(
    query: &Query,
    shown: Shown,
    filter: &Filter,
    needs: Needs,
    access: &Access,
    enrichment: Enrichment,
    enough: Option<u64>,
) -> Result<Gathered, Failure> {
    let enough = enough.map_or(usize::MAX, |enough| usize::try_from(enough).unwrap_or(usize::MAX));
    let wanted_of_each = wanted(&enrichment, needs, access);
    let mut hold = Hold {
        shown,
        filter,
        enough,
        enrichment,
        sockets: Vec::new(),
        wants_holders: needs.processes.is_some(),
        wanted: FxHashSet::default(),
        unaccepted: Vec::new(),
    };
    let snapshot = read(query, access, &mut hold)?;
    let Hold { mut enrichment, sockets, mut wanted, unaccepted, .. } = hold;
    wanted.extend(unaccepted.iter().filter_map(|number| enrichment.owned_by(sockets.get(*number)?)));
    if enrichment.peers.is_some() {
        wanted.extend(sockets.iter().filter_map(|socket| enrichment.peer_owned_by(socket)));
    }
    enrichment.processes = scan(wanted, wanted_of_each, access);
    let mut gaps = snapshot.gaps;
    gaps.extend(enrichment.gaps());
    Ok(Gathered { source: snapshot.source, sockets, enrichment, gaps })
}

/// What is read of the processes that hold sockets; `None` where they need not be known.
pub(super) fn wanted(enrichment: &Enrichment, needs: Needs, access: &Access) -> Option<Wanted> {
    let cgroups = !cgroups::suffice(enrichment, needs, access);
    let name = needs.processes.or_else(|| cgroups.then_some(ProcessName::Comm))?;
    let details = match (needs.process_details, needs.process_users) {
        (false, _) => Details::None,
        (true, false) => Details::Numbers,
        (true, true) => Details::Names,
    };
    Some(Wanted { name, details, long_names: needs.process_names, cgroups })
}

/// Looks for the holders of the sockets with these inodes, if that is needed.
pub(super) fn scan(inodes: FxHashSet<u64>, wanted: Option<Wanted>, access: &Access) -> Option<Processes> {
    let root = access.proc_root.as_deref().unwrap_or(Path::new("/proc"));
    wanted.map(|wanted| Processes::scan(root, inodes, wanted))
}

struct Hold<'a> {
    shown: Shown,
    filter: &'a Filter,
    enough: usize,
    enrichment: Enrichment,
    sockets: Vec<Socket>,
    wants_holders: bool,
    /// The inodes by which their holders are found.
    wanted: FxHashSet<u64>,
    /// Those whose holders are their listener's, which may come after them.
    unaccepted: Vec<usize>,
}

impl Sink for Hold<'_> {
    fn begin(&mut self, _source: Source) {
        self.enrichment.forget();
        self.sockets.clear();
        self.wanted.clear();
        self.unaccepted.clear();
    }

    fn row(&mut self, socket: &Socket) -> ControlFlow<()> {
        self.enrichment.learn(socket);
        if self.shown.contains(socket) && self.filter.admits(&Row::bare(socket), Known::SOCKET) {
            if self.sockets.len() >= self.enough {
                return ControlFlow::Break(());
            }
            let by_listener = self.enrichment.listener_use == Some(ListenerUse::Holders);
            if by_listener && OwnerNote::of(socket) == Some(OwnerNote::NotAccepted) {
                self.unaccepted.push(self.sockets.len());
            }
            if self.wants_holders || self.enrichment.needs_holder(socket) {
                self.wanted.extend(socket.inode);
            }
            self.sockets.push(socket.clone());
        }
        ControlFlow::Continue(())
    }
}
