//! Where a watch is: seeking its deploy, tracking it, or completing its document. Each state holds just what it needs.

use std::time::Duration;

use crate::judge::document::Parts;
use crate::nuon::deploy::{Class, Deploy};
use crate::nuon::id::{DeployId, WorkflowId};
use crate::nuon::look::{Miss, Whole};
use crate::nuon::workflow::Stage;
use crate::watch::decision::Sure;
use crate::watch::step::Ask;

/// How long what is asked for beside a deploy may keep failing before the gate goes on without it; and how long a workflow
/// must be over before a deploy that is not is called left behind.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// How long a workflow that a deploy names may not be there: replicas lag.
const LAG: Duration = Duration::from_secs(30);

/// Where a watch is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// The deploy that is meant has not been seen.
    Seeking(Seeking),
    /// It was seen, and has not succeeded.
    Tracking(Tracking),
    /// It has succeeded: the parts of its document are read.
    Completing(Completing),
}

/// The deploy that is meant has not been seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Seeking {
    /// What is looked at next.
    pub next: Seek,
    /// What was last seen as the latest in place of mine.
    pub other: Option<(Deploy, Whole)>,
    /// The pinned workflow, as far as it was seen.
    pub workflow: Sight,
}

/// What a watch that seeks looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Seek {
    /// The latest deploy.
    #[default]
    Latest,
    /// The deploy that `--deploy` names, since the latest is another: what that look came to.
    Named(DeployId, Miss),
    /// The deploy that `--after` names: what is older than it is not meant either.
    Baseline(DeployId),
    /// The workflow that is pinned.
    Workflow(WorkflowId),
}

/// The deploy was seen, and has not succeeded.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tracking {
    /// What is looked at next.
    pub next: Track,
    /// The deploy.
    pub mine: Tracked,
}

/// What a watch that tracks looks at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Track {
    /// The deploy.
    Deploy,
    /// The latest, since a deploy that is watched by its id may go on as another.
    Retry,
    /// Its workflow.
    Workflow(WorkflowId),
}

/// The deploy has succeeded.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Completing {
    /// What is looked at next.
    pub next: Complete,
    /// The deploy.
    pub mine: Tracked,
    /// What was read of its document.
    pub parts: Box<Parts>,
}

/// What a watch that completes looks at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Complete {
    /// The deploy by its id, which has what the latest leaves out.
    Detail,
    /// Its workflow.
    Workflow(WorkflowId),
    /// A deploy that was left for it.
    Left(DeployId),
    /// The workflow of that one.
    WorkflowOfLeft(WorkflowId),
}

/// A deploy that is watched.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tracked {
    /// As it was last seen.
    pub deploy: Deploy,
    /// What its word means.
    pub class: Class,
    /// How it is looked at.
    pub by: By,
    /// Its workflow, as far as it was seen.
    pub workflow: Sight,
    /// Whether it only waits for its workflow.
    pub awaits_workflow: bool,
    /// How long what is asked for beside it has been failing.
    pub patience: Patience,
    /// The deploys that were left for it and may still fail, the oldest first.
    pub left: Vec<LeftBehind>,
    /// The deploy that was left last.
    pub followed: Option<DeployId>,
}

/// How a deploy is looked at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum By {
    /// It is the latest.
    Latest,
    /// It is not: another has taken its place, if one was seen.
    Id(Option<DeployId>),
}

/// What was seen of a workflow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sight {
    /// When it was last looked at.
    pub at: Option<Duration>,
    /// Where it was.
    pub stage: Option<Stage>,
    /// Whether it can be read.
    pub readable: Readable,
    /// Since when it is over while the deploy is not.
    pub over_since: Option<Duration>,
}

/// Whether a workflow can be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Readable {
    /// As far as is known.
    #[default]
    Yes,
    /// It could not be, but may be again.
    NotNow,
    /// The server has refused it.
    Never,
}

/// Since when looks fail that are made beside those at the deploy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Patience {
    /// Since when what is asked for keeps failing.
    pub failing: Option<Duration>,
    /// Since when the workflow is not there.
    pub absent: Option<Duration>,
    /// Since when the deploy itself cannot be looked at: patience with the rest does not run out meanwhile.
    pub lost: Option<Duration>,
}

/// A deploy that was left for a newer one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LeftBehind {
    /// Its id.
    pub id: DeployId,
    /// Its workflow, if it names one.
    pub workflow: Option<WorkflowId>,
    /// Whether it was seen to have succeeded, so that only its workflow can take that back.
    pub has_succeeded: bool,
    /// Whether it was not there when it was asked for; the second time it plays no part.
    pub is_absent: bool,
    /// Whether it was seen to go on.
    pub goes_on: bool,
}

