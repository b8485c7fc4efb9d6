//! A run of an app branch in a simulated world: it updates installs, one group after the other, each by a workflow of the
//! install. Each install has a world of its own, and its verdict is judged as that of a workflow as a whole. The run
//! passes only if it ended well itself, and so did every install that it ever named.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use deploy_gate::base::clock::Clock;
use deploy_gate::base::source::{Fault, Request, Response, Source};
use fastrand::Rng;
use serde_json::{Value, json};

use super::disk::MemoryDisk;
use super::generation::Generation;
use super::lists;
use super::many::{Router, install};
use super::mates::told_at;
use super::network::SimulatedClock;
use super::whole::{self, Asking};
use super::world::{self, Time, World, holds};
use super::{Judged, gate_once};

const RUN: &str = "abr00000000000000000000001";
const OF_RUN: &str = "inw0run0000000000000000001";
const PATH: &str = "/v1/apps/app1/branches/main/runs/";

/// An install that the run updates.
#[derive(Clone, Debug)]
struct Entry {
    number: usize,
    /// The workflow that updates it, as the world of the install calls it.
    workflow: String,
    /// From when to when the list names it, and from when on with its workflow; all in milliseconds of the run.
    listed: (Time, Time),
    begun: Option<Time>,
}

/// The run, in truth.
#[derive(Clone, Debug)]
struct BranchRun {
    entries: Vec<Entry>,
    heads: Vec<(Time, &'static str)>,
    /// How often of 100 a request fails.
    trouble: u8,
}

impl BranchRun {
    fn random(worlds: &[Rc<World>], dice: &mut Rng) -> Self {
        let entry = |(number, world): (usize, &Rc<World>)| {
            let workflow = world.ids.workflows.last().cloned().unwrap_or_else(|| world::id("inw", 1));
            let created = world.flow(&workflow).map_or(0, |flow| world.flows[flow].created);
            let begun = (dice.u8(0..12) > 0).then(|| created + dice.i64(0..5000));
            let from = if dice.bool() { Time::MIN } else { begun.unwrap_or(0) };
            let until = if dice.u8(0..16) == 0 { dice.i64(0..60_000) } else { Time::MAX };
            Entry { number, workflow, listed: (from, until), begun }
        };
        let entries: Vec<Entry> = (1..).zip(worlds).map(entry).collect();
        // Mostly when all of them have ended.
        let last = entries.iter().zip(worlds).filter_map(|(entry, world)| {
            let flow = &world.flows[world.flow(&entry.workflow)?];
            flow.stands.last().map(|(at, _)| *at)
        });
        let last = last.max().unwrap_or(0).max(0);
        let end = if dice.u8(0..6) == 0 { dice.i64(0..=last) } else { last + dice.i64(0..5000) };
        let word = match dice.u8(0..12) {
            0 => "error",
            1 => "cancelled",
            2 => "failed-pending-retry",
            3 => "in-progress",
            _ => "success",
        };
        let asks = if dice.u8(0..8) == 0 { "approval-awaiting" } else { "in-progress" };
        let heads = vec![(Time::MIN, "in-progress"), (end / 2, asks), (end * 3 / 4, "in-progress"), (end, word)];
        Self { entries, heads, trouble: dice.choice([0, 0, 0, 10, 50]).unwrap_or(0) }
    }

    fn document(&self, now: Time) -> Value {
        let word = holds(&self.heads, now).copied().unwrap_or_default();
        json!({
            "id": OF_RUN, "owner_id": "abb1", "owner_type": "app_branches", "plan_only": false,
            "finished": matches!(word, "success" | "error" | "cancelled"), "status": {"status": word},
            "steps": [{"id": "s1", "name": "deploy install group: all", "status": {"status": word}}],
            "app_branch_runs": [{"id": RUN, "workflow_id": OF_RUN}],
        })
    }

