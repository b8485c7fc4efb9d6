//! Whole runs in process: arguments and a script of answers in; log, verdict, files and exit code out. Time jumps, so
//! nothing waits.

#[path = "../simulated/crew.rs"]
mod crew;
mod fleet;
mod gate;
mod hostile;
mod recordings;
mod replay;
mod reports;
mod right_deploy;
mod script;
mod table;
mod whole_truth;
