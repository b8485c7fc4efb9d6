//! Two targets of one workflow in a simulated world: both components of an install, which share the looks at the workflow
//! and at each of its deploys. Each verdict is judged as if its target were alone; for the second, the world is mirrored:
//! what was the other component is the one that is meant.

use std::rc::Rc;
use std::time::Duration;

use deploy_gate::base::clock::Clock;
use deploy_gate::base::source::{Fault, Request, Response, Source};
use fastrand::Rng;
use serde_json::Value;

use super::disk::MemoryDisk;
use super::gate::Gate;
use super::generation::Generation;
use super::many::Seen;
use super::network::{Asked, Kind, Network, SimulatedClock, Transcript};
use super::world::{self, COMPONENT, INSTALL, INSTALL_COMPONENT, OTHER_COMPONENT, OTHER_INSTALL_COMPONENT, World};
use super::{Judged, Run, gate_once, oracle};

/// The text of a world as its mirror has it, or the other way round.
fn mirrored(text: &str) -> String {
    [(COMPONENT, OTHER_COMPONENT), (INSTALL_COMPONENT, OTHER_INSTALL_COMPONENT)]
        .iter()
        .fold(text.to_owned(), |text, (one, other)| text.replace(one, "\0").replace(other, one).replace('\0', other))
}

/// One install with two components.
struct Both {
    /// Where the first component is the one that is meant.
    first: Network,
    /// Where the second is.
    second: Network,
}

impl Source for Both {
    fn ask(&mut self, request: &Request) -> Result<Response, Fault> {
        if !request.path.contains(OTHER_COMPONENT) {
            return self.first.ask(request);
        }
        let asked = self.second.ask(&Request { path: mirrored(&request.path), ..request.clone() });
        let own = self.second.transcript.borrow_mut().pop().map(|asked| as_mirrored(&asked));
        self.first.transcript.borrow_mut().extend(own);
        asked.map(|mut response| {
            if let Ok(text) = std::str::from_utf8(&response.body) {
                response.body = mirrored(text).into_bytes();
            }
            response
        })
    }
}

/// The same request to the mirrored world.
fn as_mirrored(asked: &Asked) -> Asked {
    let value = |value: &Rc<Value>| {
        Rc::new(serde_json::from_str(&mirrored(&value.to_string())).unwrap_or_else(|_| Value::Null))
    };
    let kind = match &asked.kind {
        Kind::Document(document) => Kind::Document(value(document)),
        Kind::Page(page, has_more) => Kind::Page(value(page), *has_more),
        other => other.clone(),
    };
    Asked { path: mirrored(&asked.path), kind, ..asked.clone() }
}

/// A world and its mirror, mostly one in which both components are deployed by one workflow.
fn worlds(dice: &mut Rng) -> [Rc<World>; 2] {
    let generation = Generation::random(dice);
    loop {
        let mut again = dice.clone();
        let world = World::of_generation(generation, dice);
        let is_shared = |flow: usize| {
            let mut own = world.deploys.iter().filter(|deploy| deploy.flow == flow);
            own.clone().any(|deploy| deploy.is_other) && own.any(|deploy| !deploy.is_other)
        };
        if (0..world.flows.len()).any(is_shared) || dice.u8(0..4) == 0 {
            let mut mirror = World::of_generation(generation, &mut again);
            mirror.deploys.iter_mut().for_each(|deploy| deploy.is_other = !deploy.is_other);
            return [Rc::new(world), Rc::new(mirror)];
        }
    }
}

