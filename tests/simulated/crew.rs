//! A crew of one, for a clock that jumps: it carries out each turn itself, at once.

use std::collections::VecDeque;
use std::time::Duration;

use deploy_gate::base::clock::Clock;
use deploy_gate::base::source::Source;
use deploy_gate::run::crew::{Crew, News, Task, carry_out};

pub(crate) struct Alone {
    source: Box<dyn Source>,
    clock: Box<dyn Clock>,
    seed: u64,
    done: VecDeque<News>,
}

impl Alone {
    pub(crate) fn new(source: Box<dyn Source>, clock: Box<dyn Clock>, seed: u64) -> Self {
        Self { source, clock, seed, done: VecDeque::new() }
    }
}

impl Crew for Alone {
    fn begin(&mut self, task: Task) {
        self.seed += 1;
        self.done.push_back(News::Done(Box::new(carry_out(task, &mut *self.source, &mut *self.clock, self.seed))));
    }

    fn news(&mut self, wait: Duration) -> News {
        // A signal comes before any answer.
        if let Some(signal) = self.clock.sleep(Duration::ZERO) {
            return News::Signal(signal);
        }
        match self.done.pop_front() {
            Some(done) => done,
            None => self.clock.sleep(wait).map_or(News::Nothing, News::Signal),
        }
    }
}
