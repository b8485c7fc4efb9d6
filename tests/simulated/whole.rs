//! A workflow that is gated as a whole, in a simulated world: judged by what was true of the workflow and of every deploy
//! in it.

use std::rc::Rc;
use std::time::Duration;

use deploy_gate::base::clock::{Clock, Signal};
use fastrand::Rng;
use serde_json::Value;

use super::disk::MemoryDisk;
use super::network::{Asked, Kind, Network, SimulatedClock, Transcript};
use super::pipeline::What;
use super::world::{self, Deploy, Fate, INSTALL, Rights, Stand, Time, World, holds};
use super::{Judged, gate_once};

/// How a deploy stands in truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Open,
    Well,
    Failed,
    Left,
    Strange,
}

/// Runs what a seed stands for.
pub fn run(seed: u64) -> Judged {
    let mut dice = Rng::with_seed(seed ^ 0x3401e);
    let world = Rc::new(World::random(&mut dice));
    let id = match dice.u8(0..20) {
        0 => "inw0000000000000000000000x".to_owned(),
        1 => world.ids.workflows.first().cloned().unwrap_or_else(|| world::id("inw", 1)),
        _ => world.ids.workflows.last().cloned().unwrap_or_else(|| world::id("inw", 1)),
    };
    let interval = Duration::from_millis(dice.choice([100, 2000, 2000, 10_000]).unwrap_or(2000));
    let longest = interval * dice.choice([1, 3, 15]).unwrap_or(15);
    let timeout = Duration::from_secs(dice.choice([0, 20, 300, 3600, 3600]).unwrap_or(300)).min(longest * 60);
    let stops = dice.u8(0..4) == 0;
    let asserts = dice.u8(0..8) == 0;
    let mut arguments: Vec<String> =
        ["deploy-gate", "wait", "--component=all", "--report=json=json"].map(Into::into).into();
    arguments.push(format!("--install={INSTALL}"));
    arguments.push(format!("--workflow={id}"));
    for (flag, duration) in [("timeout", timeout), ("interval", interval), ("max-interval", longest)] {
        arguments.push(format!("--{flag}={}ms", duration.as_millis()));
    }
    arguments.extend(stops.then(|| "--on-approval=stop".into()));
    arguments.extend(asserts.then(|| "--require=no-failed-steps".into()));
    let mut clock = SimulatedClock::random(&mut dice);
    let (time, signal) = (clock.time.clone(), clock.signal);
    let transcript = Transcript::default();
    let network = Network {
        world: Rc::clone(&world),
        clock: clock.clone(),
        dice: dice.fork(),
        transcript: Rc::clone(&transcript),
    };
    let disk = MemoryDisk::default();
    let words: Vec<std::ffi::OsString> = arguments.iter().map(Into::into).collect();
    let (code, out, err) = gate_once(&words, network, (&mut clock, &disk, seed));
    let report: Value = serde_json::from_str(&disk.text("json")).unwrap_or_default();
    let transcript = transcript.borrow().clone();
    let ended = time.now();
    let truth = Truth { world: &world, flow: world.flow(&id), window: (-ms(world.lag), ms(ended)) };
    let is_left_alone = transcript.iter().any(|asked| asked.retry_after.is_some());
    let seen =
        Seen { report: &report, code, ended, timeout, longest, stops, is_left_alone, signal, transcript: &transcript };
    let violations = seen.violations(&truth);
    let told = |asked: &Asked| format!("  {:>10.3} {} {:?}\n", asked.at.as_secs_f64(), asked.path, asked.kind);
    let last = transcript.len().saturating_sub(6);
    let trace = format!(
        "whole {seed}\n  {}\n{}{}{}{}  {}\n",
        arguments.join(" "),
        world,
        transcript[last..]
            .iter()
            .map(|asked| told(asked).chars().take(900).collect::<String>() + "\n")
            .collect::<String>(),
        err,
        out,
        violations.iter().map(|what| format!("VIOLATION {what}")).collect::<Vec<_>>().join("\n  ")
    );
    let text = |name: &str| report[name].as_str().unwrap_or_default();
    Judged { outcome: format!("{} {}", text("outcome"), text("reason")), violations, trace }
}

/// What is asked of many workflows, each of which is gated as a whole.
pub struct Asking {
    pub timeout: Duration,
    pub longest: Duration,
    /// Whether an approval ends it.
    pub stops: bool,
    /// Whether somebody may have been told to leave the server alone for a while: then all do.
    pub is_left_alone: bool,
    pub signal: Option<(Duration, Signal)>,
}

