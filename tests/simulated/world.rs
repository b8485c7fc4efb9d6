//! A random server: deploys that come and go through any status, workflows that step along or die, replicas that lag,
//! and a network that does what networks do. What it answered is kept for the oracle.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use deploy_gate::base::clock::{Clock, Signal, VirtualClock};
use deploy_gate::base::source::{Fault, Request, Response, Source};
use fastrand::Rng;
use jiff::Timestamp;
use serde_json::{Value, json};

pub const INSTALL: &str = "inl00000000000000000000001";
/// When each run begins: 2026-01-14T17:00:00Z.
pub const EPOCH: i64 = 1_768_410_000;
pub const INSTALL_COMPONENT: &str = "inc00000000000000000000001";
pub const COMPONENT: &str = "cmp00000000000000000000001";

/// Every word of the status table, and two that are not in it.
pub const WORDS: [&str; 40] = [
    "",
    "active",
    "auto-skipped",
    "no-drift",
    "error",
    "noop",
    "cancelled",
    "approval-denied",
    "approval-expired",
    "not-attempted",
    "user-skipped",
    "drift-detected",
    "drifted",
    "expired",
    "inactive",
    "retried",
    "discarded",
    "outdated",
    "failed-pending-retry",
    "queued",
    "pending",
    "planning",
    "syncing",
    "executing",
    "pending-approval",
    "approval-awaiting",
    "awaiting-user-run",
    "in-progress",
    "checking-plan",
    "building",
    "applying",
    "provisioning",
    "deleting",
    "retrying",
    "approval-retry",
    "approved",
    "generating",
    "health-failed",
    "unknown",
    "warming-up",
];