impl Sight {
    /// Takes note that the workflow is over, and says whether that is sure enough.
    pub fn confirms(&mut self, sure: Sure, now: Duration) -> bool {
        if sure == Sure::AtOnce {
            return true;
        }
        let Some(since) = self.over_since else {
            self.over_since = Some(now);
            return false;
        };
        sure == Sure::SeenTwice || now >= since + PATIENCE
    }
}

impl Patience {
    /// Whether what keeps failing is to be asked for once more, within the time of the run.
    pub fn lasts(&mut self, now: Duration, timeout: Duration) -> bool {
        let since = *self.failing.get_or_insert(now);
        now < timeout && now < since + PATIENCE
    }

    /// Whether what is not there may only not be there yet: reads may lag.
    pub fn may_come(&mut self, now: Duration) -> bool {
        let since = *self.absent.get_or_insert(now);
        now < since + LAG
    }

    /// Takes note of a look at the deploy itself: whether it could be looked at.
    pub fn note(&mut self, now: Duration, is_lost: bool) {
        if is_lost {
            self.lost.get_or_insert(now);
        } else if let (Some(lost), Some(since)) = (self.lost.take(), &mut self.failing) {
            *since += now - lost;
        }
    }

    /// What was asked for has been answered.
    pub fn reset(&mut self) {
        (self.failing, self.absent) = (None, None);
    }
}

impl LeftBehind {
    /// A deploy that was watched until now. Had it been over for good, the run would have been, too.
    pub fn new(deploy: &Deploy) -> Self {
        let (has_succeeded, is_absent, goes_on) = Default::default();
        Self { id: deploy.id().clone(), workflow: deploy.workflow.clone(), has_succeeded, is_absent, goes_on }
    }
}

impl Default for State {
    fn default() -> Self {
        Self::Seeking(Seeking::default())
    }
}

impl State {
    /// The deploy that is watched, once it was seen.
    pub fn mine(&self) -> Option<&Tracked> {
        match self {
            Self::Seeking(_) => None,
            Self::Tracking(Tracking { mine, .. }) | Self::Completing(Completing { mine, .. }) => Some(mine),
        }
    }

    /// The workflow, as far as it was seen.
    pub fn workflow(&self) -> &Sight {
        match self {
            Self::Seeking(seeking) => &seeking.workflow,
            Self::Tracking(Tracking { mine, .. }) | Self::Completing(Completing { mine, .. }) => &mine.workflow,
        }
    }

    /// The same state, that will look at the deploy next.
    pub fn at_deploy(self) -> Self {
        match self {
            Self::Seeking(seeking) => Self::Seeking(Seeking { next: Seek::Latest, ..seeking }),
            Self::Tracking(Tracking { mine, .. }) | Self::Completing(Completing { mine, .. }) => mine.at(Track::Deploy),
        }
    }

    /// What is to be looked at.
    pub fn ask(&self) -> Ask {
        match self {
            Self::Seeking(seeking) => match &seeking.next {
                Seek::Latest => Ask::Latest,
                Seek::Named(id, _) | Seek::Baseline(id) => Ask::Deploy(id.clone()),
                Seek::Workflow(id) => Ask::Workflow(id.clone()),
            },
            Self::Tracking(Tracking { next, mine }) => match (next, &mine.by) {
                (Track::Deploy, By::Id(_)) => Ask::Deploy(mine.deploy.id().clone()),
                (Track::Deploy, By::Latest) | (Track::Retry, _) => Ask::Latest,
                (Track::Workflow(id), _) => Ask::Workflow(id.clone()),
            },
            Self::Completing(Completing { next, mine, .. }) => match next {
                Complete::Detail => Ask::Deploy(mine.deploy.id().clone()),
                Complete::Left(id) => Ask::Deploy(id.clone()),
                Complete::Workflow(id) | Complete::WorkflowOfLeft(id) => Ask::Workflow(id.clone()),
            },
        }
    }
}

impl Tracked {
    /// A deploy that is seen for the first time.
    pub fn new(deploy: Deploy, class: Class, by: By) -> Self {
        let (workflow, awaits_workflow, patience, left, followed) = Default::default();
        Self { deploy, class, by, workflow, awaits_workflow, patience, left, followed }
    }

    /// Tracked on, by this look next.
    pub fn at(self, next: Track) -> State {
        State::Tracking(Tracking { next, mine: self })
    }

    /// Whether its workflow may go on with it, or with another in its place.
    pub fn may_be_retried(&self) -> bool {
        self.deploy.workflow.is_some() && self.deploy.may_be_retried(self.class)
    }

    /// The deploy that has taken its place.
    pub fn superseded_by(&self) -> Option<&DeployId> {
        match &self.by {
            By::Latest => None,
            By::Id(newer) => newer.as_ref(),
        }
    }
}