/// The verdict about one of many workflows, judged as if it were alone.
pub fn verdict_violations(
    row: &Value,
    (world, id): (&World, &str),
    transcript: &[Asked],
    ended: Duration,
    asking: &Asking,
) -> Vec<String> {
    let text = |name: &str| row[name].as_str().unwrap_or_default();
    let is_it = |known: &&(u8, &str, &str)| (known.1, known.2) == (text("outcome"), text("reason"));
    let code = super::oracle::OUTCOMES.iter().find(is_it).map_or(255, |(code, ..)| *code);
    let Asking { timeout, longest, stops, is_left_alone, signal } = *asking;
    let truth = Truth { world, flow: world.flow(id), window: (-ms(world.lag), ms(ended)) };
    Seen { report: row, code, ended, timeout, longest, stops, is_left_alone, signal, transcript }.violations(&truth)
}

fn ms(duration: Duration) -> Time {
    duration.as_millis() as Time
}

/// What was true.
struct Truth<'w> {
    world: &'w World,
    flow: Option<usize>,
    /// From the oldest that an answer can be of to the end.
    window: (Time, Time),
}

impl Truth<'_> {
    /// Every moment of the window at which something was another than before.
    fn moments(&self) -> Vec<Time> {
        let mut all = vec![self.window.0, self.window.1];
        if let Some(number) = self.flow {
            let flow = &self.world.flows[number];
            all.extend(flow.stands.iter().map(|(at, _)| *at));
            all.extend(flow.heads.iter().map(|(at, _)| *at));
            all.extend(flow.steps.iter().flat_map(|step| step.states.iter().map(|(at, _)| *at)));
            for deploy in self.deploys() {
                all.extend(deploy.words.iter().map(|(at, ..)| *at).chain(deploy.fates.iter().map(|(at, _)| *at)));
            }
        }
        all.retain(|at| (self.window.0..=self.window.1).contains(at));
        all
    }

    fn deploys(&self) -> impl Iterator<Item = &Deploy> {
        self.world.deploys.iter().filter(|deploy| Some(deploy.flow) == self.flow)
    }

    fn sometime(&self, is_so: impl Fn(Time) -> bool) -> bool {
        self.moments().into_iter().any(is_so)
    }

    fn stand(&self, at: Time) -> Option<Stand> {
        let flow = &self.world.flows[self.flow?];
        let then = self.world.moment(at);
        (flow.created <= then).then(|| holds(&flow.stands, then).copied().unwrap_or(Stand::Going))
    }

    /// The newest of each component and kind.
    fn newest(&self, at: Time) -> Vec<&Deploy> {
        let then = self.world.moment(at);
        let mut all: Vec<&Deploy> = Vec::new();
        for deploy in self.deploys().filter(|deploy| deploy.created <= then) {
            all.retain(|other| {
                (other.is_other, other.kind == "teardown") != (deploy.is_other, deploy.kind == "teardown")
            });
            all.push(deploy);
        }
        all
    }

    fn standing(&self, deploy: &Deploy, at: Time) -> Standing {
        let then = self.world.moment(at);
        let verified = match deploy.fate(then) {
            Fate::Going | Fate::Replaced => return Standing::Open,
            Fate::Settled { verified } => verified,
        };
        match (deploy.word(then), deploy.kind == "teardown") {
            ("active" | "auto-skipped" | "no-drift", false) | ("inactive", true) => {
                if verified {
                    Standing::Well
                } else {
                    Standing::Failed
                }
            }
            ("auto-skipped" | "no-drift", true) => Standing::Well,
            (
                "error"
                | "noop"
                | "cancelled"
                | "approval-denied"
                | "approval-expired"
                | "not-attempted"
                | "user-skipped"
                | "drift-detected"
                | "drifted"
                | "expired"
                | "health-failed"
                | "inactive"
                | "failed-pending-retry",
                _,
            ) => Standing::Failed,
            ("unknown" | "success" | "warning" | "warming-up", _) => Standing::Strange,
            _ if self.stand(at) == Some(Stand::Failed) => Standing::Failed,
            _ => Standing::Left,
        }
    }
}

/// What was seen.
struct Seen<'r> {
    report: &'r Value,
    code: u8,
    ended: Duration,
    timeout: Duration,
    longest: Duration,
    stops: bool,
    is_left_alone: bool,
    signal: Option<(Duration, Signal)>,
    transcript: &'r [Asked],
}

