//! What was asked for: arguments, variables, the Nuon CLI's file, files of targets; one file a command.

pub mod args;
pub mod parse;
pub mod config;
pub mod targets;
pub mod shard;
pub mod trigger;
pub mod type_check;
pub mod plan;

pub mod wait;
pub mod doctor;
pub mod replay;
pub mod latest;
pub mod check;
pub mod explain;
pub mod manual;

pub mod output;
mod pins;
mod sections;
