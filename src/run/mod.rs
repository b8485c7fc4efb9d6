//! Gates in one run: one from its first look to its verdict, many with shared workers.

pub mod world;
pub mod spec;
pub mod plan;
pub mod session;
pub mod names;
pub mod gate;
pub mod fleet;
pub mod crew;
pub mod quorum;
