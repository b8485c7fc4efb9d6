//! Runs the gates of all targets: a list of next looks, a few turns at once, one result.
//!
//! A run passes if as many targets passed as have to, and it ends as soon as that, or its contrary, is certain. One
//! target is a run like any other; only its log and its result speak of it alone.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::base::clock::{Clock, Signal};
use crate::base::outcome::Ending;
use crate::base::source::Source;
use crate::nuon::branch_run::Updated;
use crate::nuon::id::{ComponentId, InstallId, WorkflowId};
use crate::nuon::look::Miss;
use crate::nuon::target::Target;
use crate::report::progress::Progress;
use crate::report::result::{FleetSummary, Report, Verdict};
use crate::run::config::{GateConfig, Plan};
use crate::run::gate::Gate;
use crate::run::query::{List, Query};
use crate::run::quorum::Quorum;
use crate::run::session::Session;
use crate::run::shared::Shared;
use crate::run::spec::{Choice, Chosen, Fleet, TargetSpec, Wanted};
use crate::run::workers::{Done, Log, Next, Task, Workers};
use crate::run::world::World;
use crate::text::format;
use crate::watch::schedule::{self, Schedule};
use crate::watch::step::Event;

/// How much later than the deadline the last look at a target may begin, where many are looked at then.
const LAST_LOOK: Duration = Duration::from_secs(2);
/// How long the last looks take in all, once the outcome is certain.
const LAST_LOOKS: Duration = Duration::from_secs(60);
/// How many of the targets that the server listed are said in the log.
const SHOWN: usize = 20;
/// How many targets the live table has at most.
const ROWS: usize = 10;

/// Runs the gates and returns the exit code. `opening` is the first line of the log.
pub fn run(
    opening: &str,
    wanted: Wanted,
    jobs: usize,
    plan: Plan,
    mut source: Box<dyn Source>,
    world: &mut World<'_>,
) -> u8 {
    let started = world.clock.utc();
    let Plan { mut config, reporter } = plan;
    config.rules.began = started;
    let mut progress = Progress::new(world.err, config.style.clone());
    progress.open(world.clock.now(), started, opening);
    for warning in &config.warnings {
        progress.tell(world.clock.now(), &Event::Warning(warning.clone()), "");
    }
    let lost = reporter.lost();
    let chosen = match (wanted, &lost) {
        (Wanted::Chosen(chosen), _) => Ok((chosen, Shared::default())),
        (Wanted::Run(spec, choice), _) => Ok((Chosen::of_run(spec, choice), Shared::default())),
        (Wanted::Query(..), Some(lost)) => Err((Ending::OutputNotWritten, lost.clone())),
        (Wanted::Query(query, choice), None) => {
            let mut dice = fastrand::Rng::with_seed(world.seed);
            let mut session = Session::new(&mut *source, world.clock, &mut progress, &mut dice, &config.api);
            choose(&query, choice, &mut session, &config, world.seed)
        }
    };
    let (report, recorded) = match chosen {
        Err((ending, why)) => {
            progress.close(world.clock.utc());
            let fleet = FleetSummary { targets: 0, passed: 0, min_pass: 0, shard: None };
            let report = Report::new(ending, why, Vec::new(), started, world.clock);
            (Report { fleet: Some(fleet), ..report }, source.finish())
        }
        Ok((chosen, shared)) => {
            config.shared = (chosen.specs.len() > 1 || chosen.run.is_some()).then(|| Arc::new(shared));
            let config = Arc::new(config);
            let log = if chosen.fleet.is_some() { Log::OfMany } else { Log::OfOne };
            let mut workers = Workers::new(source, world.clock, jobs, log, world.seed);
            let report =
                gate_all(chosen, (jobs, log), &config, lost, &mut workers, &mut progress, (started, world.seed));
            (report, workers.finish())
        }
    };
    reporter.tell(report, recorded, world.out, world.err)
}

