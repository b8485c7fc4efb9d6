//! The state machine of one watch: a function of (time, look). It does not sleep, ask or print.
//!
//! *Latest* is a moving word, so the watch first seeks the deploy that is meant, then tracks it: through a retry in its
//! workflow, through a newer deploy that takes its place, until it has succeeded and its document is complete.
//!
//! Each state has a file (`seek`, `track`, `complete`): given a look, it gives the next state and a [`step::Step`]. What is
//! decided on is evidence ([`crate::nuon::evidence`]); the decision is one table ([`decision`]).

pub mod rules;
pub mod pin;
pub mod step;
pub mod state;
pub mod decision;
pub mod schedule;
pub mod words;

mod machine;
mod seek;
mod track;
mod complete;
mod told;

pub use machine::Watch;
