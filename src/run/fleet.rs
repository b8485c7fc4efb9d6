//! Many targets in one run: a heap of next looks, a few turns at once, one verdict.
//!
//! The fleet passes if as many targets passed as have to, and it ends as soon as that, or its contrary, is certain.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Duration;

use crate::base::clock::{Clock, Signal};
use crate::base::outcome::Ending;
use crate::nuon::look::Miss;
use crate::nuon::target::Target;
use crate::report::progress::Progress;
use crate::report::{self, Report, ShardSeen, Verdict};
use crate::run::crew::{Crew, Done, News, Next, Task};
use crate::run::gate::Gate;
use crate::run::plan::{Plan, Question};
use crate::run::quorum::Quorum;
use crate::run::session::LAST_LOOK;
use crate::run::spec::Wanted;
use crate::run::world::World;
use crate::text::format;
use crate::watch::schedule::Schedule;

/// How many targets the live table has at most.
const ROWS: usize = 10;

/// What is gated, and when it passes.
pub struct Targets {
    /// The targets of this run.
    pub wanted: Vec<Wanted>,
    /// How many there are in the whole fleet.
    pub all: usize,
    /// Which share these are.
    pub shard: Option<ShardSeen>,
    /// How many have to pass.
    pub quorum: Quorum,
}

/// Runs a fleet and returns its exit code.
pub fn run(targets: Targets, jobs: usize, plan: Plan, crew: &mut dyn Crew, world: &mut World<'_>) -> u8 {
    let Targets { wanted, all, shard, quorum } = targets;
    let started = world.clock.utc();
    let Plan { mut question, teller } = plan;
    question.rules.began = started;
    let (question, lost) = (Arc::new(question), teller.lost());
    let mut fleet = Fleet::new(wanted, quorum, jobs, &question, world.seed);
    let mut progress = Progress::new(world.err, question.manner.clone());
    let share = shard.as_ref().map_or_else(String::new, |shard| format!(", shard {} of {}", shard.index, shard.of));
    let opening = format!(
        "waiting up to {} for {} targets{share} at {}",
        format::duration(question.rules.timeout),
        fleet.slots.len(),
        question.place.api
    );
    progress.open(world.clock.now(), started, &opening);
    let signal = if lost.is_some() { None } else { fleet.find_out(crew, world.clock, &mut progress) };
    progress.close(world.clock.utc());
    let (passed, ending, message) = fleet.outcome(signal, lost);
    let verdicts = fleet.verdicts(signal, world.clock);
    let mut report = Report::new(ending, message, verdicts, started, world.clock);
    report.fleet = Some(report::Fleet { targets: all, passed, min_pass: quorum.min_pass, shard });
    teller.tell(report, Ok(()), world.out, world.err)
}

struct Fleet {
    slots: Vec<Slot>,
    /// When each waiting target is to be looked at, the soonest first.
    due: BinaryHeap<Reverse<(Duration, usize)>>,
    /// How many turns are being carried out, and how many may be.
    busy: usize,
    jobs: usize,
    quorum: Quorum,
    deadline: Duration,
    /// Until when the server wants to be left alone, by all.
    not_before: Duration,
    /// How long that is where the server does not say.
    brake: Schedule,
    passed: usize,
    others: usize,
}

/// Where a target is.
enum Slot {
    Waiting(Box<Gate>),
    /// Its gate is with the crew.
    Busy(Target),
    Ended(Ending, Box<Verdict>),
}

impl Slot {
    fn is_at(&self, target: &Target) -> bool {
        match self {
            Slot::Waiting(gate) => gate.target() == target,
            Slot::Busy(busy) => busy == target,
            Slot::Ended(_, ended) => ended.install == target.install && ended.component == target.component,
        }
    }
}

impl Fleet {
    fn new(wanted: Vec<Wanted>, quorum: Quorum, jobs: usize, question: &Arc<Question>, seed: u64) -> Self {
        let (first, longest) = question.intervals;
        let count = u32::try_from(wanted.len()).unwrap_or(u32::MAX);
        // Spread, so that they do not all ask at once, now and ever after.
        let due = (0..count).zip(0..).map(|(nth, index)| Reverse((first * nth / count, index))).collect();
        let gate = |(seed, wanted): (u64, Wanted)| Gate::new(wanted.target, wanted.pins, question, seed);
        let slots = (seed..).zip(wanted).map(gate).map(|gate| Slot::Waiting(Box::new(gate))).collect();
        let brake = Schedule::new(first, longest, seed);
        let deadline = question.rules.timeout;
        Self { slots, due, busy: 0, jobs, quorum, deadline, not_before: Duration::ZERO, brake, passed: 0, others: 0 }
    }

