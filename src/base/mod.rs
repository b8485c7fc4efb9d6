//! What everything stands on: time and signals, what answers a request, strict JSON, how a run can end.

pub mod outcome;
pub mod environment;
pub mod clock;
pub mod source;
pub mod object;
pub mod file;
pub mod digest;
pub mod disk;