/// Runs what a seed stands for.
pub fn run(seed: u64) -> Judged {
    let mut dice = Rng::with_seed(seed ^ 0x3a7e5);
    let worlds = worlds(&mut dice);
    let mut gate = Gate::random(&worlds[0].ids, &mut dice);
    (gate.build, gate.deploy, gate.commit, gate.after) = Default::default();
    let own = worlds[0].ids.workflows.last().cloned();
    gate.workflow = own.or_else(|| Some(world::id("inw", 1)));
    let jobs = dice.choice([1, 4]).unwrap_or(1);
    let mut arguments = gate.arguments();
    arguments.push(format!("--component={OTHER_COMPONENT}").into());
    arguments.push(format!("--jobs={jobs}").into());
    arguments.extend(dice.bool().then(|| "--no-fail-fast".into()));
    let mut clock = SimulatedClock::random(&mut dice);
    let transcript = Transcript::default();
    let mut network = |world: &Rc<World>, transcript: &Transcript| Network {
        world: Rc::clone(world),
        clock: clock.clone(),
        dice: dice.fork(),
        transcript: Rc::clone(transcript),
    };
    let server = Both { first: network(&worlds[0], &transcript), second: network(&worlds[1], &Transcript::default()) };
    let (time, signal, disk) = (clock.time.clone(), clock.signal, MemoryDisk::default());
    let (code, out, err) = gate_once(&arguments, server, (&mut clock, &disk, seed));
    let report: Value = serde_json::from_str(&disk.text("json")).unwrap_or_default();
    let transcript = transcript.borrow();
    let violations = if gate.is_refused() {
        oracle::refusal_violations(code, transcript.is_empty())
    } else {
        // What one of them was told, the other may not have been: its looks are not apart.
        let both = [Vec::new(), Vec::new()];
        let seen = Seen { report: &report, code, ended: time.now(), min_pass: 2, jobs: 2, timeout: gate.timeout };
        let mut violations = seen.violations(&both, signal.is_some());
        for (component, world) in [COMPONENT, OTHER_COMPONENT].into_iter().zip(&worlds) {
            let own = verdict_violations(component, (&gate, world), &transcript, (&report, &err), time.now());
            violations.extend(own.into_iter().map(|what| format!("{component}: {what}")));
        }
        violations
    };
    let words: Vec<_> = arguments.iter().skip(2).map(|word| word.to_string_lossy().into_owned()).collect();
    let requests: String = transcript
        .iter()
        .map(|asked| format!("  {:>10.3} {} {}\n", asked.at.as_secs_f64(), asked.path, super::told(asked)))
        .collect();
    let trace = format!(
        "mates {seed}\n  {}\n{}{requests}{err}{out}  {}\n",
        words.join(" "),
        worlds[0],
        violations.iter().map(|what| format!("VIOLATION {what}")).collect::<Vec<_>>().join("\n  ")
    );
    Judged { outcome: report["outcome"].as_str().unwrap_or_default().into(), violations, trace }
}

/// The verdict of one of the two, judged as a run of its own that ended when it was told.
fn verdict_violations(
    component: &str,
    (gate, world): (&Gate, &Rc<World>),
    transcript: &[Asked],
    (report, log): (&Value, &str),
    ended: Duration,
) -> Vec<String> {
    let rows = report["targets"].as_array().into_iter().flatten();
    let Some(row) = rows.clone().find(|row| row["component"] == component) else {
        return vec!["it has no row".into()];
    };
    let is_second = component == OTHER_COMPONENT;
    let row: Value =
        if is_second { serde_json::from_str(&mirrored(&row.to_string())).unwrap_or_default() } else { row.clone() };
    let outcome = row["outcome"].as_str().unwrap_or_default();
    let ended = told_at(log, &format!("{INSTALL} / {component}: {outcome}: ")).unwrap_or(ended).min(ended);
    // What is asked for the other alone is no answer of this one's.
    let is_own = |asked: &&Asked| {
        let others = if is_second { COMPONENT } else { OTHER_COMPONENT };
        asked.at <= ended && !asked.path.contains(others)
    };
    let own = transcript.iter().filter(is_own);
    let transcript = own.map(|asked| if is_second { as_mirrored(asked) } else { asked.clone() }).collect();
    let run = Run::of_row(row, (gate, world), transcript, ended);
    let mut wrong = oracle::verdict_violations(&run);
    if run.report["reason"] != "not-awaited" {
        wrong.extend(oracle::prompt_violations(&run));
    }
    wrong
}

/// When a line of the log was said, at the latest.
pub fn told_at(log: &str, line: &str) -> Option<Duration> {
    let line = log.lines().find(|one| one.contains(line))?;
    let time = line.trim_start().strip_prefix('+')?.split(' ').next()?;
    let seconds = time.split(':').try_fold(0, |sum, part| Some(sum * 60 + part.parse::<u64>().ok()?))?;
    Some(Duration::from_secs(seconds + 1))
}
