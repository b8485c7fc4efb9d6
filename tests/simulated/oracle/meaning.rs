//! What the words and answers mean to the oracle, and which deploy is meant.

use crate::simulated::world::{Asked, Kind};
use serde_json::Value;

use super::*;

impl Oracle<'_> {
    pub(super) fn class(&self, deploy: &Value) -> Class {
        let word = word(deploy);
        if let Some((_, class)) = self.run.gate.overrides.iter().find(|(status, _)| *status == word) {
            return match *class {
                // However well it went, a teardown is not what was asked for, nor is anything else where one was.
                "success" => match (self.run.gate.teardown, deploy["install_deploy_type"] == "teardown") {
                    (true, true) | (false, false) => Class::Good,
                    (true, false) => Class::Open,
                    (false, true) if matches!(word, "error" | "noop") => Class::Maybe,
                    (false, true) => Class::Bad,
                },
                "failure" => {
                    if matches!(word, "error" | "noop") {
                        Class::Maybe
                    } else {
                        Class::Bad
                    }
                }
                _ => Class::Open,
            };
        }
        let is_teardown = deploy["install_deploy_type"] == "teardown";
        match (word, self.run.gate.teardown) {
            ("inactive", true) if is_teardown => Class::Good,
            ("active", true) => Class::Open,
            ("auto-skipped" | "no-drift", true) => {
                if is_teardown {
                    Class::Good
                } else {
                    Class::Open
                }
            }
            ("active" | "auto-skipped" | "no-drift", false) => {
                if is_teardown {
                    Class::Bad
                } else {
                    Class::Good
                }
            }
            ("error" | "noop", _) => Class::Maybe,
            (
                "cancelled" | "approval-denied" | "approval-expired" | "not-attempted" | "user-skipped"
                | "drift-detected" | "drifted" | "expired" | "inactive" | "health-failed",
                _,
            ) => Class::Bad,
            ("failed-pending-retry", _) => Class::Parked,
            ("unknown" | "warming-up", _) => Class::Unknown,
            _ => Class::Open,
        }
    }

    pub(super) fn is_over(&self, deploy: &Value) -> bool {
        matches!(self.class(deploy), Class::Good | Class::Bad | Class::Maybe)
    }

    /// Whether a deploy is one that may be judged, given everything that was answered.
    pub(super) fn may_be_judged(&self, deploy: &Value) -> bool {
        if self.pins_hold(deploy) {
            return true;
        }
        if self.was_there_before(deploy) {
            return false;
        }
        // Or it is a retry of one that was, in its workflow.
        let same_workflow = |seen: &Value| !workflow_of(seen).is_empty() && workflow_of(seen) == workflow_of(deploy);
        let mut seen = self.run.transcript.iter().filter_map(document);
        self.is_of_build_and_commit(deploy) && seen.any(|seen| self.pins_hold(seen) && same_workflow(seen))
    }

    /// What a newer deploy does.
    pub(super) fn policy(&self) -> &str {
        let gate = &self.run.gate;
        let is_identified = gate.deploy.is_some() || gate.workflow.is_some();
        gate.on_superseded.unwrap_or(if is_identified { "finish" } else { "follow" })
    }

    pub(super) fn is_of_build_and_commit(&self, deploy: &Value) -> bool {
        let gate = &self.run.gate;
        let commit = text(&deploy["component_build"]["vcs_connection_commit"], "sha");
        gate.build.as_ref().is_none_or(|build| build == text(deploy, "build_id"))
            && gate.commit.as_ref().is_none_or(|pin| commit.starts_with(pin.as_str()))
    }

    pub(super) fn pins_hold(&self, deploy: &Value) -> bool {
        let gate = &self.run.gate;
        let is = |pin: &Option<String>, got: &str| pin.as_ref().is_none_or(|pin| pin == got);
        let id = text(deploy, "id");
        !id.is_empty()
            && (!gate.teardown || deploy["install_deploy_type"] == "teardown")
            && self.is_of_build_and_commit(deploy)
            && is(&gate.deploy, id)
            && is(&gate.workflow, workflow_of(deploy))
            && !self.was_there_before(deploy)
    }

    /// The id that `--after` names, if it names one.
    pub(super) fn before(&self) -> Option<&str> {
        self.run.gate.after.as_deref().filter(|after| after.starts_with("dpl"))
    }

    /// Nothing shows that it is newer.
    pub(super) fn was_there_before(&self, deploy: &Value) -> bool {
        let created = text(deploy, "created_at");
        match self.run.gate.after.as_deref() {
            None | Some("none") => false,
            Some(id) if id.starts_with("dpl") => self.baseline.as_ref().is_none_or(|before| before.as_str() >= created),
            Some(time) => created < time,
        }
    }

    pub(super) fn baseline(&self) -> Option<String> {
        let looks = self.run.transcript.iter().filter(|asked| matches!(about(asked), About::Latest | About::Deploy));
        let before = looks.filter_map(document).find(|seen| Some(text(seen, "id")) == self.before());
        before.map(|seen| text(seen, "created_at").to_owned())
    }

    /// Whether a look at the latest only asks whether a deploy that is watched by its id goes on as another.
    pub(super) fn is_beside(asked: &[Asked], index: usize) -> bool {
        index > 0 && {
            let (look, before) = (&asked[index], &asked[index - 1]);
            about(look) == About::Latest
                && about(before) == About::Deploy
                && document(before).is_some()
                && look.at == before.until
        }
    }

    /// The deploy that is meant after all that was seen at the latest, as far as one was: a newer one replaces
    /// the one before, unless that is finished.
    pub(super) fn last_meant(&self) -> Option<&Value> {
        let asked = self.deciding();
        let looks = (0..asked.len()).filter(|index| about(&asked[*index]) == About::Latest);
        let mut mine: Option<&Value> = None;
        for deploy in looks.filter(|index| !Self::is_beside(asked, *index)).filter_map(|index| document(&asked[index]))
        {
            let is_newer = |mine: &Value| text(mine, "created_at") < text(deploy, "created_at");
            mine = match mine {
                Some(mine) if !is_newer(mine) || !self.may_be_judged(deploy) || self.policy() == "finish" => Some(mine),
                Some(_) => Some(deploy),
                None => Some(deploy).filter(|deploy| self.pins_hold(deploy)),
            };
        }
        mine
    }

    /// One that another took the place of is not judged, unless it is to be finished.
    pub(super) fn is_not_superseded(&mut self, judged: &Value) {
        // One that is named can be found by its id after its time.
        let is_watched = self.run.gate.deploy.is_none() && self.before().is_none() && self.policy() != "finish";
        let wrong = self.last_meant().is_some_and(|meant| meant["id"] != judged["id"]);
        self.must(!is_watched || !wrong, "it was superseded");
    }

    /// The last parts that were read before the end: the look, the deploy by its id, the workflow. `None` for a part
    /// that was not asked for, an error for one that could not be read.
    pub(super) fn parts(&self) -> Option<(Value, Option<Value>, Option<Result<Value, ()>>)> {
        let asked = self.deciding();
        let judged = text(&self.run.report["targets"][0]["deploy"], "id");
        let mut at = asked.len();
        // Those that were left for it are asked for at the end.
        let own = text(&self.run.report["targets"][0]["deploy"], "workflow_id");
        let is_of_another = |asked: &Asked| match about(asked) {
            About::Deploy => !asked.path.ends_with(judged),
            About::Workflow | About::Steps => own.is_empty() || !asked.path.contains(own),
            _ => false,
        };
        while at > 0 && is_of_another(&asked[at - 1]) {
            at -= 1;
        }
        let mut steps: Vec<Value> = Vec::new();
        let (mut steps_failed, mut steps_seen) = (false, false);
        while at > 0 && about(&asked[at - 1]) == About::Steps {
            at -= 1;
            steps_seen = true;
            match document(&asked[at]) {
                Some(Value::Array(page)) => steps.splice(0..0, page.iter().cloned()).for_each(drop),
                _ => steps_failed = true,
            }
        }
        let mut workflow = None;
        if at > 0 && about(&asked[at - 1]) == About::Workflow {
            at -= 1;
            workflow = Some(match document(&asked[at]) {
                Some(_) if steps_failed => Err(()),
                Some(value) => {
                    let mut value = value.clone();
                    if steps_seen {
                        value["steps"] = Value::Array(steps);
                    }
                    Ok(value)
                }
                None => Err(()),
            });
        }
        let mut detail = None;
        let mut is_there = false;
        // By the newer path, and by the older one where that knows nothing.
        if at > 0 && about(&asked[at - 1]) == About::Deploy {
            at -= 1;
            is_there = true;
            detail = document(&asked[at]).cloned();
            let is_older = !asked[at].path.contains("/components/");
            if is_older
                && at > 0
                && about(&asked[at - 1]) == About::Deploy
                && asked[at - 1].kind == Kind::Absent
                && asked[at - 1].path.contains("/components/")
            {
                at -= 1;
            }
        }
        // When the one before was made is found out before mine is taken.
        // Nor is the one that is named the one that is judged, if a newer one is followed.
        let named = self.run.gate.deploy.as_deref().filter(|named| *named != judged);
        let aside = [self.before(), named];
        let is_aside = |asked: &Asked| aside.iter().flatten().any(|id| asked.path.ends_with(*id));
        while at > 0 && about(&asked[at - 1]) == About::Deploy && is_aside(&asked[at - 1]) {
            at -= 1;
        }
        let look =
            asked[..at].last().filter(|look| is_there && matches!(about(look), About::Latest | About::Deploy))?;
        Some((document(look)?.clone(), detail, workflow))
    }
}
