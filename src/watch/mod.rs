//! The state machine of one watch: a function of (time, look). It does not sleep, ask or print.
//!
//! A look asks for what it needs, one thing after the other, and is written down as if all of it were there (`machine`
//! says how): which deploy is meant (`find`; *latest* is a moving word), what that and its workflow come to (`settle`),
//! and, once it has succeeded, the rest of its document and whatever may take the success back (`complete`). A workflow
//! that is gated as a whole (`whole`) and a run of an app branch (`run`) have looks of their own. What is
//! known from look to look is its [`memory`]. What is decided on is evidence ([`crate::nuon::evidence`]); the decision is
//! one table ([`decision`]).

pub mod rules;
pub mod pin;
pub mod step;
pub mod memory;
pub mod decision;
pub mod schedule;
pub mod words;

mod machine;
mod find;
mod settle;
mod complete;
mod told;
mod whole;
mod run;

pub use machine::Watch;
