//! Many targets in one simulated run: each has a world of its own, and one gate looks at all of them. Each verdict is
//! judged as if its target were alone; the verdict of the run is judged by counting.

use std::rc::Rc;
use std::time::Duration;

use deploy_gate::base::clock::Clock;
use deploy_gate::base::source::{Fault, Request, Response, Source};
use fastrand::Rng;
use serde_json::Value;

use super::disk::MemoryDisk;
use super::gate::Gate;
use super::generation::Generation;
use super::network::{Asked, Kind, Network, SimulatedClock, Transcript};
use super::world::{COMPONENT, World};
use super::{Judged, Run, gate_once, oracle};

/// The prefixes of ids. The digit behind them says whose they are: 0 within a world, from 1 on outside of it.
const IDS: [&str; 4] = ["inl", "dpl", "bld", "inw"];

/// The worst first.
const WORST: [&str; 7] =
    ["interrupted", "failed", "undecided", "superseded", "approval-required", "timed-out", "passed"];

/// The text of one world as all see it, or the other way round.
fn renamed(text: &str, from: usize, to: usize) -> String {
    IDS.iter().fold(text.to_owned(), |text, id| text.replace(&format!("{id}{from}"), &format!("{id}{to}")))
}

/// One server with many installs.
pub struct Router(Vec<Network>);

impl Router {
    /// The way to all of these worlds, and what will be asked of each.
    pub fn to(worlds: &[Rc<World>], clock: &SimulatedClock, dice: &mut Rng) -> (Self, Vec<Transcript>) {
        let transcripts: Vec<Transcript> = worlds.iter().map(|_| Transcript::default()).collect();
        let networks = worlds.iter().zip(&transcripts).map(|(world, transcript)| Network {
            world: Rc::clone(world),
            clock: clock.clone(),
            dice: dice.fork(),
            transcript: Rc::clone(transcript),
        });
        (Self(networks.collect()), transcripts)
    }
}

impl Source for Router {
    fn ask(&mut self, request: &Request) -> Result<Response, Fault> {
        let whose = |id: &str| {
            let at = request.path.find(id)? + id.len();
            request.path.get(at..=at)?.parse::<usize>().ok()
        };
        let number = whose("inl").or_else(|| whose("inw")).filter(|number| (1..=self.0.len()).contains(number));
        let Some(number) = number else { return Ok(Response { status: 404, ..Response::default() }) };
        let own = Request { path: renamed(&request.path, number, 0), ..request.clone() };
        self.0[number - 1].ask(&own).map(|mut response| {
            if let Ok(text) = std::str::from_utf8(&response.body) {
                response.body = renamed(text, 0, number).into_bytes();
            }
            response
        })
    }
}

/// Runs the fleet that a seed stands for. `folder` is for its files.
pub fn run(seed: u64) -> Judged {
    let mut dice = Rng::with_seed(seed ^ 0xf1ee7);
    let count = dice.usize(2..=6);
    let generation = Generation::random(&mut dice);
    let worlds = (0..count).map(|_| Rc::new(World::of_generation(generation, &mut dice)));
    let worlds: Vec<Rc<World>> = worlds.collect();
    // What is asked of all, then of each.
    let mut common = Gate::random(&worlds[0].ids, &mut dice);
    (common.build, common.deploy, common.workflow, common.commit, common.after) = Default::default();
    let gates: Vec<Gate> = worlds
        .iter()
        .map(|world| {
            let Gate { build, deploy, workflow, commit, after, .. } = Gate::random(&world.ids, &mut dice);
            Gate { build, deploy, workflow, commit, after, ..common.clone() }
        })
        .collect();
    let lines: String = (1..).zip(&gates).map(|(number, gate)| line(number, gate)).collect();
    let disk = MemoryDisk::default();
    disk.put("targets", &lines);
    let mut arguments = common.arguments();
    arguments.splice(2..4, ["--targets=targets".into()]);
    let jobs = dice.choice([1, 1, 2, 16]).unwrap_or(1);
    arguments.push(format!("--jobs={jobs}").into());
    let min_pass = if dice.u8(0..3) == 0 { dice.usize(1..=count) } else { count };
    if min_pass < count || dice.bool() {
        arguments.push(format!("--min-pass={min_pass}").into());
    }
    let mut clock = SimulatedClock::random(&mut dice);
    let (router, transcripts) = Router::to(&worlds, &clock, &mut dice);
    let (time, signal) = (clock.time.clone(), clock.signal);
    let (code, out, err) = gate_once(&arguments, router, (&mut clock, &disk, seed));
    let report: Value = serde_json::from_str(&disk.text("json")).unwrap_or_default();
    let transcripts: Vec<Vec<Asked>> = transcripts.iter().map(|transcript| transcript.borrow().clone()).collect();
    let is_refused = common.is_refused();
    let fleet = Seen { report: &report, code, ended: time.now(), min_pass, jobs, timeout: common.timeout };
    let mut violations = if is_refused {
        oracle::refusal_violations(code, transcripts.iter().all(Vec::is_empty))
    } else {
        fleet.violations(&transcripts, signal.is_some())
    };
    let judged = gates.iter().zip(&worlds).zip(&transcripts).filter(|_| !is_refused);
    for (number, ((gate, world), transcript)) in (1..).zip(judged) {
        let wrong = verdict_violations(number, (gate, world), transcript, &report, time.now());
        violations.extend(wrong.into_iter().map(|what| format!("target {number}: {what}")));
    }
    let words = |arguments: &[std::ffi::OsString]| {
        let words: Vec<_> = arguments.iter().skip(3).map(|word| word.to_string_lossy().into_owned()).collect();
        words.join(" ")
    };
    let trace = format!(
        "fleet {seed}\n  {}\n{lines}{}{out}  {}\n",
        words(&arguments),
        err,
        violations.iter().map(|what| format!("VIOLATION {what}")).collect::<Vec<_>>().join("\n  ")
    );
    Judged { outcome: report["outcome"].as_str().unwrap_or_default().into(), violations, trace }
}

