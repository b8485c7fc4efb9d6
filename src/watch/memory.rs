//! What a watch knows from look to look.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::time::Duration;

use jiff::Timestamp;

use crate::base::outcome::Ending;
use crate::nuon::branch_run::Updated;
use crate::nuon::deploy::{Class, Deploy};
use crate::nuon::evidence::Standing;
use crate::nuon::id::{DeployId, WorkflowId};
use crate::nuon::workflow::Stage;
use crate::watch::decision::{Decision, Sure};
use crate::watch::step::{Ask, Change, Event, StepChange};

/// How long a workflow must be over before a deploy that is not is called left behind; and how long the workflow of a
/// deploy that failed may keep failing to answer.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// How long a workflow that a deploy names, or the user, may not be there: replicas lag.
pub const LAG: Duration = Duration::from_secs(30);

/// What a watch knows from look to look.
#[derive(Clone, Debug, Default, Hash)]
pub struct Memory {
    /// The deploy that is meant, once it was seen.
    pub mine: Option<Tracked>,
    /// The latest deploy, while it is another than the one that is meant.
    pub other: Option<DeployId>,
    /// The workflow that is pinned, or that of the deploy.
    pub workflow: Sight,
    /// The deploys that were left for mine and may still fail, the oldest first.
    pub left: Vec<LeftBehind>,
    /// What was decided of a deploy (of none: before it was seen), and has to be seen again.
    pub doubts: BTreeMap<Option<DeployId>, Doubt>,
    /// Whether the install is there.
    pub install: InstallSight,
    /// Whether the deploy that `--after` names was not there when it was asked for; the second time ends the run.
    pub is_baseline_absent: bool,
    /// What the first look that was answered said: whether the deploy was already over.
    pub preexisting: Option<bool>,
    /// The deploy that the first look showed that was answered.
    pub first: Option<DeployId>,
    /// When anything was last seen to change.
    pub changed: Duration,
    /// Whether a deploy has changed since it was first seen.
    pub has_changed: bool,
    /// Since when what a failure still needs has been asked for in vain.
    pub unconfirmed: Option<Duration>,
    /// Whether the deploy has succeeded, and only its workflow is waited for.
    pub awaits_workflow: bool,
    /// The deploys of a workflow that is gated as a whole, as they were last read.
    pub members: Vec<Member>,
    /// The installs that a branch run updates, as they were last read.
    pub updated: Vec<Updated>,
    /// Since when a deploy of such a workflow has not been there, by its id.
    pub absent_members: BTreeMap<String, Duration>,
    /// How many deploys its steps name.
    pub named: usize,
    /// The words of its steps, by their ids.
    pub step_words: BTreeMap<String, String>,
    /// What was seen and said.
    pub log: Log,
}

/// A deploy of a workflow that is gated as a whole.
#[derive(Clone, Debug, Hash)]
pub struct Member {
    /// As it was last seen.
    pub deploy: Deploy,
    /// What its word means.
    pub class: Class,
    /// What it comes to beside its workflow.
    pub standing: Standing,
    /// Why it did not end well, in the server's words.
    pub told: String,
}

/// A deploy that is watched.
#[derive(Clone, Debug, Hash)]
pub struct Tracked {
    /// As it was last seen.
    pub deploy: Deploy,
    /// What its word means.
    pub class: Class,
    /// Which answer showed it.
    pub seen: Ask,
    /// How it is looked at.
    pub by: By,
    /// The deploy that was left for it last.
    pub followed: Option<DeployId>,
    /// The words of the steps that make and verify it, when it was last looked at.
    pub steps: Vec<String>,
}

/// How a deploy is looked at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum By {
    /// It is the latest.
    Latest,
    /// By its id: another has taken its place, if one was seen.
    Id(Option<Newer>),
}

/// A deploy that has taken the place of another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Newer {
    /// Its id.
    pub id: DeployId,
    /// When it was made, if it says.
    pub made: Option<Timestamp>,
}

impl Newer {
    /// That deploy.
    pub fn new(deploy: &Deploy) -> Self {
        Self { id: deploy.id().clone(), made: deploy.created() }
    }
}

/// What was seen of a workflow.
#[derive(Clone, Debug, Default, Hash)]
pub struct Sight {
    /// Where it was.
    pub stage: Option<Stage>,
    /// Its word, and whether it was finished.
    pub word: (String, bool),
    /// Whether it has changed since it was first seen.
    pub has_changed: bool,
    /// The workflow, while it has not begun.
    pub queued: Option<WorkflowId>,
    /// When it was last asked where it stands in its queue.
    pub queue_at: Option<Duration>,
    /// Whether it only plans.
    pub is_plan: bool,
    /// How large its answer was, in bytes.
    pub size: usize,
    /// How many looks there have been without one at it.
    pub passed_over: u32,
    /// Why it cannot be read, if asking again would not change that.
    pub refused: Option<(Ending, String)>,
    /// Whether it was said that it cannot be read.
    pub is_told: bool,
    /// Since when it has not been there.
    pub absent: Option<Duration>,
    /// For how long it has failed to answer, while the deploy could be looked at.
    pub failing: Option<Failing>,
}

