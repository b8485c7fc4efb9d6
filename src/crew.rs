//! Who carries out the turns of many gates: a few threads over one pool of connections.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::clock::{Bell, Clock, RealClock, Signal};
use crate::gate::{Gate, Turn};
use crate::look::Miss;
use crate::progress::Progress;
use crate::report::Verdict;
use crate::session::Session;
use crate::source::Source;
use crate::verdict::Ending;

/// A turn to carry out.
pub struct Task {
    /// Which of the fleet's targets it is.
    pub index: usize,
    /// Its gate.
    pub gate: Box<Gate>,
    /// What stands in place of its first look, if it must not look.
    pub instead: Option<Miss>,
}

/// A turn that was carried out.
pub struct Done {
    /// Which of the fleet's targets it is.
    pub index: usize,
    /// Its gate.
    pub gate: Box<Gate>,
    /// What came of it.
    pub next: Next,
    /// From when to when, since the start of the run.
    pub time: (Duration, Duration),
    /// What there is to be said.
    pub log: Vec<u8>,
    /// How long the server wants to be left alone by everybody; zero if it did not say how long.
    pub overload: Option<Duration>,
}

/// What came of a turn.
pub enum Next {
    /// Go on after a while.
    Wait(Duration),
    /// It is over.
    End(Ending, Box<Verdict>),
}

/// What a crew has to tell.
pub enum News {
    /// A turn is done.
    Done(Box<Done>),
    /// A signal has come.
    Signal(Signal),
    /// Nothing within the time.
    Nothing,
}

/// Carries out turns.
pub trait Crew {
    /// Begins a turn.
    fn begin(&mut self, task: Task);
    /// The next news, after `wait` at the latest.
    fn news(&mut self, wait: Duration) -> News;
}

/// Carries out one turn.
pub fn carry_out(task: Task, source: &mut dyn Source, clock: &mut dyn Clock, seed: u64) -> Done {
    let Task { index, mut gate, instead } = task;
    let mut log = Vec::new();
    let began = clock.now();
    let question = Arc::clone(gate.question());
    let older_paths = &question.place.older_paths;
    let progress = Progress::of_one(&mut log, question.manner, gate.target());
    let mut session = Session::new(source, clock, progress, seed, question.rules.timeout);
    session.by_install = older_paths.get().is_some();
    let next = match gate.turn(&mut session, instead) {
        Turn::Wait(wait) => Next::Wait(wait),
        Turn::End(ending, why) => Next::End(ending, Box::new(gate.end(ending, why, &mut session))),
    };
    if session.by_install {
        older_paths.get_or_init(|| ());
    }
    let (overload, ended) = (session.overload, session.clock.now());
    Done { index, gate, next, time: (began, ended), log, overload }
}

/// Threads, as many as there are turns at once.
pub struct Threads {
    tasks: Sender<Task>,
    done: Receiver<Done>,
    bell: Bell,
}

impl Threads {
    /// So many threads, each of which asks `source` and reads `clock`.
    pub fn new<S: Source + Clone + Send + 'static>(jobs: usize, source: &S, clock: &RealClock, bell: Bell) -> Self {
        let (tasks, to_do) = mpsc::channel();
        let (finished, done) = mpsc::channel();
        let to_do = Arc::new(Mutex::new(to_do));
        for _ in 0..jobs {
            let (to_do, finished) = (Arc::clone(&to_do), finished.clone());
            let (source, clock) = (source.clone(), clock.clone());
            std::thread::spawn(move || work(&to_do, &finished, source, clock));
        }
        Self { tasks, done, bell }
    }
}

/// Carries out turns until nobody wants any. The fleet never waits for a thread, so a signal is not for it.
fn work(to_do: &Mutex<Receiver<Task>>, finished: &Sender<Done>, mut source: impl Source, mut clock: impl Clock) {
    loop {
        let Ok(Ok(task)) = to_do.lock().map(|to_do| to_do.recv()) else { return };
        let done = carry_out(task, &mut source, &mut clock, fastrand::u64(..));
        if finished.send(done).is_err() {
            return;
        }
    }
}

impl Crew for Threads {
    fn begin(&mut self, task: Task) {
        // The threads are there as long as this is.
        let _ = self.tasks.send(task);
    }

    fn news(&mut self, wait: Duration) -> News {
        let mut left = wait;
        loop {
            if let Some(signal) = self.bell.rung() {
                return News::Signal(signal);
            }
            let slice = left.min(Bell::ATTENTION);
            match self.done.recv_timeout(slice) {
                Ok(done) => return News::Done(Box::new(done)),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) if left <= slice => {
                    return News::Nothing;
                }
                Err(_) => left -= slice,
            }
        }
    }
}