/// The targets that the server lists, and what their list has shown.
///
/// # Errors
/// How the run ends without them, and why.
fn choose(
    query: &Query,
    choice: Choice,
    session: &mut Session<'_, '_>,
    config: &GateConfig,
    seed: u64,
) -> Result<(Chosen, Shared), (Ending, String)> {
    let (first, longest) = config.intervals;
    let targets = query.find(session, Schedule::new(first, longest, seed), config.rules.timeout)?;
    let spec = |target| TargetSpec::of_deploy(target, query.pins.clone());
    let specs: Vec<TargetSpec> = targets.into_iter().map(spec).collect();
    let now = session.clock.now();
    let shared = Shared::default();
    if let List::Installs { .. } = query.list {
        shared.list(specs.iter().map(|spec| spec.target.install.clone()), now);
    }
    let shown: Vec<String> = specs.iter().take(SHOWN).map(|spec| spec.target.to_string()).collect();
    let more = specs.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    let all = format!("{} targets: {}{more}", specs.len(), shown.join(", "));
    session.progress.say(now, &all);
    choice
        .of(specs)
        .map(|chosen| (chosen, shared))
        .map_err(|why| (Ending::NeverAppeared, format!("{query}: {why}; what the token may not read is not listed")))
}

/// Runs the gates of all targets.
fn gate_all(
    chosen: Chosen,
    (jobs, log): (usize, Log),
    config: &Arc<GateConfig>,
    lost: Option<String>,
    workers: &mut Workers<'_>,
    progress: &mut Progress<'_>,
    (started, seed): (Option<Timestamp>, u64),
) -> Report {
    let Chosen { specs, quorum, fleet, run } = chosen;
    let mut driver = Driver::new(specs, quorum, (jobs, log), config, seed);
    driver.run = run.map(|choice| Run { choice, known: HashSet::new(), named: BTreeSet::new(), ended: None });
    let signal = if lost.is_some() { None } else { driver.find_out(workers, progress).err() };
    progress.close(workers.clock().utc());
    let (passed, ending, message) = driver.outcome(signal, lost);
    let (of_run, min_pass) = (driver.run.is_some().then(|| driver.total()), driver.quorum.min_pass);
    let mut verdicts = driver.verdicts(signal, (ending, &message), workers.clock());
    match (fleet, verdicts.pop()) {
        (None, Some(only)) if verdicts.is_empty() => {
            Report::new(ending, only.message.clone(), vec![only], started, workers.clock())
        }
        (fleet, last) => {
            verdicts.extend(last);
            let fleet = fleet.map(|Fleet { targets, shard }| FleetSummary {
                targets: of_run.unwrap_or(targets),
                passed,
                min_pass,
                shard,
            });
            Report { fleet, ..Report::new(ending, message, verdicts, started, workers.clock()) }
        }
    }
}

struct Driver {
    slots: Vec<Slot>,
    /// When each waiting target is to be looked at, the soonest first.
    due: BTreeSet<(Duration, usize)>,
    /// The targets of each workflow that several are pinned to: they look together, since one look serves them all.
    mates: HashMap<WorkflowId, Vec<usize>>,
    /// How soon after a look another may come, at the earliest.
    apart: Duration,
    /// How many turns are being carried out, and how many may be.
    busy: usize,
    jobs: usize,
    log: Log,
    quorum: Quorum,
    deadline: Duration,
    /// Until when the server wants to be left alone, by all.
    not_before: Duration,
    /// How long that is where the server does not say.
    brake: Schedule,
    passed: usize,
    others: usize,
    /// Whether the outcome is certain, and each open target is looked at for the last time.
    is_closing: bool,
    /// The branch run that names the targets: it is the first slot, and none of them.
    run: Option<Run>,
    config: Arc<GateConfig>,
    seed: u64,
}

/// A branch run that names the targets.
struct Run {
    /// How many of them must pass, and how many there must be.
    choice: Choice,
    /// Those that have a slot.
    known: HashSet<(InstallId, WorkflowId)>,
    /// Every install that was listed once, whether or not it still is.
    named: BTreeSet<InstallId>,
    /// How it ended.
    ended: Option<Ending>,
}

/// Where a target is.
enum Slot {
    /// For a look that is due then; the last one was over then.
    Waiting {
        gate: Box<Gate>,
        due: Duration,
        looked: Duration,
    },
    /// Its gate is with a worker.
    Busy(Target),
    Ended(Ending, Box<Verdict>),
}