fn line(number: usize, gate: &Gate) -> String {
    let pins = [
        ("build", &gate.build),
        ("deploy", &gate.deploy),
        ("workflow", &gate.workflow),
        ("commit", &gate.commit),
        ("after", &gate.after),
    ];
    let pins = pins.into_iter().filter_map(|(name, id)| Some(format!(" {name}={}", renamed(id.as_ref()?, 0, number))));
    format!("{} {COMPONENT}{}\n", install(number), pins.collect::<String>())
}

/// The install of a target.
pub fn install(number: usize) -> String {
    format!("inl{number}{:022}", 1)
}

/// The verdict of one target, judged as a run of its own: a pass and a failure need their proof.
pub fn verdict_violations(
    number: usize,
    (gate, world): (&Gate, &Rc<World>),
    transcript: &[Asked],
    report: &Value,
    ended: Duration,
) -> Vec<String> {
    let install = install(number);
    let rows = report["targets"].as_array().cloned().unwrap_or_default();
    let Some(row) = rows.iter().find(|row| row["install"] == install.as_str()) else {
        return vec!["it has no row".into()];
    };
    let own = serde_json::from_str(&renamed(&row.to_string(), number, 0)).expect("JSON");
    oracle::verdict_violations(&Run::of_row(own, (gate, world), transcript.to_vec(), ended))
}

/// What is known of a run.
pub struct Seen<'r> {
    pub report: &'r Value,
    pub code: u8,
    pub ended: Duration,
    pub min_pass: usize,
    pub jobs: usize,
    pub timeout: Duration,
}

impl Seen<'_> {
    /// Every promise that the run as a whole broke.
    pub fn violations(&self, transcripts: &[Vec<Asked>], can_be_interrupted: bool) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut must = |truth: bool, what: String| {
            if !truth {
                wrong.push(what);
            }
        };
        let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let rows = self.report["targets"].as_array().cloned().unwrap_or_default();
        let outcomes: Vec<(String, String)> =
            rows.iter().map(|row| (text(row, "outcome"), text(row, "reason"))).collect();
        must(rows.len() == transcripts.len(), format!("{} rows for {} targets", rows.len(), transcripts.len()));
        let passed = outcomes.iter().filter(|(outcome, _)| outcome == "passed").count();
        let open = outcomes.iter().filter(|(_, reason)| reason == "not-awaited").count();
        let is_enough = passed >= self.min_pass;
        let outcome = text(self.report, "outcome");
        let is_interrupted = outcome == "interrupted";
        must((self.code == 0) == (is_enough && !is_interrupted), format!("exit {} after {outcomes:?}", self.code));
        must(self.report["exit_code"] == self.code, "the report has another exit code".into());
        must(!is_interrupted || can_be_interrupted, "no signal came".into());
        if !is_enough && !is_interrupted {
            let worst = outcomes.iter().filter(|(_, reason)| reason != "not-awaited");
            let worst = worst.filter_map(|(outcome, _)| WORST.iter().position(|word| word == outcome)).min();
            must(worst.is_some_and(|worst| WORST[worst] == outcome), format!("it is {outcome} after {outcomes:?}"));
        }
        // One that was not awaited is so only if all the others decide without it.
        let could = passed + open >= self.min_pass;
        must(open == 0 || is_enough || !could, format!("it ended too early: {outcomes:?}"));
        let late = Duration::from_secs(40) * u32::try_from(transcripts.len()).unwrap_or(1);
        must(self.ended <= self.timeout + late, format!("it ended at {:?}", self.ended));
        if self.jobs == 1 {
            self.leaves_the_server_alone(transcripts, &mut must);
        }
        wrong
    }

    /// With one job, what one target was told is known before another is looked at.
    fn leaves_the_server_alone(&self, transcripts: &[Vec<Asked>], must: &mut impl FnMut(bool, String)) {
        for (number, transcript) in transcripts.iter().enumerate() {
            let told = transcript.iter().filter(|asked| !matches!(asked.kind, Kind::Document(_)));
            for (until, wait) in told.filter_map(|asked| Some((asked.until, asked.retry_after?))) {
                for (other, transcript) in transcripts.iter().enumerate().filter(|(other, _)| *other != number) {
                    let early = transcript
                        .iter()
                        .find(|asked| asked.path.ends_with("/latest") && asked.at >= until && asked.at < until + wait);
                    must(
                        early.is_none(),
                        format!("{other} was looked at within {wait:?} of {until:?}, told to {number}"),
                    );
                }
            }
        }
    }
}
