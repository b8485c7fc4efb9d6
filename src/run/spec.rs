//! The targets of a run, as they were asked for.

use crate::nuon::id::{ComponentId, InstallId, WorkflowId};
use crate::nuon::target::Target;
use crate::report::result::ShardSeen;
use crate::run::query::Query;
use crate::run::quorum::{AtLeast, Quorum};
use crate::watch::pin::{Pins, WorkflowPin};
use crate::watch::rules::Scope;

/// A target, and which deploy of it is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetSpec {
    /// Where.
    pub target: Target,
    /// Which.
    pub pins: Pins,
    /// What of it is gated.
    pub scope: Scope,
}

impl TargetSpec {
    /// A deploy of a component.
    pub fn of_deploy(target: Target, pins: Pins) -> Self {
        Self { target, pins, scope: Scope::Deploy }
    }

    /// A workflow of an install as a whole.
    pub fn of_workflow(install: InstallId, workflow: WorkflowId) -> Self {
        let pins = Pins { workflow: Some(WorkflowPin::Id(workflow)), ..Pins::default() };
        Self { target: Target { install, component: ComponentId::all() }, pins, scope: Scope::Workflow }
    }

    /// What it is, in words.
    pub fn told(&self) -> String {
        match (&self.scope, self.pins.workflow()) {
            (Scope::Run(run), _) => run.to_string(),
            (Scope::Workflow, Some(id)) => format!("workflow {id} of {}", self.target.install),
            _ => self.target.to_string(),
        }
    }
}

/// What is to be gated.
pub enum Wanted {
    /// These.
    Chosen(Chosen),
    /// What the server lists when the run begins, and how to choose of it.
    Query(Query, Choice),
    /// A branch run, and what it updates while it goes on.
    Run(TargetSpec, Choice),
}

/// The targets of a run.
pub struct Chosen {
    /// One or more, unless it is a share of few.
    pub specs: Vec<TargetSpec>,
    /// When the run passes.
    pub quorum: Quorum,
    /// What is told of them as a whole; `None` where one target was asked for.
    pub fleet: Option<Fleet>,
    /// How many must pass, where the only one so far is the branch run that will name them.
    pub run: Option<Choice>,
}

/// The whole that the targets of a run are of.
pub struct Fleet {
    /// How many targets it has.
    pub targets: usize,
    /// Which share the run has.
    pub shard: Option<ShardSeen>,
}

/// How the targets of a run are chosen of all, and how many must pass.
#[derive(Clone)]
pub struct Choice {
    /// `--min-pass`.
    pub min_pass: Option<AtLeast>,
    /// `--no-fail-fast`.
    pub awaits_all: bool,
    /// `--min-targets`.
    pub min_targets: usize,
    /// `--shard`.
    pub shard: Option<ShardSeen>,
    /// Whether it is told of as a fleet, though there may be one target.
    pub is_fleet: bool,
}

impl Chosen {
    /// The targets that a branch run will name; it is there from the beginning.
    pub fn of_run(spec: TargetSpec, choice: Choice) -> Self {
        let quorum = Quorum { min_pass: 0, targets: 0, awaits_all: choice.awaits_all };
        let fleet = Some(Fleet { targets: 0, shard: None });
        Self { specs: vec![spec], quorum, fleet, run: Some(choice) }
    }
}

impl Choice {
    /// How many of so many targets must pass.
    ///
    /// # Errors
    /// There are too few.
    pub fn quorum(&self, targets: usize) -> Result<Quorum, String> {
        self.enough(targets)?;
        Quorum::new(self.min_pass, targets, self.awaits_all)
    }

    fn enough(&self, targets: usize) -> Result<(), String> {
        if targets < self.min_targets {
            return Err(format!(
                "the number of targets is {targets}, and --min-targets (DEPLOY_GATE_MIN_TARGETS) is {}",
                self.min_targets
            ));
        }
        Ok(())
    }

    /// Takes the share of this run. Every target is in exactly one share, whatever their order; of more shards than
    /// targets, some are without one.
    ///
    /// # Errors
    /// There are too few.
    pub fn of(self, mut all: Vec<TargetSpec>) -> Result<Chosen, String> {
        let targets = all.len();
        self.enough(targets)?;
        if let Some(ShardSeen { index, of }) = self.shard {
            all.sort_by(|one, other| one.target.cmp(&other.target));
            let share = all.into_iter().enumerate().filter(|(place, _)| place % of == index - 1);
            all = share.map(|(_, spec)| spec).collect();
        }
        let quorum = Quorum::new(self.min_pass, all.len(), self.awaits_all)?;
        let fleet = (self.is_fleet || targets > 1).then_some(Fleet { targets, shard: self.shard });
        Ok(Chosen { specs: all, quorum, fleet, run: None })
    }
}