impl Slot {
    fn due(&self) -> Option<Duration> {
        match self {
            Slot::Waiting { due, .. } => Some(*due),
            Slot::Busy(_) | Slot::Ended(..) => None,
        }
    }

    fn is_at(&self, target: &Target) -> bool {
        self.ids() == (&target.install, &target.component)
    }

    /// The ids of its install and component.
    fn ids(&self) -> (&str, &str) {
        match self {
            Slot::Waiting { gate, .. } => (&gate.target().install, &gate.target().component),
            Slot::Busy(target) => (&target.install, &target.component),
            Slot::Ended(_, ended) => (&ended.install, &ended.component),
        }
    }
}

impl Driver {
    fn new(
        specs: Vec<TargetSpec>,
        quorum: Quorum,
        (jobs, log): (usize, Log),
        config: &Arc<GateConfig>,
        seed: u64,
    ) -> Self {
        let (first, longest) = config.intervals;
        let count = u32::try_from(specs.len()).unwrap_or(u32::MAX);
        let mut mates: HashMap<WorkflowId, Vec<usize>> = HashMap::new();
        for (index, spec) in specs.iter().enumerate() {
            if let Some(workflow) = spec.pins.workflow() {
                mates.entry(workflow.clone()).or_default().push(index);
            }
        }
        mates.retain(|_, mates| mates.len() > 1);
        let slot = |(index, spec): (usize, TargetSpec)| {
            // Those that look together begin together, and wait alike.
            let mates = spec.pins.workflow().and_then(|workflow| mates.get(workflow));
            let nth = mates.and_then(|mates| mates.first()).map_or(index, |first| *first);
            // Spread, so that not all ask at once, now and ever after.
            let due = first * u32::try_from(nth).unwrap_or(u32::MAX) / count;
            let gate = Gate::new(spec, config, seed.wrapping_add(nth as u64));
            Slot::Waiting { gate: Box::new(gate), due, looked: Duration::ZERO }
        };
        let slots: Vec<Slot> = specs.into_iter().enumerate().map(slot).collect();
        let due = slots.iter().enumerate().filter_map(|(index, slot)| Some((slot.due()?, index))).collect();
        let apart = first.mul_f64(1.0 - schedule::JITTER);
        let brake = Schedule::new(first, longest, seed);
        let deadline = config.rules.timeout;
        let (busy, not_before, passed, others, is_closing) = Default::default();
        Self {
            slots,
            due,
            mates,
            apart,
            busy,
            jobs,
            log,
            quorum,
            deadline,
            not_before,
            brake,
            passed,
            others,
            is_closing,
            run: None,
            config: Arc::clone(config),
            seed,
        }
    }

    /// How many targets there are.
    fn total(&self) -> usize {
        self.slots.len() - usize::from(self.run.is_some())
    }

    /// Takes up the installs that the branch run has begun to update.
    fn take_up(&mut self, updated: &[Updated], now: Duration, progress: &mut Progress<'_>) {
        let Some(run) = &mut self.run else { return };
        let mut begun = Vec::new();
        for entry in updated {
            run.named.extend(entry.install.clone());
            if let (Some(install), Some(workflow)) = (&entry.install, &entry.workflow)
                && run.known.insert((install.clone(), workflow.clone()))
            {
                begun.push((install.clone(), workflow.clone()));
            }
        }
        for (install, workflow) in begun {
            progress.say(now, &format!("{install} is updated by workflow {workflow}"));
            let index = self.slots.len();
            let spec = TargetSpec::of_workflow(install, workflow);
            let gate = Box::new(Gate::new(spec, &self.config, self.seed.wrapping_add(index as u64)));
            self.slots.push(Slot::Waiting { gate, due: now, looked: Duration::ZERO });
            self.due.insert((now, index));
        }
    }

