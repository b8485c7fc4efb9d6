//! The targets of a run, as they were asked for.

use crate::nuon::target::Target;
use crate::report::result::ShardSeen;
use crate::run::query::Query;
use crate::run::quorum::{AtLeast, Quorum};
use crate::watch::pin::Pins;

/// A target, and which deploy of it is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetSpec {
    /// Where.
    pub target: Target,
    /// Which.
    pub pins: Pins,
}

/// What is to be gated.
pub enum Wanted {
    /// These.
    Chosen(Chosen),
    /// What the server lists when the run begins, and how to choose of it.
    Query(Query, Choice),
}

/// The targets of a run.
pub struct Chosen {
    /// One or more, unless it is a share of few.
    pub specs: Vec<TargetSpec>,
    /// When the run passes.
    pub quorum: Quorum,
    /// What is told of them as a whole; `None` where one target was asked for.
    pub fleet: Option<Fleet>,
}

/// The whole that the targets of a run are of.
pub struct Fleet {
    /// How many targets it has.
    pub targets: usize,
    /// Which share the run has.
    pub shard: Option<ShardSeen>,
}

/// How the targets of a run are chosen of all, and how many must pass.
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

impl Choice {
    /// Takes the share of this run. Every target is in exactly one share, whatever their order; of more shards than
    /// targets, some are without one.
    ///
    /// # Errors
    /// There are too few.
    pub fn of(self, mut all: Vec<TargetSpec>) -> Result<Chosen, String> {
        let targets = all.len();
        if targets < self.min_targets {
            return Err(format!(
                "the number of targets is {targets}, and --min-targets (DEPLOY_GATE_MIN_TARGETS) is {}",
                self.min_targets
            ));
        }
        if let Some(ShardSeen { index, of }) = self.shard {
            all.sort_by(|one, other| one.target.cmp(&other.target));
            let share = all.into_iter().enumerate().filter(|(place, _)| place % of == index - 1);
            all = share.map(|(_, spec)| spec).collect();
        }
        let quorum = Quorum::new(self.min_pass, all.len(), self.awaits_all)?;
        let fleet = (self.is_fleet || targets > 1).then_some(Fleet { targets, shard: self.shard });
        Ok(Chosen { specs: all, quorum, fleet })
    }
}
