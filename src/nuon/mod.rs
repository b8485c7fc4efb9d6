//! What the server says: its answers, its words, its paths. A change of the server touches this room only. Pure.

pub mod id;
pub mod target;
pub mod look;
pub mod branch_run;
pub mod deploy;
pub mod workflow;
pub mod evidence;
pub mod failure;
pub mod reason;
pub mod cause;
