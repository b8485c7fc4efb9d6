//! Who carries out the turns: the calling thread, one after the other, or a pool of threads that share connections.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use crate::base::clock::{Clock, Signal, SignalFlag};
use crate::base::outcome::Ending;
use crate::base::source::Source;
use crate::nuon::look::Miss;
use crate::report::progress::Progress;
use crate::report::result::Verdict;
use crate::run::gate::{Gate, Turn};
use crate::run::session::Session;

/// A turn to carry out.
pub struct Task {
    /// Which of the targets it is.
    pub index: usize,
    /// Its gate.
    pub gate: Box<Gate>,
    /// What stands in place of its first look, if it must not look.
    pub instead: Option<Miss>,
    /// When the look was due, since the start of the run.
    pub due: Duration,
}

/// A turn that was carried out.
pub struct Done {
    /// Which of the targets it is.
    pub index: usize,
    /// Its gate.
    pub gate: Box<Gate>,
    /// What came of it.
    pub next: Next,
    /// From when to when, since the start of the run.
    pub time: (Duration, Duration),
    /// How long the server wants to be left alone by everybody; zero if it did not say how long.
    pub overload: Option<Duration>,
    /// What there is to be said.
    log: Vec<u8>,
}

/// What came of a turn.
pub enum Next {
    /// Go on after a while.
    Wait(Duration),
    /// It is over.
    End(Ending, Box<Verdict>),
}

/// Whose log it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Log {
    /// Of the only target: it is written as it comes.
    OfOne,
    /// Of one of many: it names its target, and is written turn by turn.
    OfMany,
}

/// Carries out turns.
pub struct Workers<'w> {
    source: Box<dyn Source>,
    clock: &'w mut dyn Clock,
    log: Log,
    /// Makes the trace ids of the calling thread.
    dice: fastrand::Rng,
    /// What the calling thread has carried out.
    done: VecDeque<Done>,
    pool: Option<Pool>,
}

impl<'w> Workers<'w> {
    /// A pool if more than one request may be in flight and the source can be asked from several threads.
    pub fn new(source: Box<dyn Source>, clock: &'w mut dyn Clock, jobs: usize, log: Log, seed: u64) -> Self {
        let is_shared = jobs > 1 && source.for_thread().is_some() && clock.for_thread().is_some();
        let pool = is_shared.then(|| Pool::new(seed));
        Self { source, clock, log, dice: fastrand::Rng::with_seed(seed), done: VecDeque::new(), pool }
    }

    /// The time of the run.
    pub fn clock(&self) -> &dyn Clock {
        self.clock
    }

    /// Begins a turn.
    pub fn begin(&mut self, task: Task, progress: &mut Progress<'_>) {
        if let Some(pool) = &mut self.pool {
            return pool.begin(task, &*self.source, self.clock);
        }
        let done = match self.log {
            Log::OfOne => carry_out(task, &mut *self.source, self.clock, progress, &mut self.dice),
            Log::OfMany => carry_out_of_many(task, &mut *self.source, self.clock, &mut self.dice),
        };
        self.done.push_back(done);
    }

    /// The next turn that is done, after `wait` at the latest, or earlier with the signal that ended it.
    ///
    /// # Errors
    /// The signal.
    pub fn next(&mut self, wait: Duration, progress: &mut Progress<'_>) -> Result<Option<Done>, Signal> {
        let done = match (self.done.pop_front(), &mut self.pool) {
            (None, Some(pool)) => pool.next(wait, self.clock)?,
            (None, None) => self.clock.sleep(wait).map_or(Ok(None), Err)?,
            (done, _) => done,
        };
        if let Some(done) = &done {
            progress.pass_on(&done.log);
        }
        Ok(done)
    }

    /// Whether a signal has come.
    ///
    /// # Errors
    /// The signal.
    pub fn interrupted(&mut self) -> Result<(), Signal> {
        self.clock.sleep(Duration::ZERO).map_or(Ok(()), Err)
    }

