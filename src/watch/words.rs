//! How statuses and looks are said. Pure.

use crate::nuon::deploy::{Class, Deploy};
use crate::nuon::look::Look;
use crate::nuon::workflow::{Stage, Workflow};

/// What is said of a failure at which the workflow is parked.
pub const A_PERSON_CAN: &str = "; a person can retry it";

/// Whether a deploy of this class has settled.
pub fn is_over(class: Class) -> bool {
    matches!(class, Class::Success | Class::NothingToDo | Class::Failure)
}

/// Why a look brought nothing.
pub fn why(look: &Look) -> String {
    match look {
        Look::Refused(_, why) => why.clone(),
        other => other.miss().map_or_else(|| "the answer is to another question".into(), |miss| miss.why.clone()),
    }
}

/// The step at which a workflow failed, as it follows what became of that.
pub fn failed_step(workflow: &Workflow) -> String {
    workflow.culprit("").map_or_else(String::new, |step| format!("; step \"{}\" failed", step.name()))
}

/// A status word as it is said: an absent one has a name too.
pub fn spoken(word: &str) -> String {
    match word {
        "" => "queued".into(),
        word => format!("\"{word}\""),
    }
}

/// The server's words on a status, as they follow it.
pub fn described(deploy: &Deploy) -> String {
    match deploy.description() {
        "" => String::new(),
        description => format!(": {description}"),
    }
}

/// What is said of a word that the gate does not know.
pub fn unknown(word: &str) -> String {
    format!("the status \"{word}\" is unknown to the gate; --status '{word}=CLASS' would say what it means")
}

/// Nobody has approved, and the user does not want to wait for that.
pub fn approval_required(stage: &Stage) -> String {
    format!("{}; stopped because of --on-approval stop", stage.told())
}
