//! One target of a run, as it was asked for.

use crate::nuon::target::Target;
use crate::watch::pin::Pins;

/// A target, and which deploy of it is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetSpec {
    /// Where.
    pub target: Target,
    /// Which.
    pub pins: Pins,
}
