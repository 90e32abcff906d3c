//! Sockets held in memory until all have been read, with the results of their look-ups.

use std::ops::ControlFlow;

use rustc_hash::FxHashSet;

use super::doubts::Doubts;
use super::enrichment::Enrichment;
use super::error::InspectError;
use super::question::Question;
use super::source::collect;
use crate::kernel::names::Hosts;
use crate::model::{Access, Collected, Consumer, Gap, Needs, Row, Sink, Socket, Source};

/// The matching sockets, and the results of their look-ups.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) source: Source,
    pub(crate) sockets: Vec<Socket>,
    /// Facts that were unavailable as a whole. Gaps of single rows come from [`give`](Self::give) and
    /// [`unknown`](Self::unknown).
    pub(crate) gaps: Vec<Gap>,
    enrichment: Enrichment,
    needs: Needs,
}

impl Held {
    /// Holds the sockets that fit, `enough` at most.
    pub(super) fn gather(
        question: &Question,
        access: &Access,
        enrichment: Enrichment,
        enough: Option<usize>,
    ) -> Result<Self, InspectError> {
        let wanted_of_each = enrichment.wanted(question.query.needs, access);
        let mut sink = Gathering {
            question,
            enough: enough.unwrap_or(usize::MAX),
            enrichment,
            sockets: Vec::new(),
            wanted: FxHashSet::default(),
            unaccepted: Vec::new(),
        };
        let collected = collect(&question.query, access, &mut sink)?;
        let inodes = sink.inodes();
        let Gathering { mut enrichment, sockets, .. } = sink;
        enrichment.find_holders(inodes, wanted_of_each, access, question.query.patience);
        let Collected { source, mut gaps } = collected;
        gaps.extend(enrichment.gaps());
        let mut held = Self { source, sockets, gaps, enrichment, needs: question.query.needs };
        held.judge(question)?;
        Ok(held)
    }

    /// Makes the remaining look-ups, then drops the sockets that do not match.
    fn judge(&mut self, question: &Question) -> Result<(), InspectError> {
        let Self { sockets, enrichment, gaps, .. } = self;
        let known = enrichment.known();
        let is_open = !question.is_decided_by_socket();
        let mut doubts = Doubts::default();
        sockets.retain(|socket| {
            enrichment.look_up(socket);
            !is_open || doubts.admits(&question.filter, &enrichment.row(socket), known)
        });
        Ok(doubts.decide(&question.filter, enrichment, gaps)?)
    }

    /// A held socket with the results of its look-ups.
    pub(crate) fn row<'a>(&'a self, socket: &'a Socket) -> Row<'a> {
        self.enrichment.row(socket)
    }

    /// Whether the search for the holders took longer than the question allows.
    pub(crate) fn is_late(&self) -> bool {
        self.gaps.contains(&Gap::ProcessesLate)
    }

    /// Rows made from now on have these host names.
    pub(crate) fn name_hosts(&mut self, hosts: Hosts) {
        self.gaps.extend(hosts.gap());
        self.enrichment.hosts = Some(hosts);
    }

    /// Gaps for the held sockets whose cgroup was asked for and is unknown.
    pub(super) fn unknown(&self) -> Vec<Gap> {
        let mut doubts = Doubts::default();
        if self.needs.contains(Needs::CGROUPS) {
            self.sockets.iter().for_each(|socket| doubts.note(&self.row(socket), self.needs));
        }
        doubts.gaps(&self.enrichment).collect()
    }

    /// Gives a consumer rows of held sockets, and appends the gaps of these rows.
    pub(crate) fn give<'a>(
        &self,
        rows: impl IntoIterator<Item = Row<'a>>,
        consumer: &mut impl Consumer,
    ) -> Collected {
        consumer.begin(self.source);
        let mut doubts = Doubts::default();
        for row in rows {
            if consumer.take(&row).is_break() {
                break;
            }
            doubts.note(&row, self.needs);
        }
        let unknown = doubts.gaps(&self.enrichment);
        Collected { source: self.source, gaps: self.gaps.iter().cloned().chain(unknown).collect() }
    }
}

/// Collects the sockets that may match, and the inodes by which their holders are found.
struct Gathering<'a> {
    question: &'a Question,
    enough: usize,
    enrichment: Enrichment,
    sockets: Vec<Socket>,
    wanted: FxHashSet<u64>,
    /// Places of the sockets that take their listener's holders; the listener may be read after them.
    unaccepted: Vec<usize>,
}

impl Gathering<'_> {
    /// The inodes whose holders must be found; called after the last socket.
    fn inodes(&mut self) -> FxHashSet<u64> {
        let Self { enrichment, sockets, unaccepted, .. } = self;
        let mut wanted = std::mem::take(&mut self.wanted);
        wanted.extend(unaccepted.iter().filter_map(|number| enrichment.owned_by(sockets.get(*number)?)));
        if enrichment.peers.is_some() {
            wanted.extend(sockets.iter().filter_map(|socket| enrichment.peer_owned_by(socket)));
        }
        wanted
    }
}

impl Sink for Gathering<'_> {
    fn begin(&mut self, _source: Source) {
        self.enrichment.forget();
        self.sockets.clear();
        self.wanted.clear();
        self.unaccepted.clear();
    }

    fn row(&mut self, socket: &Socket) -> ControlFlow<()> {
        self.enrichment.learn(socket);
        if !self.question.may_fit(socket) {
            return ControlFlow::Continue(());
        }
        if self.sockets.len() >= self.enough {
            return ControlFlow::Break(());
        }
        if self.enrichment.is_held_by_listener(socket) {
            self.unaccepted.push(self.sockets.len());
        }
        if self.question.query.needs.contains(Needs::HOLDERS) || self.enrichment.needs_holder(socket) {
            self.wanted.extend(socket.inode);
        }
        self.sockets.push(socket.clone());
        ControlFlow::Continue(())
    }
}
