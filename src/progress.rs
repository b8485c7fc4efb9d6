//! What is said while waiting, on stderr. On a terminal: one live line, and a line for each change. Elsewhere: a line
//! for each change, and one a minute. Whatever came from the network is defused first.

use std::io::Write;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;

use crate::ci::Ci;
use crate::defuse;
use crate::text;
use crate::watch::{self, Event};

/// How long the gate may be silent: some CI systems end a job after ten silent minutes.
pub const HEARTBEAT: Duration = Duration::from_secs(60);
/// How often the live line is drawn.
const FRAME: Duration = Duration::from_secs(1);

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

/// How the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// How much is said.
    pub verbosity: Verbosity,
    /// To which CI system.
    pub ci: Ci,
    /// Whether somebody watches.
    pub screen: Screen,
}

impl Manner {
    /// Says nothing.
    pub const QUIET: Self = Self { verbosity: Verbosity::Quiet, ci: Ci::None, screen: Screen::File };
}

/// Where a stream leads to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Screen {
    /// A terminal.
    Terminal,
    /// Anything else: a file, a pipe, the log of a CI system.
    #[default]
    File,
}

/// The log of a run.
pub struct Progress<'w> {
    out: &'w mut dyn Write,
    manner: Manner,
    last: Duration,
    live: Option<ProgressBar>,
}

impl<'w> Progress<'w> {
    /// Writes to `out`, which must be stderr if the screen is a terminal: the live line is drawn there.
    pub fn new(out: &'w mut dyn Write, manner: Manner) -> Self {
        let is_watched = manner.screen == Screen::Terminal && manner.verbosity > Verbosity::Quiet;
        let style =
            ProgressStyle::with_template("{spinner} {wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
        let live = is_watched.then(|| ProgressBar::new_spinner().with_style(style));
        Self { out, manner, last: Duration::ZERO, live }
    }

    /// Begins the log.
    pub fn open(&mut self, at: Duration, now: Option<Timestamp>, title: &str) {
        if self.manner.verbosity > Verbosity::Quiet {
            self.write(&self.manner.ci.group("Deploy gate", now));
        }
        self.say(at, title);
    }

    /// Ends the log: what follows is the verdict.
    pub fn close(&mut self, now: Option<Timestamp>) {
        if let Some(live) = self.live.take() {
            live.finish_and_clear();
        }
        if self.manner.verbosity > Verbosity::Quiet {
            self.write(&self.manner.ci.end_group(now));
        }
    }

    /// Shows that the gate is still there, and returns how long that is enough.
    pub fn linger(&mut self, at: Duration, so_far: &str, left: Duration) -> Duration {
        if let Some(live) = &self.live {
            let next = format!("next look in {}", text::duration(Duration::from_secs(left.as_secs())));
            live.set_message(defuse::line(&format!("{}  {so_far}, {next}", text::elapsed(at))));
            live.tick();
            return FRAME;
        }
        if at >= self.last + HEARTBEAT {
            self.say(at, so_far);
        }
        self.last + HEARTBEAT - at
    }

    /// Says a line.
    pub fn say(&mut self, at: Duration, words: &str) {
        self.last = at;
        if self.manner.verbosity > Verbosity::Quiet {
            self.write(&format!("{:>8}  {}\n", text::elapsed(at), defuse::line(words)));
        }
    }

    /// A log that cannot be written must not change the verdict.
    fn write(&mut self, text: &str) {
        let out = &mut *self.out;
        let mut write = || {
            let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        };
        match &self.live {
            Some(live) => live.suspend(write),
            None => write(),
        }
    }

    /// Says a line that only `-v` shows.
    pub fn say_more(&mut self, at: Duration, words: &str) {
        if self.manner.verbosity == Verbosity::Verbose {
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
