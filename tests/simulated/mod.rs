//! The whole gate in a simulated world: from a seed a random server, a random gate and random trouble. Nothing of the
//! gate is replaced but the network and the clock; the oracle judges each run from what was true and what was answered.

#![allow(clippy::cast_possible_wrap, clippy::cast_sign_loss, reason = "it makes up numbers")]

pub mod approval;
pub mod assertions;
pub mod branch_runs;
pub mod component;
pub mod disk;
pub mod ending;
pub mod engine;
pub mod filters;
pub mod gate;
pub mod generation;
pub mod lists;
pub mod many;
pub mod mates;
pub mod network;
pub mod oracle;
pub mod pipeline;
pub mod retry;
pub mod server;
pub mod types;
pub mod whole;
pub mod world;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::rc::Rc;
use std::time::Duration;

use deploy_gate::World as GateWorld;
use deploy_gate::base::clock::Signal;
use deploy_gate::base::environment::Variables;
use deploy_gate::base::source::Source;
use disk::MemoryDisk;
use fastrand::Rng;
use gate::Gate;
use network::{Asked, Kind, Network, SimulatedClock, Transcript};
use serde_json::Value;
use world::World;

/// One run and all that is known of it.
pub struct Run {
    pub seed: u64,
    pub world: Rc<World>,
    pub gate: Gate,
    pub arguments: Vec<OsString>,
    pub transcript: Vec<Asked>,
    pub signal: Option<(Duration, Signal)>,
    pub ended: Duration,
    pub code: u8,
    pub out: String,
    pub err: String,
    pub report: Value,
    /// The texts of the other reports.
    pub reports: BTreeMap<&'static str, String>,
}

/// A run that is judged already: how it ended, every promise that it broke, and what shows that.
pub struct Judged {
    pub outcome: String,
    pub violations: Vec<String>,
    pub trace: String,
}

impl Run {
    /// One row of a run of many targets, as a run of its own that ended then.
    pub fn of_row(mut row: Value, (gate, world): (&Gate, &Rc<World>), transcript: Vec<Asked>, ended: Duration) -> Self {
        row["targets"] = Value::Array(vec![row.clone()]);
        Self {
            seed: 0,
            world: Rc::clone(world),
            gate: gate.clone(),
            arguments: Vec::new(),
            transcript,
            signal: None,
            ended,
            code: 0,
            out: String::new(),
            err: String::new(),
            report: row,
            reports: BTreeMap::new(),
        }
    }
}

/// Runs the gate that a seed stands for.
pub fn run(seed: u64) -> Run {
    let mut dice = Rng::with_seed(seed);
    let world = Rc::new(World::random(&mut dice));
    let gate = Gate::random(&world.ids, &mut dice);
    let mut clock = SimulatedClock::random(&mut dice);
    let signal = clock.signal;
    let transcript = Transcript::default();
    let network = Network {
        world: Rc::clone(&world),
        clock: clock.clone(),
        dice: dice.fork(),
        transcript: Rc::clone(&transcript),
    };
    let arguments = gate.arguments();
    let disk = MemoryDisk::default();
    let time = clock.time.clone();
    let (code, out, err) = gate_once(&arguments, network, (&mut clock, &disk, seed));
    let read = |format: &str| disk.text(format);
    let reports = gate.reports.iter().map(|format| match *format {
        "dir" => (*format, read("dir/outcome")),
        format => (format, read(format)),
    });
    let transcript = transcript.borrow().clone();
    Run {
        seed,
        world,
        reports: reports.collect(),
        report: serde_json::from_str(&read("json")).unwrap_or_default(),
        gate,
        arguments,
        transcript,
        signal,
        ended: deploy_gate::base::clock::Clock::now(&time),
        code,
        out,
        err,
    }
}

/// Runs the gate with a simulated world in place of the real one. Returns its exit code, and what it printed.
fn gate_once(
    arguments: &[OsString],
    source: impl Source + 'static,
    (clock, disk, seed): (&mut SimulatedClock, &MemoryDisk, u64),
) -> (u8, String, String) {
    let (mut out, mut err, mut source) = (Vec::new(), Vec::new(), Some(source));
    let code = deploy_gate::run(
        arguments,
        &mut GateWorld {
            variables: &Variables::new(),
            clock,
            connect: &mut |_, _| Box::new(source.take().expect("one source")),
            disk,
            out: &mut out,
            err: &mut err,
            screens: Default::default(),
            size: || (80, 24),
            seed,
        },
    );
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (code, text(out), text(err))
}

