//! What was asked for: arguments, variables, the Nuon CLI's file, files of targets; and what is printed about the gate
//! itself.

pub mod args;
pub mod config;
pub mod targets;
pub mod shard;
pub mod trigger;
pub mod plan;
pub mod explain;
pub mod manual;