    /// Goes on until the outcome is certain, or a signal comes.
    fn find_out(&mut self, crew: &mut dyn Crew, clock: &dyn Clock, progress: &mut Progress<'_>) -> Option<Signal> {
        while self.quorum.certain(self.passed, self.others).is_none() {
            while let Some(task) = self.task(clock.now()) {
                self.busy += 1;
                crew.begin(task);
            }
            let now = clock.now();
            let wait = self.next().map_or(Duration::MAX, |next| next.saturating_sub(now));
            let enough = progress.linger_over_many(now, &self.so_far(), || self.rows());
            match crew.news(wait.min(enough)) {
                News::Done(done) => self.take(*done, progress),
                News::Signal(signal) => return Some(signal),
                News::Nothing => {}
            }
        }
        None
    }

    /// How many targets are open.
    fn open(&self) -> usize {
        self.slots.len() - self.passed - self.others
    }

    /// When the next turn can begin, if nothing that is under way comes first.
    fn next(&self) -> Option<Duration> {
        let Reverse((due, _)) = self.due.peek().filter(|_| self.busy < self.jobs)?;
        Some(if self.is_beyond_hope() { Duration::ZERO } else { (*due).max(self.not_before) })
    }

    /// Whether the server wants to be left alone until after the deadline.
    fn is_beyond_hope(&self) -> bool {
        self.not_before > self.deadline
    }

    /// A turn that can begin now.
    fn task(&mut self, now: Duration) -> Option<Task> {
        self.next().filter(|next| *next <= now)?;
        let Reverse((_, index)) = self.due.pop()?;
        let instead = if self.is_beyond_hope() {
            let wait = self.not_before.saturating_sub(now);
            Some(Miss { retry_after: Some(wait), ..Miss::new("the server is overloaded") })
        } else {
            (now > self.deadline + LAST_LOOK).then(|| Miss::new("it was not polled before the deadline"))
        };
        match std::mem::replace(&mut self.slots[index], Slot::Busy(Target::default())) {
            Slot::Waiting(gate) => {
                self.slots[index] = Slot::Busy(gate.target().clone());
                Some(Task { index, gate, instead })
            }
            // Only what waits is in the heap.
            other => {
                self.slots[index] = other;
                None
            }
        }
    }

    /// Takes note of what came of a turn.
    fn take(&mut self, done: Done, progress: &mut Progress<'_>) {
        self.busy -= 1;
        progress.pass_on(&done.log);
        let (began, ended) = done.time;
        match done.overload {
            // Those that were under way together and were told no time are told it once.
            Some(Duration::ZERO) if began < self.not_before => {}
            Some(wait) => {
                let wait = if wait.is_zero() { self.brake.next_wait() } else { wait };
                let until = ended.saturating_add(wait);
                if until > self.not_before {
                    self.not_before = until;
                    let wait = format::duration(wait);
                    progress.say(ended, &format!("the server is overloaded: all targets wait {wait}"));
                }
            }
            None => self.brake.restart(),
        }
        let twin = self.twin(&done);
        self.slots[done.index] = match done.next {
            _ if twin.is_some() => {
                let why = twin.unwrap_or_default();
                self.others += 1;
                progress.say(ended, &why);
                let verdict = Verdict::unknown(done.gate.target(), Ending::NotFound, &why);
                Slot::Ended(Ending::NotFound, Box::new(verdict))
            }
            Next::Wait(wait) => {
                self.due.push(Reverse((ended + wait, done.index)));
                Slot::Waiting(done.gate)
            }
            Next::End(ending, verdict) => {
                let count = if ending == Ending::Passed { &mut self.passed } else { &mut self.others };
                *count += 1;
                progress
                    .say(ended, &format!("{}: {}: {}", done.gate.target(), ending.outcome().name(), verdict.message));
                Slot::Ended(ending, verdict)
            }
        };
    }

