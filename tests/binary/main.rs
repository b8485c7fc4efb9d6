//! The binary as another process: real sockets, real signals, real shells.

#![expect(clippy::disallowed_methods, reason = "the binary is another process, with its own time")]

mod action;
mod cli;
mod completions;
mod limits;
mod loopback;
mod many;
mod doctor;
mod network;
mod nuon_cli;
mod output;
mod signals;
mod trigger;