/// For how long something has failed.
#[derive(Clone, Copy, Debug, Hash)]
pub struct Failing {
    total: Duration,
    last: Duration,
}

impl Failing {
    /// The same once more, at `now`; `is_on` unless what was looked at before it was lost in between.
    pub fn again(before: Option<Self>, now: Duration, is_on: bool) -> Self {
        let Self { total, last } = before.unwrap_or(Self { total: Duration::ZERO, last: now });
        Self { total: if is_on { total + (now - last) } else { total }, last: now }
    }

    /// Whether that has been long enough.
    pub fn is_enough(self) -> bool {
        self.total >= PATIENCE
    }
}

/// A deploy that was left for a newer one.
#[derive(Clone, Debug, Hash)]
pub struct LeftBehind {
    /// Its id.
    pub id: DeployId,
    /// Its workflow, if it names one.
    pub workflow: Option<WorkflowId>,
    /// Whether it was not there when it was asked for; the second time it plays no part.
    pub is_absent: bool,
    /// Whether it was seen to go on.
    pub goes_on: bool,
}

/// What was decided, and since when.
#[derive(Clone, Copy, Debug, Hash)]
pub struct Doubt {
    decision: Decision,
    since: Duration,
}

/// What is known of the install.
#[derive(Clone, Debug, Default, Hash)]
pub struct InstallSight {
    /// When it was last looked at.
    pub at: Option<Duration>,
    /// Why the API said at the last look that there is none, if so.
    pub gone: Option<String>,
}

/// What was seen and said.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// Every change, in order.
    pub timeline: Vec<Change>,
    /// Every change of a step of a workflow that is gated as a whole, in order.
    pub steps: Vec<StepChange>,
    /// What happened in this look.
    pub events: Vec<Event>,
    /// Why there is nothing to watch, as it was last said.
    pub absent: Option<String>,
    /// Why a look brought nothing, as it was last said.
    pub missed: Option<String>,
    /// What is ahead, as it was last said.
    pub ahead: Option<String>,
    /// Whether this look brought nothing.
    pub is_missed: bool,
    /// Whether the look before did not, either.
    pub was_missed: bool,
}

impl Hash for Log {
    /// Of what was said, only this decides anything.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let last = self.timeline.last().map(|last| (&last.deploy, &last.status));
        (self.is_missed, self.was_missed, last).hash(state);
    }
}

impl Tracked {
    /// A deploy that is seen for the first time.
    pub fn new(deploy: Deploy, class: Class, seen: Ask, by: By) -> Self {
        Self { deploy, class, seen, by, followed: None, steps: Vec::new() }
    }

    /// The deploy that has taken its place.
    pub fn superseded_by(&self) -> Option<&DeployId> {
        match &self.by {
            By::Latest => None,
            By::Id(newer) => newer.as_ref().map(|newer| &newer.id),
        }
    }

    /// Whether it failed, and its workflow may go on with it or with another in its place.
    pub fn may_be_retried(&self) -> bool {
        self.deploy.workflow.is_some() && self.deploy.may_be_retried(self.class)
    }
}

impl LeftBehind {
    /// A deploy that was watched until now.
    pub fn new(deploy: &Deploy) -> Self {
        let (id, workflow) = (deploy.id().clone(), deploy.workflow.clone());
        Self { id, workflow, is_absent: false, goes_on: false }
    }
}

impl Memory {
    /// Whether a decision is sure enough; else it is noted, so that the next look that says the same makes it so.
    pub fn confirms(&mut self, about: Option<DeployId>, decision: Decision, sure: Sure, now: Duration) -> bool {
        if matches!(decision, Decision::Wait | Decision::Complete) {
            self.doubts.remove(&about);
            return true;
        }
        let since = match self.doubts.get(&about) {
            Some(doubt) if doubt.decision == decision => Some(doubt.since),
            _ => None,
        };
        self.doubts.insert(about, Doubt { decision, since: since.unwrap_or(now) });
        match (sure, since) {
            (Sure::AtOnce, _) => true,
            (Sure::SeenTwice | Sure::ForAMinute, None) => false,
            // What was decided earlier in the same look is no second sight.
            (Sure::SeenTwice, Some(since)) => since < now,
            (Sure::ForAMinute, Some(since)) => now >= since + PATIENCE,
        }
    }

    /// Tells something once, until it is something else.
    pub fn note_ahead(&mut self, what: String) {
        if self.log.ahead.as_ref() != Some(&what) {
            self.log.events.push(Event::Note(what.clone()));
            self.log.ahead = Some(what);
        }
    }
}