    /// Nothing more will be asked.
    ///
    /// # Errors
    /// What is lost by that.
    pub fn finish(self) -> Result<(), String> {
        self.source.finish()
    }
}

/// Carries out one turn.
fn carry_out(
    task: Task,
    source: &mut dyn Source,
    clock: &mut dyn Clock,
    progress: &mut Progress<'_>,
    dice: &mut fastrand::Rng,
) -> Done {
    let Task { index, mut gate, instead, due } = task;
    let began = clock.now();
    let config = Arc::clone(gate.config());
    let mut session = Session::new(source, clock, progress, dice, &config.api);
    session.shared = config.shared.clone().map(|shared| (shared, due));
    let next = match gate.turn(&mut session, instead) {
        Turn::Wait(wait) => Next::Wait(wait),
        Turn::End(ending, why) => Next::End(ending, Box::new(gate.end(ending, why, &mut session))),
    };
    let (overload, ended) = (session.overload, session.clock.now());
    Done { index, gate, next, time: (began, ended), overload, log: Vec::new() }
}

/// Carries out one turn of one of many targets, whose log is kept.
fn carry_out_of_many(task: Task, source: &mut dyn Source, clock: &mut dyn Clock, dice: &mut fastrand::Rng) -> Done {
    let mut log = Vec::new();
    let mut progress = Progress::of_one(&mut log, task.gate.config().style.clone(), task.gate.target());
    let done = carry_out(task, source, clock, &mut progress, dice);
    Done { log, ..done }
}

/// Threads, as many as there are turns at once. The one that was busy last is the next to get a turn, so that no more
/// threads and connections are made than there is work for.
struct Pool {
    /// Where each thread gets its turns from.
    tasks: Vec<Sender<Task>>,
    idle: Vec<usize>,
    finished: Sender<(usize, Done)>,
    done: Receiver<(usize, Done)>,
    /// Makes those of the threads.
    dice: fastrand::Rng,
}

impl Pool {
    fn new(seed: u64) -> Self {
        let (finished, done) = mpsc::channel();
        Self { tasks: Vec::new(), idle: Vec::new(), finished, done, dice: fastrand::Rng::with_seed(seed) }
    }

    fn begin(&mut self, task: Task, source: &dyn Source, clock: &dyn Clock) {
        let number = match self.idle.pop() {
            Some(number) => number,
            None => match (source.for_thread(), clock.for_thread()) {
                (Some(source), Some(clock)) => self.hire(source, clock),
                _ => return,
            },
        };
        // A thread is there as long as this is.
        let _ = self.tasks[number].send(task);
    }

    /// Another thread, which carries out turns until nobody wants any.
    fn hire(&mut self, mut source: Box<dyn Source + Send>, mut clock: Box<dyn Clock + Send>) -> usize {
        let number = self.tasks.len();
        let (tasks, to_do) = mpsc::channel();
        let (finished, mut dice) = (self.finished.clone(), self.dice.fork());
        std::thread::spawn(move || {
            for task in to_do {
                let done = carry_out_of_many(task, &mut *source, &mut *clock, &mut dice);
                if finished.send((number, done)).is_err() {
                    return;
                }
            }
        });
        self.tasks.push(tasks);
        number
    }

    fn next(&mut self, wait: Duration, clock: &mut dyn Clock) -> Result<Option<Done>, Signal> {
        let until = clock.now().saturating_add(wait);
        loop {
            let slice = until.saturating_sub(clock.now()).min(SignalFlag::ATTENTION);
            if let Ok((number, done)) = self.done.recv_timeout(slice) {
                self.idle.push(number);
                return Ok(Some(done));
            }
            if let Some(signal) = clock.sleep(Duration::ZERO) {
                return Err(signal);
            }
            if clock.now() >= until {
                return Ok(None);
            }
        }
    }
}