    /// The branch run is watched no more: now it is known how many targets there are, and how it ended. What it was to
    /// update and never began to is one that never appeared.
    fn settle_run(&mut self, (ending, why): (Ending, String), updated: &[Updated]) -> (Ending, String) {
        let unnamed = updated.iter().filter(|entry| entry.workflow.is_none()).filter_map(|entry| entry.install.clone());
        let mut never: BTreeSet<InstallId> = unnamed.collect();
        if let Some(run) = &self.run {
            let has_begun = |install: &InstallId| run.known.iter().any(|(begun, _)| begun == install);
            never.extend(run.named.iter().filter(|install| !has_begun(install)).cloned());
        }
        for install in never {
            let target = Target { install, component: ComponentId::all() };
            let (ending, why) = match ending {
                Ending::Passed => {
                    (Ending::NeverAppeared, "the branch run has ended without a workflow that updates this install")
                }
                _ => (Ending::NotAwaited, "the branch run has not begun to update this install"),
            };
            let verdict = Verdict::unknown(&target, ending, why);
            self.slots.push(Slot::Ended(ending, Box::new(verdict)));
            self.others += 1;
        }
        let total = self.total();
        let Some(run) = &mut self.run else { return (ending, why) };
        let ended = match run.choice.quorum(total) {
            Ok(quorum) => {
                self.quorum = quorum;
                (ending, why)
            }
            Err(too_few) if ending == Ending::Passed => (Ending::NeverAppeared, format!("{why}, and {too_few}")),
            Err(_) => (ending, why),
        };
        run.ended = Some(ended.0);
        ended
    }

    /// Whether the run passes, as soon as that is certain.
    fn certain(&self) -> Option<bool> {
        match &self.run {
            None => self.quorum.certain(self.passed, self.others),
            Some(Run { ended: Some(Ending::Passed), .. }) => self.quorum.certain(self.passed, self.others),
            Some(Run { ended: Some(_), .. }) => Some(false),
            // All must pass that there are and will be.
            Some(Run { choice, .. }) => (choice.min_pass.is_none() && self.others > 0).then_some(false),
        }
    }

