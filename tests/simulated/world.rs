//! A random server: deploys that come and go through any status, workflows that step along or die, replicas that lag,
//! and a network that does what networks do. What it answered is kept for the oracle.

use std::time::Duration;

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

pub struct Deploy {
    pub id: String,
    pub build: String,
    pub commit: String,
    pub workflow: String,
    pub kind: &'static str,
    /// When each status came.
    pub path: Vec<(Duration, &'static str)>,
}

pub struct Workflow {
    pub id: String,
    pub plan_only: bool,
    pub path: Vec<(Duration, Value)>,
}

/// The truth.
pub struct World {
    pub deploys: Vec<Deploy>,
    pub workflows: Vec<Workflow>,
    /// Whether the server fills in parts and embeds steps as the newer generation does.
    pub is_newer: bool,
    /// How likely a request goes wrong.
    pub trouble: f64,
    pub lag: Duration,
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

pub fn id(prefix: &str, number: usize) -> String {
    format!("{prefix}{number:023}")
}

/// A time as the server writes it, here always of one length.
pub fn stamp(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Between a tenth of a second and twenty minutes, each order of magnitude as likely.
pub fn span(dice: &mut Rng) -> Duration {
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
    pub fn add(&mut self, number: usize, at: Duration, dice: &mut Rng) {
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

    pub fn document(&self, deploy: &Deploy, at: Duration, is_latest: bool) -> Value {
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

    pub fn workflow(&self, workflow: &Workflow, at: Duration) -> Value {
        let mut state =
            workflow.path.iter().rev().find(|(from, _)| *from <= at).map_or(json!({}), |(_, state)| state.clone());
        state["id"] = workflow.id.clone().into();
        state["owner_id"] = INSTALL.into();
        state["plan_only"] = workflow.plan_only.into();
        state
    }

    /// What the server has at a moment.
    pub fn answer(&self, path: &str, at: Duration) -> Kind {
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
pub fn workflow_path(deploy: &Deploy, dice: &mut Rng) -> Vec<(Duration, Value)> {
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
pub fn verify(deploy: &str, path: &mut [(Duration, Value)], applied: Duration, until: Duration, dice: &mut Rng) {
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
