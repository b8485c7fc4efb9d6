//! Whole runs in process: arguments and a script of answers in; log, verdict, files and exit code out. Time jumps, so
//! nothing waits.

mod many;
mod branch_run;
mod gate;
mod advisory;
mod evidence;
mod doctor;
mod hostile;
mod left_behind;
mod others;
mod parts;
mod pinned_workflow;
mod pins;
mod queries;
mod real;
mod recordings;
mod replay;
mod reports;
mod right_deploy;
mod script;
mod surroundings;
mod table;
mod telling;
mod terminal;
mod whole_truth;
mod whole_workflow;
mod workflow;