    /// Goes on until the outcome is certain; then every open target gets one last look, so that the report is whole.
    ///
    /// # Errors
    /// The signal that came before.
    fn find_out(&mut self, workers: &mut Workers<'_>, progress: &mut Progress<'_>) -> Result<(), Signal> {
        while !self.is_over() {
            self.go_on(Duration::MAX, workers, progress)?;
        }
        let now = workers.clock().now();
        let until = self.deadline.min(now + LAST_LOOKS);
        if self.open() == 0 || now < self.not_before {
            return Ok(());
        }
        self.is_closing = true;
        // A workflow that failed is seen twice, and what a branch run has failed with may not have been looked at yet.
        let rounds = if self.run.is_some() { 2 } else { 1 };
        for _ in 0..rounds {
            let now = workers.clock().now();
            let open = self.slots.iter().enumerate().filter(|(_, slot)| slot.due().is_some());
            self.due = open.map(|(index, _)| (now, index)).collect();
            while (!self.due.is_empty() || self.busy > 0) && workers.clock().now() < until {
                self.go_on(until, workers, progress)?;
            }
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        !(self.quorum.awaits_all && self.open() > 0) && self.certain().is_some()
    }

    /// Begins the turns that are due, and waits for one to end, at `until` at the latest.
    fn go_on(&mut self, until: Duration, workers: &mut Workers<'_>, progress: &mut Progress<'_>) -> Result<(), Signal> {
        while let Some(task) = self.task(workers.clock().now()) {
            self.busy += 1;
            workers.begin(task, progress);
        }
        let now = workers.clock().now();
        let wait = self.next().map_or(Duration::MAX, |next| next.saturating_sub(now));
        let wait = wait.min(until.saturating_sub(now)).min(self.linger(now, wait, progress));
        if let Some(done) = workers.next(wait, progress)? {
            self.take(done, progress)?;
            if !self.is_over() {
                workers.interrupted()?;
            }
        }
        Ok(())
    }

    /// Shows that the run is still there, and returns how long that is enough.
    fn linger(&self, now: Duration, wait: Duration, progress: &mut Progress<'_>) -> Duration {
        match (self.log, self.slots.first()) {
            (Log::OfOne, Some(Slot::Waiting { gate, .. })) => progress.linger(now, &gate.so_far(), wait),
            (Log::OfOne, _) => Duration::MAX,
            (Log::OfMany, _) => progress.linger_over_many(now, &self.so_far(), || self.rows()),
        }
    }

    /// How many targets are open.
    fn open(&self) -> usize {
        let of_run = self.run.as_ref().is_some_and(|run| run.ended.is_some());
        self.slots.len() - self.passed - self.others - usize::from(of_run)
    }

    /// When the next turn can begin, if nothing that is under way comes first.
    fn next(&self) -> Option<Duration> {
        let (due, _) = self.due.first().filter(|_| self.busy < self.jobs)?;
        Some(if self.is_beyond_hope() { Duration::ZERO } else { (*due).max(self.not_before) })
    }

    /// Whether the server wants to be left alone until after the deadline.
    fn is_beyond_hope(&self) -> bool {
        self.not_before > self.deadline
    }

    /// A turn that can begin now.
    fn task(&mut self, now: Duration) -> Option<Task> {
        self.next().filter(|next| *next <= now)?;
        let (due, index) = self.due.pop_first()?;
        let instead = if self.is_beyond_hope() {
            let wait = self.not_before.saturating_sub(now);
            Some(Miss { retry_after: Some(wait), ..Miss::new("the server is overloaded") })
        } else {
            (now > self.deadline + LAST_LOOK).then(|| Miss::new("it was not polled before the deadline"))
        };
        // Only what waits is due.
        let Slot::Waiting { gate, .. } = &self.slots[index] else { return None };
        let busy = Slot::Busy(gate.target().clone());
        let Slot::Waiting { gate, .. } = std::mem::replace(&mut self.slots[index], busy) else { return None };
        if let Some(workflow) = gate.workflow() {
            self.call_mates(workflow, due, now);
        }
        Some(Task { index, gate, instead, due })
    }

    /// Whoever waits for the same workflow looks now, too: it costs nothing.
    fn call_mates(&mut self, workflow: &WorkflowId, due: Duration, now: Duration) {
        for mate in self.mates.get(workflow).into_iter().flatten() {
            if let Slot::Waiting { due: own, looked, .. } = &mut self.slots[*mate]
                && *own > due
                && due >= *looked + self.apart
                && now >= due
            {
                self.due.remove(&(*own, *mate));
                self.due.insert((due, *mate));
                *own = due;
            }
        }
    }

    /// Takes note of what came of a turn.
    ///
    /// # Errors
    /// The signal that ended it.
    fn take(&mut self, mut done: Done, progress: &mut Progress<'_>) -> Result<(), Signal> {
        self.busy -= 1;
        let is_of_many = self.log == Log::OfMany;
        let (_, ended) = done.time;
        if is_of_many {
            self.brake(&done, progress);
        }
        let twin = self.twin(&done);
        let mut signal = Ok(());
        let is_run = self.run.is_some() && done.index == 0;
        if is_run {
            let updated = done.gate.updated().to_vec();
            self.take_up(&updated, ended, progress);
            if let Next::End(ending, verdict) = &mut done.next {
                let message = std::mem::take(&mut verdict.message);
                (*ending, verdict.message) = self.settle_run((*ending, message), &updated);
            }
        }
        self.slots[done.index] = match done.next {
            _ if twin.is_some() => {
                let why = twin.unwrap_or_default();
                self.others += 1;
                progress.say(ended, &why);
                let verdict = Verdict::unknown(done.gate.target(), Ending::NotFound, &why);
                Slot::Ended(Ending::NotFound, Box::new(verdict))
            }
            Next::Wait(wait) => {
                let due = ended + wait;
                if !self.is_closing {
                    self.due.insert((due, done.index));
                }
                if !is_of_many {
                    progress.say_more(ended, &format!("next look in {}", format::duration(wait)));
                }
                Slot::Waiting { gate: done.gate, due, looked: ended }
            }
            Next::End(ending, verdict) => {
                match ending {
                    _ if is_run => {}
                    Ending::Passed => self.passed += 1,
                    _ => self.others += 1,
                }
                if let Ending::Interrupted(with) = ending {
                    signal = Err(with);
                }
                if is_of_many {
                    let outcome = ending.outcome().name();
                    progress.say(ended, &format!("{}: {outcome}: {}", done.gate.target(), verdict.message));
                }
                Slot::Ended(ending, verdict)
            }
        };
        signal
    }

    /// A server that has too much to do is left alone by all targets.
    fn brake(&mut self, done: &Done, progress: &mut Progress<'_>) {
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
    }

    /// What is wrong if the names of a target turn out to be those of another one: it would count twice.
    fn twin(&self, done: &Done) -> Option<String> {
        let (target, slot) = (done.gate.target(), &self.slots[done.index]);
        let is_new = !slot.is_at(target);
        let is_there = is_new && self.slots.iter().any(|slot| slot.is_at(target));
        is_there.then(|| format!("a target given by name is {target}, which is a target already"))
    }

    fn so_far(&self) -> String {
        let total = self.total();
        let others = if self.others == 0 { String::new() } else { format!(", {} did not", self.others) };
        format!("{} of {total} targets passed{others}, {} still waiting", self.passed, self.open())
    }

    /// A row for each of the first targets that are still waiting: where it is, and then which it is, without what all of
    /// them share.
    fn rows(&self) -> Vec<String> {
        let ids = || self.slots.iter().map(Slot::ids);
        let first = ids().next().unwrap_or_default();
        let (one_install, one_component) = (ids().all(|(id, _)| id == first.0), ids().all(|(_, id)| id == first.1));
        let row = |slot: &Slot| {
            let status = match slot {
                Slot::Waiting { gate, .. } => gate.status(),
                Slot::Busy(_) => "looked at",
                Slot::Ended(..) => return None,
            };
            let name = match (slot.ids(), one_install, one_component) {
                ((_, component), true, false) => component.into(),
                ((install, _), false, true) => install.into(),
                ((install, component), ..) => format!("{install} / {component}"),
            };
            Some(format!("{status:<16} {name}"))
        };
        let mut rows: Vec<String> = self.slots.iter().filter_map(row).take(ROWS).collect();
        let more = self.open().saturating_sub(rows.len());
        rows.extend((more > 0).then(|| format!("and {more} more")));
        rows
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
        let total = self.total();
        let count = format!("{} of {total} targets passed", self.passed);
        // Where an install has failed, that is why its branch run has.
        let (run, targets) = self.slots.split_at(usize::from(self.run.is_some()));
        let mut ended: Vec<(Ending, &Verdict)> = targets
            .iter()
            .chain(run)
            .filter_map(|slot| match slot {
                Slot::Ended(ending, verdict) if *ending != Ending::Passed => Some((*ending, &**verdict)),
                _ => None,
            })
            .collect();
        ended.sort_by_key(|(ending, _)| ending.severity());
        let (ending, message) = match (lost, signal, self.certain()) {
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
    fn verdicts(self, signal: Option<Signal>, (ending, message): (Ending, &str), clock: &dyn Clock) -> Vec<Verdict> {
        let (open, why) = match (signal, self.log) {
            (Some(signal), _) => (Ending::Interrupted(signal), None),
            (None, Log::OfOne) => (ending, Some(message)),
            (None, Log::OfMany) => (Ending::NotAwaited, None),
        };
        let mut all: Vec<(Ending, Verdict)> = Vec::new();
        for slot in self.slots.into_iter().skip(usize::from(self.run.is_some())) {
            all.push(match slot {
                Slot::Ended(ending, verdict) => (ending, *verdict),
                Slot::Waiting { mut gate, .. } => {
                    let message = why.map_or_else(|| gate.so_far(), Into::into);
                    (open, gate.verdict(open, message, clock))
                }
                Slot::Busy(target) => {
                    (open, Verdict::unknown(&target, open, "the outcome was certain before its request was answered"))
                }
            });
        }
        all.sort_by_key(|(ending, _)| ending.severity());
        all.into_iter().map(|(_, verdict)| verdict).collect()
    }
}
