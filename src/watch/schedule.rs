//! When to look again. The only user of the `backoff` crate: it gives the exponential intervals, and nothing else of it
//! is used, since its retry loop ignores deadlines.

use std::time::Duration;

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff;

/// Each interval is this many times the one before.
const FACTOR: f64 = 1.5;
/// Each wait is drawn from the interval ± this share, so that gates that start together do not stay together.
pub const JITTER: f64 = 0.2;

/// The schedule of waits between looks.
#[derive(Clone)]
pub struct Schedule {
    intervals: ExponentialBackoff,
    longest: Duration,
    dice: fastrand::Rng,
}

impl Schedule {
    /// Starts at `first`, never waits longer than `longest`. The same `seed` gives the same waits.
    pub fn new(first: Duration, longest: Duration, seed: u64) -> Self {
        let intervals = ExponentialBackoff {
            current_interval: first,
            initial_interval: first,
            max_interval: longest,
            multiplier: FACTOR,
            // The crate draws from a generator that cannot be seeded; the jitter is ours.
            randomization_factor: 0.0,
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        };
        Self { intervals, longest, dice: fastrand::Rng::with_seed(seed) }
    }

    /// How long to wait before the next look.
    pub fn next_wait(&mut self) -> Duration {
        let interval = self.intervals.next_backoff().unwrap_or(self.longest);
        let jitter = 1.0 - JITTER + 2.0 * JITTER * self.dice.f64();
        interval.mul_f64(jitter).min(self.longest)
    }

    /// Starts again from the first interval: changes come in bursts.
    pub fn restart(&mut self) {
        self.intervals.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_by_half_within_a_fifth_up_to_the_longest() {
        let mut schedule = Schedule::new(Duration::from_secs(2), Duration::from_secs(30), 7);
        let mut interval = 2.0_f64;
        for _ in 0..20 {
            let wait = schedule.next_wait().as_secs_f64();
            assert!(wait >= interval * 0.8 - 1e-6, "{wait} for {interval}");
            assert!(wait <= (interval * 1.2).min(30.0) + 1e-6, "{wait} for {interval}");
            interval = (interval * 1.5).min(30.0);
        }
        schedule.restart();
        assert!(schedule.next_wait() <= Duration::from_millis(2400));
    }

    #[test]
    fn same_seed_same_waits() {
        let waits = |seed| {
            let mut schedule = Schedule::new(Duration::from_secs(2), Duration::from_secs(30), seed);
            (0..9).map(|_| schedule.next_wait()).collect::<Vec<_>>()
        };
        assert_eq!(waits(1), waits(1));
        assert_ne!(waits(1), waits(2));
    }
}
