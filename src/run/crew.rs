//! Who carries out the turns of many gates: a few threads over one pool of connections.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use crate::base::clock::{Bell, Clock, RealClock, Signal};
use crate::base::outcome::Ending;
use crate::base::source::Source;
use crate::nuon::look::Miss;
use crate::report::Verdict;
use crate::report::progress::Progress;
use crate::run::gate::{Gate, Turn};
use crate::run::session::Session;

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
    let progress = Progress::of_one(&mut log, question.manner.clone(), gate.target());
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

/// Threads, as many as there are turns at once. The one that was busy last is the next to get a turn, so that no more
/// threads and connections are made than there is work for.
pub struct Threads<S> {
    source: S,
    clock: RealClock,
    bell: Bell,
    /// Where each thread gets its turns from.
    tasks: Vec<Sender<Task>>,
    idle: Vec<usize>,
    finished: Sender<(usize, Done)>,
    done: Receiver<(usize, Done)>,
}

impl<S: Source + Clone + Send + 'static> Threads<S> {
    /// No thread yet. Each will ask `source` and read `clock`; a signal on `bell` is news.
    pub fn new(source: S, clock: RealClock, bell: Bell) -> Self {
        let (finished, done) = mpsc::channel();
        Self { source, clock, bell, tasks: Vec::new(), idle: Vec::new(), finished, done }
    }

    /// Another thread, which carries out turns until nobody wants any.
    fn hire(&mut self) -> usize {
        let number = self.tasks.len();
        let (tasks, to_do) = mpsc::channel();
        let (mut source, mut clock, finished) = (self.source.clone(), self.clock.clone(), self.finished.clone());
        std::thread::spawn(move || {
            for task in to_do {
                let done = carry_out(task, &mut source, &mut clock, fastrand::u64(..));
                if finished.send((number, done)).is_err() {
                    return;
                }
            }
        });
        self.tasks.push(tasks);
        number
    }
}

impl<S: Source + Clone + Send + 'static> Crew for Threads<S> {
    fn begin(&mut self, task: Task) {
        let number = self.idle.pop().unwrap_or_else(|| self.hire());
        // A thread is there as long as this is.
        let _ = self.tasks[number].send(task);
    }

    fn news(&mut self, wait: Duration) -> News {
        let mut left = wait;
        loop {
            if let Some(signal) = self.bell.rung() {
                return News::Signal(signal);
            }
            let slice = left.min(Bell::ATTENTION);
            if let Ok((number, done)) = self.done.recv_timeout(slice) {
                self.idle.push(number);
                return News::Done(Box::new(done));
            }
            if left <= slice {
                return News::Nothing;
            }
            left -= slice;
        }
    }
}