impl Seen<'_> {
    fn violations(&self, truth: &Truth<'_>) -> Vec<String> {
        let text = |name: &str| self.report[name].as_str().unwrap_or_default();
        let (outcome, reason) = (text("outcome"), text("reason"));
        let mut wrong = Vec::new();
        let mut must = |is_so: bool, what: &str| {
            if !is_so {
                wrong.push(format!("{outcome} {reason}: {what}"));
            }
        };
        let known = super::oracle::OUTCOMES.contains(&(self.code, outcome, reason));
        must(known, "the exit code is of another outcome");
        let is_plan = truth.flow.is_some_and(|flow| truth.world.flows[flow].what == What::Plan);
        let any = |at: Time, which: Standing| truth.newest(at).iter().any(|deploy| truth.standing(deploy, at) == which);
        let stood = |stand: Stand| truth.sometime(|at| truth.stand(at) == Some(stand));
        let was = |kinds: &[&str]| {
            self.transcript.iter().any(|asked| match asked.kind {
                Kind::Refused(what) | Kind::Trouble(what) => kinds.contains(&what),
                _ => false,
            })
        };
        let was_absent = self.transcript.iter().any(|asked| matches!(asked.kind, Kind::Absent | Kind::NoRoute));
        match (outcome, reason) {
            ("passed", _) => {
                let is_well = |at: Time| {
                    let all = truth.newest(at);
                    truth.stand(at) == Some(Stand::Well)
                        && all.iter().all(|one| truth.standing(one, at) == Standing::Well)
                };
                must(truth.sometime(is_well), "never were the workflow and all its deploys well");
                must(!is_plan, "it only planned");
                must(truth.world.rights == Rights::All, "the token may not read the workflow");
                must(truth.world.gone.is_none_or(|gone| gone > truth.window.0), "the install was gone");
                let is_over = |asked: &Asked| match &asked.kind {
                    Kind::Document(value) => value["finished"] == true && value["status"]["status"] == "success",
                    _ => false,
                };
                must(self.transcript.iter().any(is_over), "no answer showed the workflow over and well");
                let is_there = |asked: &Asked| {
                    asked.path == format!("/v1/installs/{INSTALL}") && matches!(asked.kind, Kind::Document(_))
                };
                must(self.transcript.iter().any(is_there), "no answer showed the install");
            }
            ("failed", "deploy-failed") => {
                let has_failed = |at| {
                    any(at, Standing::Failed) || truth.stand(at) == Some(Stand::Failed) && !truth.newest(at).is_empty()
                };
                // Nobody waits for ever for what may make up for one that failed.
                let is_lost = truth.world.trouble > 0.0
                    && truth.sometime(|at| {
                        truth
                            .deploys()
                            .any(|one| matches!(one.word(truth.world.moment(at)), "error" | "cancelled" | "noop"))
                    });
                must(truth.sometime(has_failed) || is_lost, "no deploy of it had failed");
            }
            ("failed", "workflow-failed") => must(is_plan || stood(Stand::Failed), "it had not failed"),
            ("failed", _) => must(stood(Stand::Well), "what was judged was not over"),
            ("undecided", "left-behind") => {
                let is_left =
                    |at| truth.stand(at) == Some(Stand::Well) && (any(at, Standing::Left) || any(at, Standing::Open));
                must(truth.sometime(is_left), "no deploy of it was left behind");
            }
            ("undecided", "unknown-status") => {
                must(truth.sometime(|at| any(at, Standing::Strange)), "no word was strange")
            }
            ("undecided", "never-appeared") => must(stood(Stand::Well), "the workflow was not over"),
            ("undecided", "not-found") => must(was_absent, "everything that was asked for was there"),
            ("undecided", why) => must(was(&[why]), "no answer was so"),
            ("approval-required", _) => {
                must(self.stops, "nobody asked to stop for that");
                must(stood(Stand::Asks) || stood(Stand::Going), "nobody was asked");
            }
            ("interrupted", _) => must(self.signal.is_some(), "no signal came"),
            ("timed-out", _) => {
                must(self.ended >= self.timeout || self.is_left_alone, "it was too early for that");
            }
            _ => must(false, "there is no such end"),
        }
        must(self.ended <= self.timeout + Duration::from_secs(120), "it went on long after the deadline");
        self.waits_for_nothing(truth, &mut must);
        wrong
    }

    /// What is known and cannot change any more ends the run soon.
    fn waits_for_nothing(&self, truth: &Truth<'_>, must: &mut impl FnMut(bool, &str)) {
        let Some(flow) = truth.flow.map(|number| &truth.world.flows[number]) else { return };
        if self.is_left_alone
            || truth.world.trouble > 0.0
            || truth.world.gone.is_some()
            || truth.world.rights != Rights::All
        {
            return;
        }
        // A person may make it go on again.
        let over = flow.stands.last().filter(|(_, stand)| matches!(stand, Stand::Well | Stand::Failed));
        let Some((since, _)) = over else { return };
        let since = flow.heads.iter().map(|(at, _)| *at).filter(|at| at >= since).min().unwrap_or(*since).max(*since);
        // Two looks, and the minute for which a deploy that goes on is not yet left behind.
        // Nobody looks at it before it is known.
        let known = self.transcript.first().map_or(Duration::ZERO, |first| first.at);
        let late = Duration::from_millis(since.max(0) as u64).max(known) + self.longest * 3 + Duration::from_secs(75);
        must(self.ended <= late || self.signal.is_some(), "it was over long before");
    }
}
