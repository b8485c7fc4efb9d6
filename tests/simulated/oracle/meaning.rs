//! What the words mean to the oracle, how a deploy stands in truth, and which deploy is meant.

use serde_json::Value;

use super::{About, Oracle, about, text};
use crate::simulated::network::{Asked, Kind};
use crate::simulated::pipeline::What;
use crate::simulated::world::{Deploy, Fate, Stand, Time, stamp};

/// What a status means: the table of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Good,
    /// Nothing had to be done, which is good as well.
    Nothing,
    Bad,
    Parked,
    Replaced,
    Running,
    Unknown,
}

/// How a deploy stands in truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Open,
    /// Another of its workflow goes on for it.
    Replaced,
    Well,
    Failed,
    /// Its workflow ended well, and it never ended.
    Left,
    /// Nobody knows its last word.
    Strange,
}

impl Oracle<'_> {
    pub(super) fn class_of(&self, word: &str, is_teardown: bool) -> Class {
        let expects = self.run.gate.teardown;
        let good = |class| match (expects, is_teardown) {
            (true, true) | (false, false) => class,
            // However well it went, a teardown is not what was asked for, nor is anything else where one was.
            (false, true) => Class::Bad,
            (true, false) => Class::Running,
        };
        if let Some((_, class)) = self.run.gate.overrides.iter().find(|(status, _)| *status == word) {
            return match *class {
                "success" => good(Class::Good),
                "failure" => Class::Bad,
                _ => Class::Running,
            };
        }
        match word {
            "inactive" if is_teardown && expects => Class::Good,
            "active" if is_teardown && expects => Class::Running,
            "active" => good(Class::Good),
            "auto-skipped" | "no-drift" if expects && !is_teardown => Class::Running,
            "auto-skipped" | "no-drift" => Class::Nothing,
            "error" | "noop" | "cancelled" | "approval-denied" | "approval-expired" | "not-attempted"
            | "user-skipped" | "drift-detected" | "drifted" | "expired" | "health-failed" | "inactive" => Class::Bad,
            "retried" | "discarded" | "outdated" => Class::Replaced,
            "failed-pending-retry" => Class::Parked,
            "unknown" | "success" | "warning" | "warming-up" => Class::Unknown,
            _ => Class::Running,
        }
    }

    pub(super) fn class(&self, deploy: &Deploy, at: Time) -> Class {
        self.class_of(deploy.word(self.world.moment(at)), deploy.kind == "teardown")
    }

    pub(super) fn stand(&self, flow: usize, at: Time) -> Stand {
        self.world.flows[flow].stand(self.world.moment(at))
    }

    pub(super) fn standing(&self, deploy: &Deploy, at: Time) -> Standing {
        let verified = match deploy.fate(self.world.moment(at)) {
            Fate::Going => return Standing::Open,
            Fate::Replaced => return Standing::Replaced,
            Fate::Settled { verified } => verified,
        };
        let has_failed = self.stand(deploy.flow, at) == Stand::Failed;
        match self.class(deploy, at) {
            Class::Good | Class::Nothing if verified => Standing::Well,
            Class::Good | Class::Nothing | Class::Bad | Class::Parked => Standing::Failed,
            Class::Running | Class::Replaced if has_failed => Standing::Failed,
            Class::Running | Class::Replaced => Standing::Left,
            Class::Unknown => Standing::Strange,
        }
    }

    /// Whether the user said what its word means.
    pub(super) fn is_read_otherwise(&self, deploy: &Deploy, as_what: &str) -> bool {
        let overrides = &self.run.gate.overrides;
        self.sometime(|at| {
            let word = deploy.word(self.world.moment(at));
            overrides.iter().any(|(status, class)| *status == word && *class == as_what)
        })
    }

    /// Whether all pins are true of a deploy, or of one that it goes on for.
    pub(super) fn pins_hold(&self, deploy: &Deploy) -> bool {
        let gate = &self.run.gate;
        let is = |pin: &Option<String>, got: &str| pin.as_ref().is_none_or(|pin| pin == got);
        let is_named = gate.deploy.as_ref().is_none_or(|pin| {
            let named = self.world.deploy(pin);
            named.is_some_and(|named| named.flow == deploy.flow && named.created <= deploy.created)
        });
        let is_seen = gate.identifies() || self.world.flows[deploy.flow].what != What::Plan;
        !deploy.is_other
            && is_seen
            && is_named
            && (!gate.teardown || deploy.kind == "teardown")
            && is(&gate.build, &deploy.build)
            && gate.commit.as_ref().is_none_or(|pin| deploy.commit.starts_with(pin.as_str()))
            && is(&gate.workflow, &self.world.flows[deploy.flow].id)
            && self.is_newer(deploy)
    }

    /// Whether it is newer than what `--after` says.
    fn is_newer(&self, deploy: &Deploy) -> bool {
        match self.run.gate.after.as_deref() {
            None | Some("none") => true,
            Some(id) if id.starts_with("dpl") => {
                let before = self.world.deploy(id).filter(|before| before.created <= self.window.1);
                before.is_some_and(|before| before.created < deploy.created)
            }
            Some(time) => stamp(deploy.created).as_str() >= time,
        }
    }

    /// The workflow that a pin identifies, itself or by a deploy.
    pub(super) fn pinned_flow(&self) -> Option<usize> {
        let gate = &self.run.gate;
        let by_deploy = || self.world.deploy(gate.deploy.as_ref()?).map(|deploy| deploy.flow);
        gate.workflow.as_ref().map_or_else(by_deploy, |id| self.world.flow(id))
    }

    /// Whether the run may be about a deploy, by its pins and by what took its place.
    pub(super) fn is_meant(&self, deploy: &Deploy) -> bool {
        let is_newest =
            |at| self.world.newest(deploy.flow, self.world.moment(at)).is_some_and(|new| new.id == deploy.id);
        if !self.pins_hold(deploy) || !self.sometime(is_newest) {
            return false;
        }
        if self.run.gate.identifies() {
            return true;
        }
        let policy = self.run.gate.policy();
        // Newer ones take its place: any of them, or only those that are meant as well.
        policy == "finish"
            || self.sometime(|at| {
                let Some(latest) = self.world.latest(self.world.moment(at)) else { return false };
                let is_beside = policy == "follow" && !self.pins_hold(latest);
                latest.flow == deploy.flow || latest.created < deploy.created || is_beside
            })
    }

    /// Deploys that the gate was shown as the latest, and that were meant when they were. An answer that is older than
    /// one before it comes from a replica that lags.
    pub(super) fn seen(&self) -> impl Iterator<Item = &Deploy> {
        let shown = |asked: &Asked| match &asked.kind {
            Kind::Document(value) if about(asked) == About::Latest => self.world.deploy(text(value, "id")),
            _ => None,
        };
        let shown = self.run.transcript.iter().filter_map(shown);
        let newest = shown.scan(Time::MIN, |newest, deploy| {
            let is_news = deploy.created >= *newest;
            *newest = deploy.created.max(*newest);
            Some(Some(deploy).filter(|_| is_news))
        });
        newest.flatten().filter(|deploy| self.pins_hold(deploy))
    }

    /// Whether it was over before the run began, and still so at its end.
    pub(super) fn was_over(&self, deploy: &Deploy) -> bool {
        !matches!(self.standing(deploy, 0), Standing::Open | Standing::Replaced)
            && matches!(self.stand(deploy.flow, 0), Stand::Well | Stand::Failed)
            && deploy.fates.iter().all(|(at, _)| *at <= 0 || *at > self.window.1)
    }
}

/// Which row of the table of workflows an answer is, read top down.
pub fn workflow_row(asked: &Asked) -> Option<u8> {
    let Kind::Document(value) = &asked.kind else { return None };
    if about(asked) != About::Workflow {
        return None;
    }
    Some(row(value))
}

fn row(workflow: &Value) -> u8 {
    let status = &workflow["status"];
    let finished = workflow["finished"] == true;
    let marked = status["metadata"]["awaiting_retry"] == true;
    let is_parked = marked && (!finished || status["status_human_description"] == "workflow failed, awaiting retry");
    match (text(status, "status"), finished) {
        ("success", true) => 1,
        ("cancelled", _) => 2,
        ("failed-pending-retry", _) => 3,
        ("error", _) if is_parked => 4,
        ("error", true) => 5,
        ("error", false) => 6,
        ("approval-awaiting", _) => 7,
        (_, true) => 8,
        _ => 9,
    }
}