    fn list(&self, now: Time) -> Value {
        let is_listed = |entry: &&Entry| entry.listed.0 <= now && now < entry.listed.1;
        let told = |entry: &Entry| {
            let is_begun = entry.begun.is_some_and(|begun| begun <= now);
            let workflow = if is_begun { entry.of_all() } else { String::new() };
            json!({"install_id": install(entry.number), "install_group_id": "aig1", "workflow_id": workflow})
        };
        self.entries.iter().filter(is_listed).map(told).collect()
    }
}

impl Entry {
    /// Its workflow, as all see it.
    fn of_all(&self) -> String {
        self.workflow.replacen("inw0", &format!("inw{}", self.number), 1)
    }
}

/// What was answered about the run: its words, and the lists.
type Told = Rc<RefCell<Vec<Value>>>;

struct RunServer {
    installs: Router,
    run: BranchRun,
    clock: SimulatedClock,
    dice: Rng,
    told: Told,
}

impl Source for RunServer {
    fn ask(&mut self, request: &Request) -> Result<Response, Fault> {
        let Some(rest) = request.path.strip_prefix(PATH) else { return self.installs.ask(request) };
        if let Some(signal) = self.clock.sleep(Duration::from_millis(self.dice.u64(0..300))) {
            return Err(Fault::Interrupted(signal));
        }
        if self.dice.u8(0..100) < self.run.trouble {
            return lists::trouble(&mut self.dice);
        }
        let now = Time::try_from(self.clock.now().as_millis()).unwrap_or(Time::MAX);
        let body = if rest.ends_with("/install-groups") { self.run.list(now) } else { self.run.document(now) };
        self.told.borrow_mut().push(body.clone());
        Ok(Response { status: 200, headers: Vec::new(), body: body.to_string().into_bytes() })
    }
}

/// Runs what a seed stands for.
pub fn run(seed: u64) -> Judged {
    let mut dice = Rng::with_seed(seed ^ 0xb4a7c4);
    let generation = Generation::random(&mut dice);
    let count = dice.usize(0..=4);
    let worlds: Vec<Rc<World>> = (0..count).map(|_| Rc::new(World::of_generation(generation, &mut dice))).collect();
    let run = BranchRun::random(&worlds, &mut dice);
    let interval = Duration::from_millis(dice.choice([2000, 2000, 10_000]).unwrap_or(2000));
    let longest = interval * dice.choice([1, 3, 15]).unwrap_or(15);
    let timeout = Duration::from_secs(dice.choice([20, 300, 3600, 3600]).unwrap_or(300)).min(longest * 60);
    let stops = dice.u8(0..4) == 0;
    let min_targets = if dice.u8(0..4) == 0 { dice.usize(1..=count + 1) } else { 1 };
    let mut arguments: Vec<String> = ["deploy-gate", "wait", "--report=json=json"].map(Into::into).into();
    let named = if dice.bool() { RUN } else { OF_RUN };
    arguments.push(format!("--branch-run=app1/main/{named}"));
    arguments.push(format!("--jobs={}", dice.choice([1, 4]).unwrap_or(1)));
    arguments.push(format!("--min-targets={min_targets}"));
    arguments.extend(stops.then(|| "--on-approval=stop".into()));
    arguments.extend(dice.bool().then(|| "--no-fail-fast".into()));
    for (flag, duration) in [("timeout", timeout), ("interval", interval), ("max-interval", longest)] {
        arguments.push(format!("--{flag}={}ms", duration.as_millis()));
    }
    let mut clock = SimulatedClock::random(&mut dice);
    let (installs, transcripts) = Router::to(&worlds, &clock, &mut dice);
    let told = Told::default();
    let server =
        RunServer { installs, run: run.clone(), clock: clock.clone(), dice: dice.fork(), told: Rc::clone(&told) };
    let (time, signal, disk) = (clock.time.clone(), clock.signal, MemoryDisk::default());
    let words: Vec<std::ffi::OsString> = arguments.iter().map(Into::into).collect();
    let (code, out, err) = gate_once(&words, server, (&mut clock, &disk, seed));
    let report: Value = serde_json::from_str(&disk.text("json")).unwrap_or_default();
    let told = told.borrow();
    let rows = report["targets"].as_array().cloned().unwrap_or_default();
    let mut wrong = run_violations((&report, &rows, code), &told, min_targets);
    let is_left_alone = run.trouble > 0 || worlds.iter().any(|world| world.trouble > 0.0);
    let asking = Asking { timeout, longest, stops, is_left_alone, signal };
    for (entry, (world, transcript)) in run.entries.iter().zip(worlds.iter().zip(&transcripts)) {
        let own = install(entry.number);
        let is_judged = |row: &&Value| row["install"] == *own && row["workflow"]["id"] == *entry.of_all();
        let Some(row) = rows.iter().find(is_judged).filter(|row| row["reason"] != "not-awaited") else { continue };
        let outcome = row["outcome"].as_str().unwrap_or_default();
        let ended = told_at(&err, &format!("{own} / all: {outcome}: ")).unwrap_or(time.now()).min(time.now());
        let transcript = transcript.borrow();
        let own = whole::verdict_violations(row, (world, &entry.workflow), &transcript, ended, &asking);
        wrong.extend(own.into_iter().map(|what| format!("install {}: {what}", entry.number)));
    }
    let trace = format!(
        "branch run {seed}\n  {}\n  {run:?}\n{}{err}{out}  {}\n",
        arguments.join(" "),
        worlds.iter().map(|world| world.to_string()).collect::<String>(),
        wrong.iter().map(|what| format!("VIOLATION {what}")).collect::<Vec<_>>().join("\n  ")
    );
    Judged { outcome: report["outcome"].as_str().unwrap_or_default().into(), violations: wrong, trace }
}

/// Every promise about the run as a whole that was broken.
fn run_violations((report, rows, code): (&Value, &[Value], u8), told: &[Value], min_targets: usize) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut must = |truth: bool, what: &str| wrong.extend((!truth).then(|| what.to_owned()));
    let outcome = report["outcome"].as_str().unwrap_or_default();
    must((code == 0) == (outcome == "passed"), "the report has another outcome");
    must(report["exit_code"] == code, "the report has another exit code");
    let word = |one: &Value, word: &str| one["status"]["status"] == word;
    let was = |words: &[&str]| told.iter().any(|one| words.iter().any(|this| word(one, this)));
    let row_is = |wanted: &str| rows.iter().any(|row| row["outcome"] == wanted);
    match outcome {
        "passed" => {
            must(rows.iter().all(|row| row["outcome"] == "passed"), "it passes, and not all did");
            must(rows.len() >= min_targets, "it passes with too few");
            must(was(&["success"]), "no answer showed that the run ended well");
            let named = told.iter().filter_map(Value::as_array).flatten();
            let mut named = named.filter_map(|entry| entry["install_id"].as_str());
            let has_row = |install: &str| rows.iter().any(|row| row["install"] == install);
            must(named.all(has_row), "it passes without an install that was named");
            let last = told.last().is_some_and(Value::is_array);
            let before = told.iter().rev().nth(1).is_some_and(|one| word(one, "success"));
            must(last && before, "the list was not read after the run had ended");
        }
        "failed" => must(row_is("failed") || was(&["error", "cancelled", "failed-pending-retry"]), "nothing failed"),
        "approval-required" => must(row_is("approval-required") || was(&["approval-awaiting"]), "nobody is asked"),
        _ => {}
    }
    wrong
}
