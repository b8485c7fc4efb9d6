//! The whole gate in a simulated world: from a seed a random server, a random gate and random trouble. Nothing of the
//! gate is replaced but the network and the clock; the oracle judges each run from what was answered.

#![allow(clippy::cast_possible_wrap, clippy::cast_sign_loss, reason = "it makes up numbers")]

pub mod assertions;
pub mod disk;
pub mod many;
pub mod oracle;
pub mod network;
pub mod world;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::rc::Rc;
use std::time::Duration;

use assertions::Expression;
use deploy_gate::World;
use deploy_gate::base::clock::{Signal, VirtualClock};
use deploy_gate::base::environment::Variables;
use disk::MemoryDisk;
use fastrand::Rng;
use network::{Network, SimulatedClock, Transcript};
use serde_json::Value;
use world::{Asked, COMPONENT, INSTALL, Ids};

/// What the user asked for.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    pub build: Option<String>,
    pub deploy: Option<String>,
    pub workflow: Option<String>,
    pub commit: Option<String>,
    /// The id of a deploy, a time, or `none`.
    pub after: Option<String>,
    pub on_superseded: Option<&'static str>,
    pub teardown: bool,
    pub until: Option<&'static str>,
    pub stop_for_approval: bool,
    pub overrides: Vec<(&'static str, &'static str)>,
    pub timeout: Duration,
    pub appear_timeout: Duration,
    pub interval: Duration,
    pub max_interval: Duration,
    pub assertions: Vec<Expression>,
    pub extracts: bool,
    pub reports: Vec<&'static str>,
}

/// One run and all that is known of it.
pub struct Run {
    pub seed: u64,
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

impl Gate {
    fn random(ids: &Ids, dice: &mut Rng) -> Self {
        let mut gate =
            Self { timeout: Duration::from_secs(dice.choice([0, 20, 300, 3600]).unwrap_or(300)), ..Self::default() };
        if dice.bool() {
            match dice.u8(0..7) {
                0 => gate.build = pick(&ids.builds, dice),
                1 => gate.deploy = pick(&ids.deploys, dice),
                2 => gate.workflow = pick(&ids.workflows, dice),
                3 => gate.commit = ids.commits.last().map(|commit| commit[..dice.usize(7..40)].to_owned()),
                4 | 5 => gate.after = after(ids, dice),
                _ => {
                    gate.after = if dice.bool() { after(ids, dice) } else { None };
                    gate.build = pick(&ids.builds, dice);
                    gate.workflow = pick(&ids.workflows, dice);
                }
            }
        }
        gate.on_superseded = dice.choice([None, None, Some("finish"), Some("stop"), Some("follow")]).flatten();
        gate.teardown = dice.u8(0..8) == 0;
        gate.until = dice.choice([None, None, None, Some("applied"), Some("workflow")]).flatten();
        gate.stop_for_approval = dice.u8(0..4) == 0;
        if dice.u8(0..4) == 0 {
            let word = dice.choice(["noop", "warming-up", "unknown"]).unwrap_or("noop");
            gate.overrides.push((word, dice.choice(["success", "failure", "running"]).unwrap_or("success")));
        }
        gate.appear_timeout = Duration::from_secs(dice.choice([0, 10, 300, 7200]).unwrap_or(300));
        gate.interval = Duration::from_millis(dice.choice([100, 2000, 2000, 10_000]).unwrap_or(2000));
        gate.max_interval = gate.interval * dice.choice([1, 3, 15]).unwrap_or(15);
        // Some hundred looks show what many thousands do.
        gate.timeout = gate.timeout.min(gate.max_interval * 200);
        for _ in 0..dice.u8(0..4) {
            gate.assertions.push(Expression::random(dice, 2));
        }
        if dice.u8(0..4) == 0 {
            gate.assertions.push(Expression::NoFailedSteps);
        }
        gate.extracts = dice.u8(0..6) == 0;
        gate.reports = FORMATS.into_iter().filter(|_| dice.u8(0..8) == 0).collect();
        gate
    }

