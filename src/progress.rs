//! What is said while waiting, on stderr: a line for each change, and one a minute. Whatever came from the network is
//! defused first.

use std::io::Write;
use std::time::Duration;

use crate::defuse;
use crate::text;
use crate::watch::{self, Event};

/// How long the gate may be silent: some CI systems end a job after ten silent minutes.
pub const HEARTBEAT: Duration = Duration::from_secs(60);

/// How much is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Nothing but the verdict.
    Quiet,
    /// Changes and a heartbeat.
    Normal,
    /// Each look too.
    Verbose,
}

/// The log of a run.
pub struct Progress<'w> {
    out: &'w mut dyn Write,
    verbosity: Verbosity,
    last: Duration,
}

impl<'w> Progress<'w> {
    /// Writes to `out`.
    pub fn new(out: &'w mut dyn Write, verbosity: Verbosity) -> Self {
        Self { out, verbosity, last: Duration::ZERO }
    }

    /// When the next heartbeat is due.
    pub fn due(&self) -> Duration {
        self.last + HEARTBEAT
    }

    /// Says a line.
    pub fn say(&mut self, at: Duration, words: &str) {
        self.last = at;
        if self.verbosity > Verbosity::Quiet {
            // A log that cannot be written must not change the verdict.
            let _ = writeln!(self.out, "{:>8}  {}", text::elapsed(at), defuse::line(words));
            let _ = self.out.flush();
        }
    }

    /// Says a line that only `-v` shows.
    pub fn say_more(&mut self, at: Duration, words: &str) {
        if self.verbosity == Verbosity::Verbose {
            self.say(at, words);
        }
    }

    /// Says what happened. `trace` is the id of the request that showed it.
    pub fn tell(&mut self, at: Duration, event: &Event, trace: &str) {
        match event {
            Event::Changed(change) => {
                let words = match change.description.as_str() {
                    "" => String::new(),
                    description => format!(", {description}"),
                };
                self.say(at, &format!("deploy {} is {}{words}", change.deploy, watch::spoken(&change.status)));
            }
            Event::Absent(why) => self.say(at, why),
            Event::Missed(why) => self.say(at, &format!("no usable answer: {why} (trace {trace})")),
            Event::Person(what) => self.say(at, &format!("a person must act: {what}")),
            Event::Note(note) => self.say(at, note),
            Event::Warning(why) => self.say(at, &format!("warning: {why}")),
        }
    }
}
