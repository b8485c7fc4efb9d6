//! Time. The only place that sleeps or reads a clock; everything else is told what time it is.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;

/// A request of the outside world to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGHUP: the terminal is gone.
    Hangup,
    /// SIGINT, Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

/// Where a signal handler leaves its word. `0` is none, else the number of the signal.
#[derive(Clone, Default)]
pub struct SignalFlag(Arc<AtomicUsize>);

impl SignalFlag {
    /// How soon a waiting gate notices a signal.
    pub const ATTENTION: Duration = Duration::from_millis(50);

    /// The cell that a signal handler writes the number of its signal to.
    pub fn cell(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.0)
    }

    /// The signal that has come, if any.
    pub fn raised(&self) -> Option<Signal> {
        match self.0.load(Ordering::SeqCst) {
            0 => None,
            1 => Some(Signal::Hangup),
            2 => Some(Signal::Interrupt),
            _ => Some(Signal::Terminate),
        }
    }
}

/// Time as a gate sees it: how long the run has lasted, and what the calendar says.
pub trait Clock {
    /// Time since the start of the run. Never goes back.
    fn now(&self) -> Duration;
    /// The calendar, or `None` where a replay has none.
    fn utc(&self) -> Option<Timestamp>;
    /// Returns after `wait`, or earlier with the signal that ended it.
    fn sleep(&mut self, wait: Duration) -> Option<Signal>;
    /// The same clock for another thread, if it can be read from several.
    fn for_thread(&self) -> Option<Box<dyn Clock + Send>> {
        None
    }
}

/// The machine's own clock. Copies share one start.
#[derive(Clone)]
pub struct RealClock {
    start: Instant,
    signal: SignalFlag,
}

impl RealClock {
    /// Starts at zero now.
    #[expect(clippy::disallowed_methods, reason = "the one real clock")]
    pub fn new(signal: SignalFlag) -> Self {
        Self { start: Instant::now(), signal }
    }
}

impl Clock for RealClock {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    #[expect(clippy::disallowed_methods, reason = "the one real calendar")]
    fn utc(&self) -> Option<Timestamp> {
        Some(Timestamp::now())
    }

    #[expect(clippy::disallowed_methods, reason = "the one real sleep")]
    fn sleep(&mut self, wait: Duration) -> Option<Signal> {
        let end = self.now() + wait;
        loop {
            if let Some(signal) = self.signal.raised() {
                return Some(signal);
            }
            let left = end.saturating_sub(self.now());
            if left.is_zero() {
                return None;
            }
            std::thread::sleep(left.min(SignalFlag::ATTENTION));
        }
    }

    fn for_thread(&self) -> Option<Box<dyn Clock + Send>> {
        Some(Box::new(self.clone()))
    }
}

/// A clock that jumps: sleeping takes no time. Copies share one time.
#[derive(Clone, Default)]
pub struct VirtualClock {
    now: Rc<Cell<Duration>>,
    epoch: Option<Timestamp>,
}

impl VirtualClock {
    /// Starts at zero; `epoch` is what the calendar says then.
    pub fn new(epoch: Option<Timestamp>) -> Self {
        Self { now: Rc::default(), epoch }
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Duration {
        self.now.get()
    }

    fn utc(&self) -> Option<Timestamp> {
        self.epoch.and_then(|epoch| epoch.checked_add(self.now.get()).ok())
    }

    fn sleep(&mut self, wait: Duration) -> Option<Signal> {
        self.now.set(self.now.get() + wait);
        None
    }
}

/// The clock of a replay: its time jumps, but a signal comes when it comes.
pub struct ReplayClock<'c> {
    /// The time of the recording.
    pub time: VirtualClock,
    /// Where signals come from.
    pub signals: &'c mut dyn Clock,
}

impl Clock for ReplayClock<'_> {
    fn now(&self) -> Duration {
        self.time.now()
    }

    fn utc(&self) -> Option<Timestamp> {
        self.time.utc()
    }

    fn sleep(&mut self, wait: Duration) -> Option<Signal> {
        self.signals.sleep(Duration::ZERO).or_else(|| self.time.sleep(wait))
    }
}