/// What was seen in many runs: each has to be seen at least once.
#[derive(Default)]
pub struct Coverage(pub BTreeMap<String, u64>);

impl Coverage {
    pub fn new() -> Self {
        let words = generation::WORDS.iter().map(|word| format!("status \"{word}\""));
        let outcomes = oracle::OUTCOMES.iter().map(|(_, outcome, reason)| format!("outcome {outcome} {reason}"));
        let kinds = oracle::KINDS.iter().map(|kind| format!("answer {kind}"));
        let generations = generation::Generation::ALL.map(|one| format!("generation {}", one.name()));
        let whats = pipeline::What::ALL.map(|what| format!("pipeline {}", what.name()));
        let rows = (1..=9).map(|row| format!("workflow row {row}"));
        let checks = ["refused before the wait", "only warned of"].map(str::to_owned);
        let all = words.chain(outcomes).chain(kinds).chain(generations).chain(whats).chain(rows).chain(checks);
        Self(all.map(|name| (name, 0)).collect())
    }

    pub fn note(&mut self, run: &Run) {
        let mut count = |name: String| *self.0.entry(name).or_default() += 1;
        let text = |name: &str| run.report[name].as_str().unwrap_or_default();
        if run.gate.is_refused() {
            return count("refused before the wait".into());
        }
        if run.gate.only_warns {
            count("only warned of".into());
        }
        count(format!("outcome {} {}", text("outcome"), text("reason")));
        count(format!("generation {}", run.world.generation.name()));
        run.world.flows.iter().for_each(|flow| count(format!("pipeline {}", flow.what.name())));
        for asked in &run.transcript {
            count(format!("answer {}", oracle::kind_name(&asked.kind)));
            if let Some(row) = oracle::workflow_row(asked) {
                count(format!("workflow row {row}"));
            }
        }
        for moment in run.report["targets"][0]["timeline"].as_array().into_iter().flatten() {
            count(format!("status \"{}\"", moment["status"].as_str().unwrap_or_default()));
        }
    }

    pub fn join(&mut self, other: Self) {
        other.0.into_iter().for_each(|(name, count)| *self.0.entry(name).or_default() += count);
    }

    pub fn missing(&self) -> Vec<&str> {
        self.0.iter().filter(|(_, count)| **count == 0).map(|(name, _)| name.as_str()).collect()
    }
}

/// A run that broke a promise, in short.
pub fn trace(run: &Run, violations: &[String]) -> String {
    let mut text = format!("seed {}\n", run.seed);
    let arguments: Vec<_> = run.arguments.iter().skip(4).map(|argument| argument.to_string_lossy()).collect();
    text += &format!("  {}\n", arguments.join(" "));
    text += &run.world.to_string();
    let skipped = run.transcript.len().saturating_sub(14);
    for asked in run.transcript.iter().skip(skipped) {
        let path = asked.path.rsplit("/v1/").next().unwrap_or_default();
        let what = told(asked);
        text += &format!("  {:>10.3} {:>10.3} {path}: {what}\n", asked.at.as_secs_f64(), asked.until.as_secs_f64());
    }
    text += &format!(
        "  ended at {:.3} with {}: {}",
        run.ended.as_secs_f64(),
        run.code,
        run.out.lines().next().unwrap_or_default()
    );
    for violation in violations {
        text += &format!("\n  VIOLATION {violation}");
    }
    text + "\n"
}

/// An answer in a line.
fn told(asked: &Asked) -> String {
    let step = |step: &Value| format!("{} {}", step["name"], step["status"]["status"]);
    let steps = |list: &Value| list.as_array().into_iter().flatten().map(step).collect::<Vec<_>>().join(", ");
    match &asked.kind {
        Kind::Document(value) if value["steps"].is_array() => {
            format!("{} finished {} [{}]", value["status"], value["finished"], steps(&value["steps"]))
        }
        Kind::Document(value) if value["status_v2"].is_object() => {
            format!("{} {}", value["id"], value["status_v2"]["status"])
        }
        Kind::Page(list, _) if asked.path.contains("/steps") => steps(list),
        Kind::Document(value) | Kind::Page(value, _) => value.to_string().chars().take(200).collect(),
        other => format!("{other:?} {:?}", asked.retry_after),
    }
}