    fn arguments(&self) -> Vec<OsString> {
        let mut all = vec!["wait".to_owned(), format!("--install={INSTALL}"), format!("--component={COMPONENT}")];
        let pins = [
            ("build", &self.build),
            ("deploy", &self.deploy),
            ("workflow", &self.workflow),
            ("commit", &self.commit),
            ("after", &self.after),
        ];
        all.extend(pins.into_iter().filter_map(|(name, id)| Some(format!("--{name}={}", id.as_ref()?))));
        all.extend(self.on_superseded.map(|what| format!("--on-superseded={what}")));
        all.extend(self.until.map(|what| format!("--until={what}")));
        let switches = [
            (self.teardown, "--expect=teardown"),
            (self.stop_for_approval, "--on-approval=stop"),
            (self.extracts, "--extract=name=$.component_name"),
        ];
        all.extend(switches.into_iter().filter(|(is_on, _)| *is_on).map(|(_, flag)| flag.to_owned()));
        all.extend(self.overrides.iter().map(|(word, class)| format!("--status={word}={class}")));
        for (flag, duration) in [
            ("timeout", self.timeout),
            ("appear-timeout", self.appear_timeout),
            ("interval", self.interval),
            ("max-interval", self.max_interval),
        ] {
            all.push(format!("--{flag}={}ms", duration.as_millis()));
        }
        all.extend(self.assertions.iter().map(|assertion| match assertion {
            Expression::NoFailedSteps => "--require=no-failed-steps".into(),
            other => format!("--assert={other}"),
        }));
        let report = |format: &str| format!("--report={format}={}", format);
        all.extend(self.reports.iter().map(|format| report(format)).chain([report("json")]));
        std::iter::once("deploy-gate".into()).chain(all.into_iter().map(Into::into)).collect()
    }
}

/// Mostly the newest, sometimes an older one, sometimes one that is not there.
fn pick(ids: &[String], dice: &mut Rng) -> Option<String> {
    match dice.u8(0..4) {
        0 => Some("dpl0000000000000000000000x".to_owned()),
        1 => ids.first().cloned(),
        _ => ids.last().cloned(),
    }
}

/// What the deploy that is meant is newer than.
fn after(ids: &Ids, dice: &mut Rng) -> Option<String> {
    match dice.u8(0..6) {
        0 => Some("none".into()),
        1 | 2 => {
            let seconds = world::EPOCH + dice.i64(-20_000..240);
            jiff::Timestamp::from_second(seconds).ok().map(world::stamp)
        }
        _ => pick(&ids.deploys, dice),
    }
}

/// The formats beside `json`, which each run has.
const FORMATS: [&str; 6] = ["junit", "markdown", "github", "dotenv", "annotations", "dir"];

/// Runs the gate that a seed stands for.
pub fn run(seed: u64) -> Run {
    let mut dice = Rng::with_seed(seed);
    let world = world::World::random(&mut dice);
    let gate = Gate::random(&world.ids, &mut dice);
    let epoch = jiff::Timestamp::from_second(world::EPOCH).ok();
    let mut clock = SimulatedClock::random(VirtualClock::new(epoch), &mut dice);
    let signal = clock.signal;
    let transcript = Transcript::default();
    let mut network =
        Some(Network { world, clock: clock.clone(), dice: dice.fork(), transcript: Rc::clone(&transcript) });
    let arguments = gate.arguments();
    let disk = MemoryDisk::default();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let time = clock.time.clone();
    let code = deploy_gate::run(
        &arguments,
        &mut World {
            variables: &Variables::new(),
            clock: &mut clock,
            connect: &mut |_, _| Box::new(network.take().expect("one source")),
            disk: &disk,
            out: &mut out,
            err: &mut err,
            screens: Default::default(),
            width: || 80,
            seed,
        },
    );
    let read = |format: &str| disk.text(format);
    let reports = gate.reports.iter().map(|format| match *format {
        "dir" => (*format, read("dir/outcome")),
        format => (format, read(format)),
    });
    let transcript = transcript.borrow().clone();
    Run {
        seed,
        reports: reports.collect(),
        report: serde_json::from_str(&read("json")).unwrap_or_default(),
        gate,
        arguments,
        transcript,
        signal,
        ended: deploy_gate::base::clock::Clock::now(&time),
        code,
        out: String::from_utf8(out).expect("text"),
        err: String::from_utf8(err).expect("text"),
    }
}

/// What was seen in many runs: each has to be seen at least once.
#[derive(Default)]
pub struct Coverage(pub BTreeMap<String, u64>);

impl Coverage {
    pub fn new() -> Self {
        let words = world::WORDS.iter().map(|word| format!("status \"{word}\""));
        let outcomes = oracle::OUTCOMES.iter().map(|(_, outcome, reason)| format!("outcome {outcome} {reason}"));
        let kinds = oracle::KINDS.iter().map(|kind| format!("answer {kind}"));
        Self(words.chain(outcomes).chain(kinds).map(|name| (name, 0)).collect())
    }

    pub fn note(&mut self, run: &Run) {
        let text = |name: &str| run.report[name].as_str().unwrap_or_default();
        *self.0.entry(format!("outcome {} {}", text("outcome"), text("reason"))).or_default() += 1;
        for asked in &run.transcript {
            *self.0.entry(format!("answer {}", oracle::kind_name(&asked.kind))).or_default() += 1;
        }
        for moment in run.report["targets"][0]["timeline"].as_array().into_iter().flatten() {
            let word = moment["status"].as_str().unwrap_or_default();
            *self.0.entry(format!("status \"{word}\"")).or_default() += 1;
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
    let skipped = run.transcript.len().saturating_sub(14);
    for asked in run.transcript.iter().skip(skipped) {
        let what = match &asked.kind {
            world::Kind::Document(value) if asked.path.contains("deploys") => {
                format!("{} {}", value["id"], value["status_v2"]["status"])
            }
            world::Kind::Document(value) => value.to_string().chars().take(160).collect(),
            other => format!("{other:?} {:?}", asked.retry_after),
        };
        let path = asked.path.rsplit("/v1/").next().unwrap_or_default();
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
