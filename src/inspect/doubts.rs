//! Sockets whose cgroup is unknown: an error if the filter depends on the cgroup, otherwise a gap.

use super::enrichment::Enrichment;
use crate::filter::{Filter, Term};
use crate::model::cgroup::CgroupLack;
use crate::model::{Gap, Needs, Row};

/// A filter that cannot be evaluated because the cgroup of a socket is unknown.
#[derive(Debug, thiserror::Error)]
#[error("filter: '{term}' cannot be answered for {sockets}: {reason}")]
pub(crate) struct Undecided {
    term: String,
    sockets: String,
    reason: String,
    /// What would help.
    pub(super) hint: Option<String>,
}

/// Counts the sockets whose cgroup is unknown.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    /// Sockets that the filter could not judge, and the reason for the first of them.
    undecided: u64,
    because: Option<CgroupLack>,
    /// Shown or counted sockets, by the reason why their cgroup is unknown.
    unknown: [(Option<CgroupLack>, u64); 3],
}

impl Doubts {
    /// Whether a row fits the filter, once every look-up has been made.
    pub(super) fn admits(&mut self, filter: &Filter, row: &Row<'_>, known: Needs) -> bool {
        if filter.is_undecided(row, known) {
            self.undecided += 1;
            self.because = self.because.or(row.cgroup.lack);
            return false;
        }
        filter.admits(row, known)
    }

    /// Counts a shown or counted row if the part of its cgroup that was asked for is unknown.
    pub(super) fn note(&mut self, row: &Row<'_>, needs: Needs) {
        let matters = row.cgroup.path.is_none() || (needs.contains(Needs::UNITS) && row.cgroup.may_hide());
        let Some(lack) = row.cgroup.lack.filter(|_| matters) else { return };
        let place = self.unknown.iter_mut().find(|(of, _)| of.is_none_or(|of| of == lack));
        if let Some((of, count)) = place {
            *of = Some(lack);
            *count += 1;
        }
    }

    /// An error if the filter could not judge a socket; `gaps` supply the hint.
    pub(super) fn decide(
        &self,
        filter: &Filter,
        enrichment: &Enrichment,
        gaps: &[Gap],
    ) -> Result<(), Undecided> {
        let Some(lack) = self.because else { return Ok(()) };
        let mut term = None;
        filter.expr.each_term(&mut |each| term = term.or_else(|| each.is_of_cgroup().then_some(each)));
        let sockets = match self.undecided {
            1 => "1 socket".to_owned(),
            count => format!("{count} sockets"),
        };
        Err(Undecided {
            term: term.map(Term::to_string).unwrap_or_default(),
            sockets,
            reason: reason(enrichment, lack),
            hint: gaps.iter().find_map(Gap::hint),
        })
    }

    /// A gap for each reason why shown or counted rows lack a cgroup.
    pub(super) fn gaps(self, enrichment: &Enrichment) -> impl Iterator<Item = Gap> {
        let known = self.unknown.into_iter().filter_map(|(lack, sockets)| Some((lack?, sockets)));
        known.map(|(lack, sockets)| Gap::Cgroups { sockets, lack, reason: reason(enrichment, lack) })
    }
}

fn reason(enrichment: &Enrichment, lack: CgroupLack) -> String {
    enrichment.cgroups.as_ref().map_or("", |cgroups| cgroups.reason(lack)).to_owned()
}
