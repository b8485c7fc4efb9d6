//! The truth: whether what was meant had really ended as the run says, and nothing that the server does by itself would
//! change that.

use super::meaning::{Class, Standing};
use super::{About, Oracle, about, document, text};
use crate::simulated::network::{Asked, Kind};
use crate::simulated::pipeline::What;
use crate::simulated::world::{Deploy, Rights, Stand, Time};

/// How long ago the install may have been asked for where it is there no more.
const INSTALL_IS_TRUSTED: Time = 65_000;

impl Oracle<'_> {
    /// A pass, or a failure by assertions alone: the promise.
    pub(super) fn is_good(&mut self) {
        let Some(deploy) = self.deploy else { return self.must(false, "no deploy passed") };
        let gate = &self.run.gate;
        self.must(self.is_meant(deploy), format!("{} was not meant", deploy.id));
        let is_success = |at| matches!(self.class(deploy, at), Class::Good | Class::Nothing);
        let is_well = if gate.until == Some("applied") || self.is_read_otherwise(deploy, "success") {
            self.sometime(is_success)
        } else {
            self.sometime(|at| self.standing(deploy, at) == Standing::Well)
        };
        self.must(is_well, format!("{} was not well, or was to change", deploy.id));
        let stands = |this: &Self, wanted: &[Stand]| this.sometime(|at| wanted.contains(&this.stand(deploy.flow, at)));
        if gate.until == Some("workflow") {
            self.must(stands(self, &[Stand::Well]), "its workflow was not over and well");
        }
        if gate.until != Some("applied") && gate.looks_at_the_workflow() {
            let is_over = stands(self, &[Stand::Well, Stand::Failed]);
            // Where it is refused, and nothing can be verified, what is asserted of it is vacuous.
            let is_refused = self.run.transcript.iter().any(|asked| {
                matches!(about(asked), About::Workflow | About::Steps) && matches!(asked.kind, Kind::Refused(_))
            });
            self.must(is_over || is_refused, "the workflow was judged while it went on");
        }
        let is_plan = self.world.flows[deploy.flow].what == What::Plan;
        let is_nothing = self.sometime(|at| self.class(deploy, at) == Class::Nothing);
        let is_read = self.is_read_otherwise(deploy, "success");
        self.must(!is_plan || is_nothing || is_read, "it was only a plan");
        self.install_was_there();
        self.workflow_was_read(deploy);
        if let Some(other) = self.unsettled_beside(deploy) {
            self.must(false, format!("{other} matches the pins, too, and had not ended well"));
        }
        if let Some(left) = self.unsettled_behind(deploy) {
            self.must(false, format!("{left} was left behind, and had not ended well"));
        }
    }

    /// A success needs its workflow's word, but where nothing can verify its health.
    fn workflow_was_read(&mut self, deploy: &Deploy) {
        let id = &self.world.flows[deploy.flow].id;
        let is_read =
            |asked: &Asked| about(asked) == About::Workflow && document(asked).is_some_and(|one| one["id"] == **id);
        let is_needed = self.run.gate.until != Some("applied") && self.world.component_type == "helm_chart";
        self.must(!is_needed || self.run.transcript.iter().any(is_read), "its workflow was not read");
    }

    fn install_was_there(&mut self) {
        let asked = self.run.transcript.iter().filter(|asked| about(asked) == About::Install);
        let told = asked.filter_map(|asked| match asked.kind {
            Kind::Document(_) => Some(true),
            Kind::Absent => Some(false),
            _ => None,
        });
        let told: Vec<bool> = told.collect();
        self.must(told.last() != Some(&false), "the install was not there when it was last asked for");
        if self.has_trouble() {
            return;
        }
        self.must(!told.is_empty(), "the install was never asked for");
        let is_fresh = self.world.gone.is_none_or(|gone| gone > 0 && self.window.1 <= gone + INSTALL_IS_TRUSTED);
        self.must(is_fresh, "the install was gone");
    }

    /// Another deploy of another workflow that narrowing pins are true of, and that had not ended well.
    pub(super) fn unsettled_beside(&self, judged: &Deploy) -> Option<String> {
        let gate = &self.run.gate;
        if !gate.only_narrows() || gate.until == Some("applied") {
            return None;
        }
        // It may have been retried within the last look.
        let now = |other: &Deploy| self.world.newest(other.flow, self.world.moment(self.window.1));
        let is_well = |other: &Deploy| self.ended_well(other) || now(other).is_some_and(|now| self.ended_well(now));
        self.others(judged).into_iter().find(|other| !is_well(other)).map(|other| other.id.clone())
    }

    /// The newest of each other workflow that matches the pins and counts beside the judged one.
    pub(super) fn others(&self, judged: &Deploy) -> Vec<&Deploy> {
        let (begin, _) = self.window;
        let has_floor = self.run.gate.after.is_some();
        let flows = (0..self.world.flows.len()).filter(|flow| *flow != judged.flow);
        let newest = flows.filter_map(|flow| self.world.newest(flow, self.world.moment(begin)));
        newest.filter(|other| self.pins_hold(other) && (has_floor || !self.was_over(other))).collect()
    }

    fn ended_well(&self, deploy: &Deploy) -> bool {
        let is_well = |at| self.standing(deploy, at) == Standing::Well;
        self.sometime(is_well) || self.is_read_otherwise(deploy, "success")
    }

    /// A deploy that the gate had seen as its own before it followed another, and that had not ended well.
    fn unsettled_behind(&self, judged: &Deploy) -> Option<String> {
        if self.run.gate.policy() != "follow" || self.run.gate.until == Some("applied") {
            return None;
        }
        let left = self.seen().filter(|left| left.flow != judged.flow && left.created < judged.created);
        let counts = |left: &&Deploy| !self.was_over(left) && !self.is_not_found(left);
        let newest = |left: &Deploy| self.world.newest(left.flow, self.world.moment(self.window.1));
        let is_bad = |left: &&Deploy| !newest(left).is_some_and(|newest| self.ended_well(newest));
        left.filter(counts).find(is_bad).map(|left| left.id.clone())
    }

    /// Whether the server twice did not know it.
    fn is_not_found(&self, deploy: &Deploy) -> bool {
        let asked = self.run.transcript.iter().filter(|asked| asked.path.ends_with(&deploy.id));
        asked.filter(|asked| matches!(asked.kind, Kind::Absent | Kind::NoRoute | Kind::Foreign)).count() >= 2
    }

    /// A failure: it had really failed, and the server was not about to try again.
    pub(super) fn deploy_failed(&mut self) {
        let Some(deploy) = self.deploy else { return self.must(false, "no deploy failed") };
        self.must(self.pins_hold(deploy), format!("{} was not meant", deploy.id));
        let may_be_unread = self.has_trouble() || self.world.rights != Rights::All;
        let is_bad_by_its_word = |at| matches!(self.class(deploy, at), Class::Bad | Class::Parked);
        let newest = self.world.newest(deploy.flow, self.world.moment(self.window.1)).unwrap_or(deploy);
        let has_failed = self.sometime(|at| self.standing(deploy, at) == Standing::Failed)
            || self.sometime(|at| self.standing(newest, at) == Standing::Failed)
            || (may_be_unread && self.sometime(is_bad_by_its_word))
            || (self.is_read_otherwise(deploy, "failure") && self.sometime(is_bad_by_its_word));
        // However little a teardown had to do, it is not what was asked for.
        let is_other = |deploy: &Deploy| deploy.kind == "teardown" && !self.run.gate.teardown;
        // What its word says is the user's reading; what is listed as its verification has still not ended.
        let is_unverified = |deploy: &Deploy| {
            self.is_read_otherwise(deploy, "success")
                && self.sometime(|at| self.stand(deploy.flow, at) == Stand::Failed)
        };
        let behind = || {
            let mut left = self.seen().filter(|left| left.flow != deploy.flow && left.created < deploy.created);
            let is_bad = |left: &Deploy| {
                let is_read = may_be_unread || self.is_read_otherwise(left, "failure");
                is_read && self.sometime(|at| matches!(self.class(left, at), Class::Bad | Class::Parked))
                    || is_unverified(left)
            };
            let is_over = |left: &Deploy| self.sometime(|at| self.standing(left, at) == Standing::Failed);
            // Or what its workflow retried it as.
            let has_failed = |left: &Deploy| {
                let newest = self.world.newest(left.flow, self.world.moment(self.window.1));
                is_bad(left) || is_over(left) || newest.is_some_and(is_over)
            };
            self.run.gate.policy() == "follow" && left.any(|left| has_failed(left) || is_other(left))
        };
        // Nobody can tell what steps there would have been.
        let flow = &self.world.flows[deploy.flow];
        let is_unsure = flow.is_never_whole && self.sometime(|at| self.stand(deploy.flow, at) == Stand::Failed);
        let has_failed = has_failed || is_unsure || is_unverified(deploy) || is_other(deploy) || behind();
        self.must(has_failed, format!("{} had not failed for good", deploy.id));
        self.waits_for_the_redeploy(deploy);
    }

    /// What was over before the run began, and is matched by build or commit alone, may be yesterday's.
    fn waits_for_the_redeploy(&mut self, deploy: &Deploy) {
        let gate = &self.run.gate;
        let may_come = gate.only_narrows() && gate.after.is_none() && self.was_over(deploy);
        let limit = gate.appear_timeout.min(gate.timeout);
        let is_early = may_come && self.run.ended < limit && !self.has_trouble();
        self.must(!is_early, "the redeploy could still have come");
    }

    /// A workflow that was to end well has not, or has ended badly without a deploy.
    pub(super) fn workflow_failed(&mut self) {
        let flow = self.pinned_flow().or(self.deploy.map(|deploy| deploy.flow));
        let Some(flow) = flow else { return self.must(false, "no workflow was meant") };
        let has_failed = self.sometime(|at| self.stand(flow, at) == Stand::Failed);
        self.must(has_failed, "its workflow had not failed");
        let newest = self.world.newest(flow, self.world.moment(self.window.1));
        let is_well = |deploy: &Deploy| self.sometime(|at| self.standing(deploy, at) == Standing::Well);
        // A deploy is found in the steps of its workflow: one that no step names, or that nobody could read, is not.
        let is_named = |deploy: &Deploy| {
            let told = |asked: &Asked| matches!(about(asked), About::Workflow | About::Steps);
            let names = |asked: &Asked| match &asked.kind {
                Kind::Document(value) | Kind::Page(value, _) => value.to_string().contains(&deploy.id),
                _ => false,
            };
            let is_it = |asked: &Asked| {
                about(asked) == About::Deploy && document(asked).is_some_and(|one| one["id"] == *deploy.id)
            };
            // What cannot be read changes nothing at a workflow that has failed, if that is seen twice.
            let is_vain = |asked: &&Asked| {
                let is_it = asked.path.ends_with(&deploy.id);
                is_it && !matches!(asked.kind, Kind::Document(_))
            };
            let mut all = self.run.transcript.iter();
            if all.clone().filter(is_vain).count() >= 2 {
                return false;
            }
            all.clone().any(|asked| told(asked) && names(asked)) && all.any(is_it)
        };
        let is_good = |newest: &Deploy| self.pins_hold(newest) && is_well(newest) && is_named(newest);
        let is_about_it =
            self.run.gate.until == Some("workflow") || (self.pinned_flow().is_some() && !newest.is_some_and(is_good));
        self.must(is_about_it, "the deploy was well, and its workflow was not asked about");
    }

    /// Whether a person has to approve something in the workflow that is meant.
    pub(super) fn somebody_must_act(&self) -> bool {
        // Others that match are waited for as well.
        let others = self.world.deploys.iter().filter(|other| !self.run.gate.identifies() && self.pins_hold(other));
        let own = self.deploy.map(|deploy| deploy.flow).or_else(|| self.pinned_flow());
        let mut flows = own.into_iter().chain(others.map(|other| other.flow));
        flows.any(|flow| self.sometime(|at| self.stand(flow, at) == Stand::Asks))
    }

    /// The word that the report says, of the deploy that it is about.
    pub(super) fn reported_word(&self) -> &str {
        text(&self.run.report["targets"][0]["deploy"], "status")
    }
}
