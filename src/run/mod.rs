//! The gates of all targets in one run, each from its first look to its verdict.

pub mod world;
pub mod spec;
pub mod config;
pub mod session;
pub mod shared;
pub mod names;
pub mod query;
pub mod gate;
mod cause;
mod dashboard;
mod verdict;
pub mod workers;
pub mod quorum;
pub mod driver;
pub mod examination;