    /// What is wrong if the names of a target turn out to be those of another one: it would count twice.
    fn twin(&self, done: &Done) -> Option<String> {
        let (target, slot) = (done.gate.target(), &self.slots[done.index]);
        let is_new = !slot.is_at(target);
        let is_there = is_new && self.slots.iter().any(|slot| slot.is_at(target));
        is_there.then(|| format!("a target given by name is {target}, which is a target already"))
    }

    fn so_far(&self) -> String {
        let total = self.slots.len();
        let others = if self.others == 0 { String::new() } else { format!(", {} did not", self.others) };
        format!("{} of {total} targets passed{others}, {} still waiting", self.passed, self.open())
    }

    /// A row for each of the first targets that are still waiting.
    fn rows(&self) -> Vec<String> {
        let row = |slot: &Slot| match slot {
            Slot::Waiting(gate) => Some(format!("{}: {}", gate.target(), gate.so_far())),
            Slot::Busy(_) | Slot::Ended(..) => None,
        };
        self.slots.iter().filter_map(row).take(ROWS).collect()
    }

    /// Where the user told the gate to read the server otherwise, the verdict says so.
    fn read_otherwise(&self) -> String {
        let passed = self.slots.iter().filter_map(|slot| match slot {
            Slot::Ended(Ending::Passed, verdict) => Some(verdict.message.as_str()),
            _ => None,
        });
        let all = passed.collect::<String>();
        ["--status", "--until applied"]
            .iter()
            .filter(|flag| all.contains(*flag))
            .map(|flag| format!(" ({flag})"))
            .collect()
    }

    /// How many passed, how the run ends, and why.
    fn outcome(&self, signal: Option<Signal>, lost: Option<String>) -> (usize, Ending, String) {
        let total = self.slots.len();
        let count = format!("{} of {total} targets passed", self.passed);
        let mut ended: Vec<(Ending, &Verdict)> = self
            .slots
            .iter()
            .filter_map(|slot| match slot {
                Slot::Ended(ending, verdict) if *ending != Ending::Passed => Some((*ending, &**verdict)),
                _ => None,
            })
            .collect();
        ended.sort_by_key(|(ending, _)| ending.gravity());
        let (ending, message) = match (lost, signal, self.quorum.certain(self.passed, self.others)) {
            (Some(lost), ..) => (Ending::OutputNotWritten, lost),
            (None, Some(signal), _) => (Ending::Interrupted(signal), format!("{count} until then")),
            (None, None, Some(true)) if self.passed == total => {
                let all = match total {
                    0 => "this shard has no target, the others have all of them".into(),
                    1 => "the target passed".into(),
                    _ => format!("all {total} targets passed"),
                };
                (Ending::Passed, all + &self.read_otherwise())
            }
            (None, None, Some(true)) => (Ending::Passed, format!("{count}; {}{}", self.quorum, self.read_otherwise())),
            // The loop ends only when it is certain; whatever else there may be is no pass.
            (None, None, Some(false) | None) => match ended.first() {
                Some((ending, worst)) => {
                    let target = format!("{} / {}", worst.install, worst.component);
                    (*ending, format!("{count}, and {}; {target}: {}", self.quorum, worst.message))
                }
                None => (Ending::NotAwaited, count),
            },
        };
        (self.passed, ending, message)
    }

    /// The verdict of every target, the worst first.
    fn verdicts(self, signal: Option<Signal>, clock: &dyn Clock) -> Vec<Verdict> {
        let open = signal.map_or(Ending::NotAwaited, Ending::Interrupted);
        let mut all: Vec<(Ending, Verdict)> = Vec::new();
        for slot in self.slots {
            all.push(match slot {
                Slot::Ended(ending, verdict) => (ending, *verdict),
                Slot::Waiting(mut gate) => {
                    let so_far = gate.so_far();
                    (open, gate.verdict(open, so_far, clock))
                }
                Slot::Busy(target) => {
                    (open, Verdict::unknown(&target, open, "the outcome was certain before its request was answered"))
                }
            });
        }
        all.sort_by_key(|(ending, _)| ending.gravity());
        all.into_iter().map(|(_, verdict)| verdict).collect()
    }
}
