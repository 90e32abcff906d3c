//! The clocks of a trace: the ring's clock, which gives events their times, and the wall clock.

use std::collections::VecDeque;

use rustix::time::{ClockId, clock_gettime};

use super::ring::Nanos;

/// A wall-clock time: nanoseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wall(pub i64);

/// The clock of the events' times: `CLOCK_MONOTONIC` of the initial time namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Clock {
    /// The ring's clock minus this process's `CLOCK_MONOTONIC`: not 0 in a time namespace.
    ahead: i64,
}

impl Clock {
    pub(crate) fn now(self) -> Nanos {
        self.of(time_of(ClockId::Monotonic))
    }

    /// The same time as of the last timer tick.
    pub(crate) fn coarse(self) -> Nanos {
        self.of(time_of(ClockId::MonotonicCoarse))
    }

    /// Converts a time of this process's clock.
    fn of(self, local: Nanos) -> Nanos {
        local.saturating_add_signed(self.ahead)
    }

    /// Adjusts the clock to readings of the ring's clock, which are truncated to microseconds.
    pub(crate) fn set_by(&mut self, mut read: impl FnMut() -> Option<Nanos>) {
        /// The quickest of several readings is the most exact.
        const READINGS: usize = 5;
        let mut readings: Vec<_> = (0..READINGS)
            .map_while(|_| {
                let before = time_of(ClockId::Monotonic);
                Some((before, read()?, time_of(ClockId::Monotonic)))
            })
            .collect();
        readings.sort_by_key(|(before, _, after)| after.saturating_sub(*before));
        if let Some(best) = readings.first() {
            self.set(*best);
        }
    }

    /// Adjusts the clock to `there`, the ring's time at some moment between `before` and `after`. If the clock agrees, it
    /// stays as it is, so that it does not jitter.
    fn set(&mut self, (before, there, after): (Nanos, Nanos, Nanos)) {
        /// A truncated time may be behind by this much.
        const STEP: Nanos = 1_000;
        let agrees = |clock: Self| clock.of(before) <= there.saturating_add(STEP) && there <= clock.of(after);
        if agrees(*self) {
            return;
        }
        let between = before + after.saturating_sub(before) / 2;
        *self = [Self::default(), Self { ahead: there.wrapping_sub(between).cast_signed() }]
            .into_iter()
            .find(|clock| agrees(*clock))
            .unwrap_or(*self);
    }
}

/// Converts the events' times to wall-clock times. The difference between the clocks changes when the wall clock is set,
/// and at each suspend, during which `CLOCK_MONOTONIC` stands still.
#[derive(Debug, Default)]
pub(crate) struct WallClock {
    /// When each offset begins to apply, and the offset: the wall clock minus the ring's clock.
    steps: VecDeque<(Nanos, i64)>,
    /// The time of the last sample.
    sampled: Nanos,
}

impl WallClock {
    /// Samples the wall clock.
    pub(crate) fn sample(&mut self, clock: Clock) {
        let before = clock.now();
        let wall = time_of(ClockId::Realtime);
        self.take(before, wall, clock.now());
    }

    /// Takes a wall-clock time that was read between two times of the ring's clock. A step counts from the last sample on.
    fn take(&mut self, before: Nanos, wall: Nanos, after: Nanos) {
        /// Without a step the difference is constant.
        const STEADY: u64 = 1_000;
        /// A transition is printed long before so many steps have happened.
        const ENOUGH: usize = 64;
        let span = after.saturating_sub(before);
        let ahead = wall.cast_signed().wrapping_sub((before + span / 2).cast_signed());
        let is_new = self.steps.back().is_none_or(|(_, known)| known.abs_diff(ahead) > span / 2 + STEADY);
        if is_new {
            let since = self.sampled;
            self.steps.retain(|(earlier, _)| *earlier < since);
            self.steps.push_back((since, ahead));
            if self.steps.len() > ENOUGH {
                self.steps.pop_front();
            }
        }
        self.sampled = after;
    }

    /// The wall-clock time of an event.
    pub(crate) fn at(&self, at: Nanos) -> Wall {
        let behind = self.steps.partition_point(|(since, _)| *since <= at);
        let step = behind.checked_sub(1).and_then(|last| self.steps.get(last)).or(self.steps.front());
        Wall(step.map_or(0, |(_, ahead)| *ahead).saturating_add_unsigned(at))
    }
}

/// Reads a clock.
fn time_of(clock: ClockId) -> Nanos {
    let time = clock_gettime(clock);
    let [whole, nanoseconds] =
        [time.tv_sec, time.tv_nsec].map(|part| Nanos::try_from(part).unwrap_or_default());
    whole.saturating_mul(1_000_000_000).saturating_add(nanoseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_agrees_is_not_adjusted() {
        let mut clock = Clock::default();
        // Truncated to microseconds, the time may be before the first reading.
        clock.set((5_000_900, 5_000_000, 5_002_000));
        assert_eq!(clock, Clock::default());
        clock.set((5_000_900, 9_005_001_000, 5_002_900));
        assert_eq!(clock.of(5_001_900), 9_005_001_000, "in a time namespace");
        let known = clock;
        clock.set((6_000_000, 9_006_000_000, 6_900_000));
        assert_eq!(clock, known, "a slow reading agrees");
        clock.set((7_000_000, 7_000_000, 7_001_000));
        assert_eq!(clock, Clock::default());
    }

    #[test]
    fn the_quickest_reading_counts() {
        let mut clock = Clock::default();
        let ahead = 50_000_000_000;
        clock.set_by(|| Some(time_of(ClockId::Monotonic) + ahead));
        let error = (clock.ahead - ahead.cast_signed()).unsigned_abs();
        assert!(error < 1_000_000, "{error}");
        clock.set_by(|| None);
        assert_ne!(clock, Clock::default());
    }

    #[test]
    fn a_step_of_the_wall_clock_counts_from_the_last_sample_on() {
        let mut wall = WallClock::default();
        assert_eq!(wall.at(5), Wall(5), "before the first sample");
        wall.take(1_000, 1_001_000, 1_000);
        wall.take(50_000, 1_050_200, 50_400);
        assert_eq!(
            (wall.at(0), wall.at(70_000)),
            (Wall(1_000_000), Wall(1_070_000)),
            "a slow reading is no step"
        );
        // A minute of suspend.
        wall.take(90_000, 60_001_090_000, 90_000);
        assert_eq!(wall.at(50_300), Wall(1_050_300));
        assert_eq!(wall.at(70_000), Wall(60_001_070_000));
        // The wall clock is set back.
        wall.take(200_000, 700_000, 200_000);
        assert_eq!((wall.at(80_000), wall.at(100_000)), (Wall(60_001_080_000), Wall(600_000)));
        for time in 3..500 {
            wall.take(time * 100_000, time * 900_000, time * 100_000);
        }
        assert_eq!(wall.steps.len(), 64);
        assert_eq!(wall.at(0), wall.steps.front().map(|(_, ahead)| Wall(*ahead)).unwrap());
    }
}