/// What an answer was.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A whole document, as the server had it at some moment.
    Document(Value),
    /// There is no such thing.
    Absent,
    /// An answer that asking again does not change: its outcome's reason.
    Refused(&'static str),
    /// Anything that may be better the next time; what it was.
    Trouble(&'static str),
    /// A whole document of something else.
    Foreign,
    /// A signal came first.
    Interrupted,
}

/// One request, and what came of it.
#[derive(Clone, Debug)]
pub struct Asked {
    pub at: Duration,
    pub until: Duration,
    pub path: String,
    pub kind: Kind,
    /// How long the server asked to be left alone, by the gate's own calendar.
    pub retry_after: Option<Duration>,
}

struct Deploy {
    id: String,
    build: String,
    commit: String,
    workflow: String,
    kind: &'static str,
    /// When each status came.
    path: Vec<(Duration, &'static str)>,
}

struct Workflow {
    id: String,
    plan_only: bool,
    path: Vec<(Duration, Value)>,
}

/// The truth.
pub struct World {
    deploys: Vec<Deploy>,
    workflows: Vec<Workflow>,
    /// Whether the server fills in parts and embeds steps as the newer generation does.
    is_newer: bool,
    /// How likely a request goes wrong.
    trouble: f64,
    lag: Duration,
    pub ids: Ids,
}

/// What a user can know before the run.
#[derive(Default)]
pub struct Ids {
    pub builds: Vec<String>,
    pub deploys: Vec<String>,
    pub workflows: Vec<String>,
    pub commits: Vec<String>,
}

fn id(prefix: &str, number: usize) -> String {
    format!("{prefix}{number:023}")
}

/// A time as the server writes it, here always of one length.
pub fn stamp(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Between a tenth of a second and twenty minutes, each order of magnitude as likely.
fn span(dice: &mut Rng) -> Duration {
    Duration::from_secs_f64(10_f64.powf(dice.f64() * 4.1 - 1.0))
}

impl World {
    pub fn random(dice: &mut Rng) -> Self {
        let mut world = Self {
            deploys: Vec::new(),
            workflows: Vec::new(),
            is_newer: dice.bool(),
            trouble: dice.choice([0.0, 0.0, 0.03, 0.2, 0.6]).unwrap_or(0.0),
            lag: if dice.u8(0..4) == 0 { span(dice) } else { Duration::ZERO },
            ids: Ids::default(),
        };
        let mut at = Duration::ZERO;
        for number in 1..=dice.usize(0..4) {
            world.add(number, at, dice);
            at += if dice.bool() { span(dice) } else { Duration::ZERO };
        }
        world
    }

    /// Whether the server is of the newer generation.
    pub fn set_generation(&mut self, is_newer: bool) {
        self.is_newer = is_newer;
    }

    /// A deploy from `at` on, maybe in the workflow of the one before.
    fn add(&mut self, number: usize, at: Duration, dice: &mut Rng) {
        let is_retry = number > 1 && dice.u8(0..4) == 0;
        let workflow = if is_retry { self.workflows.len() } else { self.workflows.len() + 1 };
        // A run often begins when all of it is over.
        let begin = if number == 1 && dice.bool() { Duration::ZERO } else { at };
        let is_over_already = begin.is_zero() && dice.u8(0..3) == 0;
        let mut words: Vec<&'static str> = vec!["", "planning", "syncing", "planning", "executing"];
        if dice.bool() {
            words.extend(["pending-approval", "planning", "executing"]);
        }
        words.truncate(dice.usize(0..=words.len()));
        words.push(match dice.u8(0..10) {
            0..5 => "active",
            5 => "error",
            6 => dice.choice(["inactive", "auto-skipped", "cancelled", "noop"]).unwrap_or("noop"),
            _ => dice.choice(WORDS).unwrap_or("unknown"),
        });
        if matches!(words.last(), Some(&("error" | "noop" | "retried" | "discarded"))) && dice.bool() {
            words.extend(["planning", dice.choice(["active", "error", "executing"]).unwrap_or("active")]);
        }
        let mut path = Vec::new();
        let mut time = begin;
        for word in words {
            path.push((time, word));
            time += if is_over_already { Duration::ZERO } else { span(dice) };
        }
        let kind = dice.choice(["apply", "apply", "apply", "sync-image", "teardown"]).unwrap_or("apply");
        let deploy = Deploy {
            id: id("dpl", number),
            build: id("bld", if dice.bool() { number } else { 1 }),
            commit: format!("{:040x}", if dice.bool() { number } else { 0xabc }),
            workflow: if dice.u8(0..12) == 0 { String::new() } else { id("inw", workflow) },
            kind,
            path,
        };
        if !is_retry {
            let workflow =
                Workflow { id: id("inw", workflow), plan_only: dice.u8(0..8) == 0, path: workflow_path(&deploy, dice) };
            self.ids.workflows.push(workflow.id.clone());
            self.workflows.push(workflow);
        }
        self.ids.deploys.push(deploy.id.clone());
        self.ids.builds.push(deploy.build.clone());
        self.ids.commits.push(deploy.commit.clone());
        self.deploys.push(deploy);
    }

    fn document(&self, deploy: &Deploy, at: Duration, is_latest: bool) -> Value {
        let word = deploy.path.iter().rev().find(|(from, _)| *from <= at).map_or("", |(_, word)| word);
        let number = deploy.id[3..].parse::<i64>().unwrap_or_default();
        // What is there from the beginning was made some hours before.
        let begin = deploy.path[0].0.as_millis() as i64;
        let created = EPOCH * 1000 + number + if begin == 0 { -10_000_000 } else { begin };
        let mut document = json!({
            "id": deploy.id,
            "install_id": if is_latest { "" } else { INSTALL },
            "install_component_id": INSTALL_COMPONENT,
            "build_id": deploy.build,
            "install_deploy_type": deploy.kind,
            "plan_only": false,
            "status": "active",
            "outputs": {},
            "created_at": Timestamp::from_millisecond(created).map_or(String::new(), stamp),
            "component_build": {"vcs_connection_commit": {"sha": deploy.commit}},
        });
        let workflow = if self.is_newer { "workflow_id" } else { "install_workflow_id" };
        if !deploy.workflow.is_empty() {
            document[workflow] = deploy.workflow.clone().into();
        }
        if !word.is_empty() {
            document["status_v2"] = json!({"status": word, "status_human_description": format!("about {word}")});
        }
        if !is_latest {
            document["component_name"] = "api".into();
            document["component_id"] = COMPONENT.into();
            document["runner_jobs"] = json!([]);
            if self.is_newer {
                document["oci_artifact"] = json!({"tag": "v1"});
            }
        }
        document
    }

    fn workflow(&self, workflow: &Workflow, at: Duration) -> Value {
        let mut state =
            workflow.path.iter().rev().find(|(from, _)| *from <= at).map_or(json!({}), |(_, state)| state.clone());
        state["id"] = workflow.id.clone().into();
        state["owner_id"] = INSTALL.into();
        state["plan_only"] = workflow.plan_only.into();
        state
    }

    /// What the server has at a moment.
    fn answer(&self, path: &str, at: Duration) -> Kind {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let by_id = |id: &str| self.deploys.iter().find(|deploy| deploy.id == id && deploy.path[0].0 <= at);
        if path.ends_with("/deploys/latest") {
            let latest = self.deploys.iter().rev().find(|deploy| deploy.path[0].0 <= at);
            return latest.map_or(Kind::Absent, |deploy| Kind::Document(self.document(deploy, at, true)));
        }
        if let Some(id) = path.strip_prefix(&format!("/v1/installs/{INSTALL}/components/{COMPONENT}/deploys/")) {
            // The older generation knows deploys by the install only.
            let deploy = by_id(id).filter(|_| self.is_newer);
            return deploy.map_or(Kind::Absent, |deploy| Kind::Document(self.document(deploy, at, false)));
        }
        if let Some(id) = path.strip_prefix(&format!("/v1/installs/{INSTALL}/deploys/")) {
            return by_id(id).map_or(Kind::Absent, |deploy| Kind::Document(self.document(deploy, at, false)));
        }
        let Some(id) = path.strip_prefix("/v1/workflows/") else { return Kind::Absent };
        let wants_steps = id.ends_with("/steps");
        let id = id.trim_end_matches("/steps");
        let Some(workflow) = self.workflows.iter().find(|workflow| workflow.id == id) else { return Kind::Absent };
        let mut state = self.workflow(workflow, at);
        if !wants_steps {
            if !self.is_newer {
                state.as_object_mut().map(|members| members.remove("steps"));
            }
            return Kind::Document(state);
        }
        let offset = query.split('&').find_map(|part| part.strip_prefix("offset=")?.parse::<usize>().ok());
        let steps = state["steps"].as_array().cloned().unwrap_or_default();
        Kind::Document(Value::Array(steps.into_iter().skip(offset.unwrap_or(0)).collect()))
    }
}

/// The workflow of a deploy: mostly as its statuses say, sometimes not.
fn workflow_path(deploy: &Deploy, dice: &mut Rng) -> Vec<(Duration, Value)> {
    let step = |name: &str, word: &str| json!({"id": name, "name": name, "status": {"status": word}});
    let mut path =
        vec![(Duration::ZERO, json!({"status": {"status": "pending"}, "steps": [step("deploy", "pending")]}))];
    let mut last = Duration::ZERO;
    for (at, word) in &deploy.path {
        last = *at;
        let mut deploy_step = step("deploy", "in-progress");
        if *word == "pending-approval" && dice.bool() {
            deploy_step["status"]["status"] = "approval-awaiting".into();
            deploy_step["approval"] =
                if dice.bool() { json!({"id": "waa1"}) } else { json!({"response": {"type": "approve"}}) };
        }
        path.push((
            *at,
            json!({"status": {"status": "in-progress"}, "steps": [deploy_step, step("state", "pending")]}),
        ));
    }
    let word = deploy.path.last().map_or("", |(_, word)| word);
    let ends_well = matches!(word, "active" | "auto-skipped" | "no-drift" | "inactive");
    let end = match (dice.u8(0..8), ends_well) {
        (0, _) => return path,
        (1, _) => dice.choice(["success", "error", "cancelled", "failed-pending-retry"]).unwrap_or("error"),
        (_, true) => "success",
        (2, false) => "failed-pending-retry",
        (_, false) if word == "cancelled" => "cancelled",
        (_, false) => "error",
    };
    // In between, as some servers write it: success, and not finished.
    path.push((
        last,
        json!({"status": {"status": "success"}, "steps": [step("deploy", "success"), step("state", "in-progress")]}),
    ));
    let steps = match end {
        "success" => json!([step("deploy", "success"), step("state", "success")]),
        _ if dice.bool() => {
            json!([step("deploy", "error"), {"id": "r", "name": "r", "retried": true, "status": {"status": "error"}}])
        }
        _ => json!([step("deploy", "error"), step("state", "not-attempted")]),
    };
    let finished = !matches!(end, "cancelled" | "failed-pending-retry");
    let delay = if dice.bool() { span(dice) } else { Duration::ZERO };
    path.push((last + delay, json!({"status": {"status": end}, "finished": finished, "steps": steps})));
    if dice.u8(0..3) == 0 {
        verify(&deploy.id, &mut path, last, delay, dice);
    }
    path
}

/// The health of the deploy is verified by a step of its own, from its first end on.
fn verify(deploy: &str, path: &mut [(Duration, Value)], applied: Duration, until: Duration, dice: &mut Rng) {
    let has_target = dice.bool();
    let end = dice.choice(["success", "success", "error", "in-progress"]).unwrap_or("success");
    let is_late = dice.u8(0..4) == 0;
    for (at, state) in path.iter_mut() {
        let word = match *at {
            at if at < applied => "pending",
            at if at < applied + until => "in-progress",
            _ => end,
        };
        let mut step = json!({"id": "v", "name": "verify health", "status": {"status": word}, "group_idx": 1, "step_target_type": "install_components"});
        if has_target {
            step["step_target_id"] = INSTALL_COMPONENT.into();
        }
        let Some(steps) = state["steps"].as_array_mut() else { continue };
        steps[0]["group_idx"] = 1.into();
        steps[0]["step_target_type"] = "install_deploys".into();
        steps[0]["step_target_id"] = deploy.into();
        // The list can be longer than it was at first.
        if is_late && *at < applied {
            state["status"]["metadata"] = json!({"eager_steps_loaded": true});
        } else {
            steps.push(step);
            state["status"]["metadata"] = json!({"eager_steps_loaded": true, "all_steps_loaded": true});
        }
    }
}

/// The clock of a run: a signal may come, and the calendar may jump.
#[derive(Clone)]
pub struct SimulatedClock {
    pub time: VirtualClock,
    pub signal: Option<(Duration, Signal)>,
    /// From when on the calendar is wrong, and by how many seconds.
    pub jump: (Duration, i64),
}

impl SimulatedClock {
    pub fn random(time: VirtualClock, dice: &mut Rng) -> Self {
        let signal = (dice.u8(0..16) == 0).then(|| {
            let signal = dice.choice([Signal::Hangup, Signal::Interrupt, Signal::Terminate]).unwrap_or(Signal::Hangup);
            (Duration::from_millis(dice.u64(0..600_000)), signal)
        });
        let jump = (Duration::from_secs(dice.u64(0..600)), if dice.u8(0..4) == 0 { dice.i64(-4000..4000) } else { 0 });
        Self { time, signal, jump }
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Duration {
        self.time.now()
    }

    fn utc(&self) -> Option<Timestamp> {
        let off = if self.now() >= self.jump.0 { self.jump.1 } else { 0 };
        self.time.utc()?.checked_add(jiff::SignedDuration::from_secs(off)).ok()
    }

    fn sleep(&mut self, wait: Duration) -> Option<Signal> {
        match self.signal {
            Some((at, signal)) if self.now() + wait >= at => {
                let left = at.saturating_sub(self.now());
                self.time.sleep(left);
                Some(signal)
            }
            _ => self.time.sleep(wait),
        }
    }
}

pub type Transcript = Rc<RefCell<Vec<Asked>>>;

/// The way to the server.
pub struct Network {
    pub world: World,
    pub clock: SimulatedClock,
    pub dice: Rng,
    pub transcript: Transcript,
}

impl Source for Network {
    fn ask(&mut self, request: &Request) -> Result<Response, Fault> {
        let at = self.clock.now();
        let mut retry_after = None;
        let (kind, answer) = self.serve(request, &mut retry_after);
        let until = self.clock.now();
        self.transcript.borrow_mut().push(Asked { at, until, path: request.path.clone(), kind, retry_after });
        answer
    }
}

impl Network {
    fn serve(&mut self, request: &Request, retry_after: &mut Option<Duration>) -> (Kind, Result<Response, Fault>) {
        let is_trouble = self.dice.f64() < self.world.trouble;
        let latency = match self.dice.u8(0..20) {
            0 if is_trouble => Duration::from_secs(self.dice.u64(1..60)),
            _ => Duration::from_millis(self.dice.u64(0..300)),
        };
        // One request's own limit is not that of the run.
        let within = request.within.min(Duration::from_secs(30));
        if let Some(signal) = self.clock.sleep(latency.min(within)) {
            return (Kind::Interrupted, Err(Fault::Interrupted(signal)));
        }
        if latency > within {
            return (Kind::Trouble("slow"), Err(Fault::Transient("no whole answer in time".into())));
        }
        let is_stale = is_trouble && self.dice.u8(0..3) == 0;
        let lag = if is_stale { self.world.lag } else { Duration::ZERO };
        let truth = self.world.answer(&request.path, self.clock.now().saturating_sub(lag));
        if is_trouble && !is_stale {
            return self.trouble(&truth, retry_after);
        }
        let mut response = Response { status: 200, ..Response::default() };
        let kind = match truth {
            Kind::Document(value) => {
                response.body = value.to_string().into_bytes();
                Kind::Document(value)
            }
            // Older servers answer an empty document where there is no deploy.
            _ if request.path.ends_with("/latest") && !self.world.is_newer => {
                response.body = br#"{"install_id":"","plan_only":false}"#.to_vec();
                Kind::Absent
            }
            _ => {
                response.status = 404;
                response.body = br#"{"error":"record not found"}"#.to_vec();
                Kind::Absent
            }
        };
        (kind, Ok(response))
    }

    fn trouble(&mut self, truth: &Kind, retry_after: &mut Option<Duration>) -> (Kind, Result<Response, Fault>) {
        let body = match truth {
            Kind::Document(value) => value.to_string(),
            _ => r#"{"error":"record not found"}"#.into(),
        };
        let ok = |body: Vec<u8>| Ok(Response { status: 200, headers: Vec::new(), body });
        // Rare: each of these ends the run.
        let is_final = self.dice.u8(0..6) == 0;
        let refuse = |status: u16, reason| {
            let (status, kind) = if is_final { (status, Kind::Refused(reason)) } else { (503, Kind::Trouble("503")) };
            (kind, Ok(Response { status, headers: Vec::new(), body: Vec::new() }))
        };
        match self.dice.u8(0..22) {
            0 => (Kind::Trouble("reset"), Err(Fault::Transient("connection reset".into()))),
            1 => (Kind::Trouble("name"), Err(Fault::Transient("the name is not resolved".into()))),
            2 if body.len() > 2 => {
                let cut = self.dice.usize(1..body.len() - 1);
                (Kind::Trouble("cut off"), ok(body.as_bytes()[..cut].to_vec()))
            }
            3 => (Kind::Trouble("html"), ok(b"<html>502</html>".to_vec())),
            4 => (Kind::Trouble("empty"), ok(Vec::new())),
            5 => (Kind::Trouble("a list"), ok(format!("[{body}]").into_bytes())),
            6 => (Kind::Trouble("twice"), ok(format!(r#"{{"id":"x","id":"y",{}"#, &body[1..]).into_bytes())),
            7 => (
                Kind::Trouble("status is a list"),
                ok(br#"{"id":"dpl00000000000000000000001","status_v2":["active"]}"#.to_vec()),
            ),
            8 => (
                Kind::Foreign,
                ok(br#"{"id":"inw9","install_id":"inl00000000000000000000009","status_v2":{"status":"active"}}"#
                    .to_vec()),
            ),
            9 => (Kind::Absent, Ok(Response { status: 404, ..Response::default() })),
            10 => refuse(401, "unauthorized"),
            11 => refuse(403, "forbidden"),
            12 => refuse(400, "bad-answer"),
            13 => refuse(302, "bad-answer"),
            14 => (Kind::Trouble("206"), Ok(Response { status: 206, headers: Vec::new(), body: body.into_bytes() })),
            _ => {
                let status = self.dice.choice([408, 409, 425, 429, 500, 502, 503, 504]).unwrap_or(500);
                let mut headers = Vec::new();
                if self.dice.bool() {
                    let seconds = self.dice.u64(0..90);
                    let now = self.clock.utc();
                    if let (true, Some(then)) = (
                        self.dice.bool(),
                        now.and_then(|now| now.checked_add(jiff::SignedDuration::from_secs(seconds as i64)).ok()),
                    ) {
                        let date = then.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
                        // A date has no fractions of a second.
                        *retry_after = Some(Duration::from_secs(seconds.saturating_sub(1)));
                        headers.push(("retry-after".into(), date));
                    } else {
                        *retry_after = Some(Duration::from_secs(seconds));
                        headers.push(("retry-after".into(), seconds.to_string()));
                    }
                }
                let name = if headers.is_empty() { "5xx" } else { "retry-after" };
                (Kind::Trouble(name), Ok(Response { status, headers, body: b"try later".to_vec() }))
            }
        }
    }
}
