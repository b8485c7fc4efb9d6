//! Everything that is not the gate enters here; `main.rs` and the tests build it.

use std::io::Write;

use crate::base::clock::Clock;
use crate::base::environment::{Screen, Variables};
use crate::base::source::Source;
use crate::net::connection::Connection;
use crate::run::crew::Crew;

/// Everything that is not the gate.
pub struct World<'w> {
    /// The environment.
    pub variables: &'w Variables,
    /// Time.
    pub clock: &'w mut dyn Clock,
    /// Makes the source that asks over the network.
    pub connect: &'w mut dyn FnMut(Connection) -> Box<dyn Source>,
    /// Makes the crew that asks for many targets, so many at once.
    pub hire: &'w mut dyn FnMut(Connection, usize) -> Box<dyn Crew>,
    /// For verdicts.
    pub out: &'w mut dyn Write,
    /// For progress and complaints.
    pub err: &'w mut dyn Write,
    /// What [`World::out`] and [`World::err`] are.
    pub screens: (Screen, Screen),
    /// Seeds the jitter and the trace ids.
    pub seed: u64,
}
