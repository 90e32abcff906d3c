//! Counts of transitions, and how long sockets were in each state, in memory of constant size.

use hdrhistogram::Histogram;

use super::change::StateChange;
use crate::kernel::ring::Nanos;
use crate::model::TcpState;

/// The eleven states, and one place for all others.
const PLACES: usize = TcpState::SHOWN.len() + 1;

/// The counts and durations.
#[derive(Debug)]
pub(crate) struct Tally {
    counts: [[u64; PLACES]; PLACES],
    spans: Vec<Histogram<u64>>,
}

/// How long sockets were in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spans {
    /// How many stays in this state were seen from beginning to end.
    pub count: u64,
    /// Half of them were no longer than this.
    pub median: Nanos,
    /// 99 % of them were no longer than this.
    pub p99: Nanos,
}

impl Tally {
    /// An empty tally.
    pub(crate) fn new() -> Self {
        /// Microseconds: from one to a day.
        const BOUNDS: (u64, u64) = (1, 86_400_000_000);
        // Durations are kept to two significant digits.
        let histogram = || Histogram::new_with_bounds(BOUNDS.0, BOUNDS.1, 2).ok();
        let spans = std::iter::repeat_with(histogram).take(PLACES).flatten().collect();
        Self { counts: [[0; PLACES]; PLACES], spans }
    }

    /// Counts a transition.
    pub(crate) fn count(&mut self, change: &StateChange) {
        let (old, new) = (place(Some(change.old)), place(change.new));
        if let Some(count) = self.counts.get_mut(old).and_then(|row| row.get_mut(new)) {
            *count += 1;
        }
        if let (Some(span), Some(spans)) = (change.in_old, self.spans.get_mut(old)) {
            spans.saturating_record(span / 1_000);
        }
    }

    /// How often sockets went from one state to the other; `None` stands for all states beside the eleven.
    pub(crate) fn transitions(&self, old: Option<TcpState>, new: Option<TcpState>) -> u64 {
        self.counts.get(place(old)).and_then(|row| row.get(place(new))).copied().unwrap_or(0)
    }

    /// How long sockets were in this state; `None` if no complete stay was seen.
    pub(crate) fn spans(&self, state: TcpState) -> Option<Spans> {
        let spans = self.spans.get(place(Some(state))).filter(|spans| !spans.is_empty())?;
        let nanos = |quantile| spans.value_at_quantile(quantile) * 1_000;
        Some(Spans { count: spans.len(), median: nanos(0.5), p99: nanos(0.99) })
    }
}

impl Default for Tally {
    fn default() -> Self {
        Self::new()
    }
}

fn place(state: Option<TcpState>) -> usize {
    state.and_then(TcpState::rank).unwrap_or(TcpState::SHOWN.len())
}
