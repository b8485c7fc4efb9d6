//! Time. The only place that sleeps or reads a clock; everything else is told what time it is.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;

/// A request of the outside world to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    start: Duration,
    signal: SignalFlag,
}

impl RealClock {
    /// Starts at zero now.
    pub fn new(signal: SignalFlag) -> Self {
        Self { start: since_boot(), signal }
    }
}

/// The time since the machine was started, with the time that it slept.
#[cfg(unix)]
fn since_boot() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    // Elsewhere, the monotonic clock counts sleep itself.
    #[cfg(target_os = "linux")]
    const CLOCK: ClockId = ClockId::Boottime;
    #[cfg(not(target_os = "linux"))]
    const CLOCK: ClockId = ClockId::Monotonic;
    Duration::try_from(clock_gettime(CLOCK)).unwrap_or_default()
}

/// The same since it was first asked for: the clock of Windows counts sleep itself.
#[cfg(not(unix))]
#[expect(clippy::disallowed_methods, reason = "the one real clock")]
fn since_boot() -> Duration {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed()
}

impl Clock for RealClock {
    fn now(&self) -> Duration {
        since_boot().saturating_sub(self.start)
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
