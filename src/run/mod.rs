//! Gates in one run: one from its first look to its verdict, many with shared workers.

pub mod fleet;
pub mod crew;
pub mod gate;
pub mod session;
pub mod names;
pub mod plan;
pub mod quorum;
