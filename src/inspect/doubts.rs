//! What to do where the cgroup of a socket is not known: a filter that hangs on it is an error, and else it is a gap.

use super::enrichment::Enrichment;
use crate::filter::{Filter, Term};
use crate::model::cgroup::CgroupLack;
use crate::model::{Gap, Needs, Row};

/// A filter that can't be answered for want of evidence.
#[derive(Debug, thiserror::Error)]
#[error("filter: '{term}' cannot be answered for {sockets}: {reason}")]
pub(crate) struct Undecided {
    term: String,
    sockets: String,
    reason: String,
    /// What would help.
    pub(super) hint: Option<String>,
}

/// Counts the sockets of which something is not known.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    /// Those that may fit the filter or not, and why of the first.
    undecided: u64,
    because: Option<CgroupLack>,
    /// Those that are shown or counted, by what is lacking.
    unknown: [(Option<CgroupLack>, u64); 3],
}

impl Doubts {
    /// Whether a row fits the filter now that all is known that can be.
    pub(super) fn admits(&mut self, filter: &Filter, row: &Row<'_>, known: Needs) -> bool {
        if filter.is_undecided(row, known) {
            self.undecided += 1;
            self.because = self.because.or(row.cgroup.lack);
            return false;
        }
        filter.admits(row, known)
    }

    /// Takes note of a row that is shown or counted, and of whose cgroup as much was asked for.
    pub(super) fn note(&mut self, row: &Row<'_>, needs: Needs) {
        let matters = row.cgroup.path.is_none() || (needs.contains(Needs::UNITS) && row.cgroup.may_hide());
        let Some(lack) = row.cgroup.lack.filter(|_| matters) else { return };
        let place = self.unknown.iter_mut().find(|(of, _)| of.is_none_or(|of| of == lack));
        if let Some((of, count)) = place {
            *of = Some(lack);
            *count += 1;
        }
    }

    /// An error where the filter could not be answered; `gaps` are what could not be seen, with what would help.
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

    /// What is not known of the rows that were shown or counted.
    pub(super) fn gaps(self, enrichment: &Enrichment) -> impl Iterator<Item = Gap> {
        let known = self.unknown.into_iter().filter_map(|(lack, sockets)| Some((lack?, sockets)));
        known.map(|(lack, sockets)| Gap::Cgroups { sockets, lack, reason: reason(enrichment, lack) })
    }
}

fn reason(enrichment: &Enrichment, lack: CgroupLack) -> String {
    enrichment.cgroups.as_ref().map_or("", |cgroups| cgroups.reason(lack)).to_owned()
}
