//! What a watch knows, in words.

use crate::nuon::deploy::{Class, Expect};
use crate::nuon::workflow::Stage;
use crate::watch::machine::Watch;
use crate::watch::memory::Tracked;
use crate::watch::rules::{Scope, Until};
use crate::watch::words::{is_over, spoken};

impl Watch {
    /// What is known, in a sentence.
    pub fn so_far(&self) -> String {
        let memory = &self.memory;
        if let Scope::Run(run) = &self.rules.scope {
            let stage = memory.workflow.stage.as_ref().map_or_else(|| "not seen yet".into(), Stage::told);
            return format!("{run}: {stage}");
        }
        if let (Scope::Workflow, Some(id)) = (&self.rules.scope, self.rules.pins.workflow()) {
            return match (&memory.workflow.stage, memory.members.len()) {
                (None, _) => format!("workflow {id} has not been seen yet"),
                (Some(Stage::Succeeded), 0) if memory.named > 0 => {
                    format!("workflow {id} has ended (success); its deploys have not been read yet")
                }
                (Some(Stage::Succeeded), 0) => format!("workflow {id} has ended (success); it has no deploys"),
                (Some(Stage::Succeeded), 1) => format!("workflow {id} has ended (success), with its only deploy"),
                (Some(Stage::Succeeded), count) => {
                    format!("workflow {id} has ended (success), with its {count} deploys")
                }
                (Some(stage), _) => format!("workflow {id}: {}", stage.told()),
            };
        }
        match (&memory.mine, self.rules.pins.workflow(), &memory.workflow.stage, &memory.other) {
            (Some(mine), ..) => self.told_of(mine),
            (None, Some(id), Some(stage), _) => {
                format!("workflow {id} has not deployed the component yet: {}", stage.told())
            }
            (None, _, _, Some(other)) => format!("the deploy you asked for has not appeared; the latest is {other}"),
            (None, ..) => "no deploy seen yet".into(),
        }
    }

    pub(super) fn told_of(&self, mine: &Tracked) -> String {
        let (id, word) = (mine.deploy.id(), mine.deploy.word());
        let nothing = if mine.class == Class::NothingToDo { ": nothing to do" } else { "" };
        let plan = if self.memory.workflow.is_plan { " (a plan: nothing was deployed)" } else { "" };
        let read_as = self.read_as(word, Some(mine.class));
        let waits = match &self.memory.workflow.stage {
            Some(Stage::Running(what) | Stage::Waiting(what) | Stage::Parked(what))
                if !is_over(mine.class) || self.memory.awaits_workflow =>
            {
                format!(", {what}")
            }
            _ => String::new(),
        };
        let left = match self.memory.left.first() {
            Some(left) if left.goes_on => format!(", deploy {}, which it replaced, is still running", left.id),
            _ => String::new(),
        };
        format!("deploy {id} is {}{read_as}{nothing}{plan}{waits}{left}", spoken(word))
    }

    /// Where the user told the gate to read the server otherwise, the verdict says so.
    pub(super) fn read_as(&self, word: &str, class: Option<Class>) -> String {
        let by_user = self.rules.overrides.iter().rev().find(|row| row.status == word);
        let by_user = by_user.map(|row| format!(" (read as {}: --status)", row.class.name()));
        let is_applied = self.rules.until == Until::Applied && class == Some(Class::Success);
        let applied = is_applied.then(|| " (its health is not verified: --until applied)".to_owned());
        by_user.into_iter().chain(applied).collect()
    }

    /// What is meant, in words.
    pub(super) fn meant(&self) -> String {
        let pins = self.rules.pins.to_string();
        let kind = (self.rules.expect == Expect::Teardown).then(|| "a teardown".to_owned());
        kind.into_iter().chain(Some(pins).filter(|pins| !pins.is_empty())).collect::<Vec<_>>().join(", ")
    }
}
