//! Everything that is not the gate enters here; `main.rs` and the tests build it.

use std::io::Write;

use crate::base::clock::Clock;
use crate::base::disk::Disk;
use crate::base::environment::{Screen, Variables};
use crate::base::source::Source;
use crate::net::connection::Connection;

/// Everything that is not the gate.
pub struct World<'w> {
    /// The environment.
    pub variables: &'w Variables,
    /// Time.
    pub clock: &'w mut dyn Clock,
    /// Makes the source that asks over the network, so many requests at once.
    pub connect: &'w mut dyn FnMut(Connection, usize) -> Box<dyn Source>,
    /// Files and standard input.
    pub disk: &'w dyn Disk,
    /// For verdicts.
    pub out: &'w mut dyn Write,
    /// For progress and complaints.
    pub err: &'w mut dyn Write,
    /// What [`World::out`] and [`World::err`] are.
    pub screens: (Screen, Screen),
    /// How many columns and rows the terminal has.
    pub size: fn() -> (usize, usize),
    /// Seeds the jitter, the trace ids and the delimiter of outputs.
    pub seed: u64,
}

impl World<'_> {
    /// The same world, for a shorter time.
    pub fn reborrow(&mut self) -> World<'_> {
        World {
            variables: self.variables,
            clock: self.clock,
            connect: self.connect,
            disk: self.disk,
            out: self.out,
            err: self.err,
            screens: self.screens,
            size: self.size,
            seed: self.seed,
        }
    }
}
