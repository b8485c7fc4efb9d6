//! What is said while waiting, on stderr. On a terminal: a live view, and a line for each change. Elsewhere: a line
//! for each change, and one a minute. Whatever came from the network is defused first.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::base::environment::Screen;
use crate::nuon::look::Look;
use crate::nuon::target::Target;
use crate::report::ci::Ci;
use crate::report::live;
use crate::report::view::View;
use crate::text::escape;
use crate::text::format;
use crate::text::marks::Marks;
use crate::text::redact::Secrets;
use crate::watch::step::Event;
use crate::watch::words;

/// When the gate says again that nothing has changed, in minutes without a change; later every five: some CI systems end a
/// job after ten silent minutes.
const HEARTBEATS: [u64; 3] = [1, 2, 5];
/// How many steps of a workflow the live view has at most.
const ROWS: usize = 10;
/// How often the live view is drawn.
const FRAME: Duration = Duration::from_secs(1);
/// How long it stays at least: many targets can change at once.
const BETWEEN_FRAMES: Duration = Duration::from_millis(100);

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
#[derive(Clone, Debug)]
pub struct LogStyle {
    /// How much is said.
    pub verbosity: Verbosity,
    /// To which CI system.
    pub ci: Ci,
    /// Whether somebody watches.
    pub screen: Screen,
    /// How many columns and rows the terminal has.
    pub size: fn() -> (usize, usize),
    /// What it can show beside the steps of a workflow.
    pub marks: Marks,
    /// What must not be told.
    pub secrets: Secrets,
}

impl LogStyle {
    /// Says nothing.
    pub fn quiet(secrets: &Secrets) -> Self {
        let (verbosity, ci, screen, marks) = (Verbosity::Quiet, Ci::None, Screen::File, Marks::ASCII);
        Self { verbosity, ci, screen, size: || (80, 24), marks, secrets: secrets.clone() }
    }
}

/// The log of a run.
pub struct Progress<'w> {
    out: &'w mut dyn Write,
    style: LogStyle,
    /// When something was last said that was not said before.
    last: Duration,
    /// How often, and in which words, it was said since then that nothing has changed.
    beats: (u64, String),
    /// What is drawn, where somebody watches.
    live: Option<View>,
    /// When it may be drawn again.
    next_frame: Option<Duration>,
    /// The workflow, as it was last read.
    workflow: Option<Arc<Look>>,
    /// When the log began.
    began: Option<Timestamp>,
    /// Which of many targets this is about.
    about: Option<String>,
}

impl<'w> Progress<'w> {
    /// Writes to `out`, which must be stderr if the screen is a terminal: the live view is drawn there.
    pub fn new(out: &'w mut dyn Write, style: LogStyle) -> Self {
        let is_watched = style.screen == Screen::Terminal && style.verbosity > Verbosity::Quiet;
        let live = is_watched.then(View::default);
        let (last, beats, next_frame, workflow, began, about) = Default::default();
        Self { out, style, last, beats, live, next_frame, workflow, began, about }
    }

    /// The log of one of many targets, which is kept in `out` until somebody passes it on.
    pub fn of_one(out: &'w mut dyn Write, style: LogStyle, target: &Target) -> Self {
        let (last, beats, live, next_frame, workflow, began) = Default::default();
        Self { out, style, last, beats, live, next_frame, workflow, began, about: Some(target.to_string()) }
    }

    /// What must not be told.
    pub fn secrets(&self) -> &Secrets {
        &self.style.secrets
    }

    /// Says what was kept.
    pub fn pass_on(&mut self, log: &[u8]) {
        if !log.is_empty() {
            self.write(&String::from_utf8_lossy(log));
        }
    }

    /// Begins the log.
    pub fn open(&mut self, at: Duration, now: Option<Timestamp>, title: &str) {
        self.began = now;
        if self.style.verbosity > Verbosity::Quiet {
            self.write(&self.style.ci.group("Deploy gate", now));
        }
        self.say(at, title);
    }

    /// Ends the log: what follows is the verdict.
    pub fn close(&mut self, now: Option<Timestamp>) {
        if let Some(live) = self.live.take() {
            self.write(&live.clear(self.columns()));
        }
        if self.style.verbosity > Verbosity::Quiet {
            self.write(&self.style.ci.end_group(now));
        }
    }

    /// Shows that the gate is still there, and returns how long that is enough.
    pub fn linger(&mut self, at: Duration, so_far: &str, left: Duration) -> Duration {
        if self.live.is_some() {
            let next = format!("next look in {}", format::duration(Duration::from_secs(left.as_secs())));
            return self.draw(at, &format!("{so_far}, {next}"), |progress| progress.steps(at));
        }
        self.heartbeat(at, so_far)
    }

    /// The same for many targets: a table of those that are still waiting, where somebody watches.
    pub fn linger_over_many(&mut self, at: Duration, so_far: &str, rows: impl FnOnce() -> Vec<String>) -> Duration {
        if self.live.is_some() {
            return self.draw(at, so_far, |_| rows());
        }
        self.heartbeat(at, so_far)
    }

    /// The steps of the workflow, as many as there is room for.
    fn steps(&self, at: Duration) -> Vec<String> {
        let Some(Look::Workflow(workflow, _)) = self.workflow.as_deref() else { return Vec::new() };
        let now = self.began.and_then(|began| began.checked_add(at).ok());
        live::steps(workflow, now, &self.style.marks, ROWS.min((self.style.size)().1.saturating_sub(4)))
    }

    /// Draws the live view, unless that was just done, and returns how long that is enough.
    fn draw(&mut self, at: Duration, head: &str, rows: impl FnOnce(&Self) -> Vec<String>) -> Duration {
        if let Some(next) = self.next_frame.filter(|next| at < *next) {
            return next - at;
        }
        let head = format!("{:>8}  {head}", format::elapsed(at));
        let lines = std::iter::once(head).chain(rows(self).into_iter().map(|row| format!("  {row}")));
        let ((columns, height), secrets) = ((self.style.size)(), self.style.secrets.clone());
        let lines = lines.take(height.saturating_sub(1)).map(|line| secrets.redact(&escape::line(&line)).into_owned());
        let Some(live) = &mut self.live else { return FRAME };
        let frame = live.draw(lines, columns);
        self.print(&frame);
        self.next_frame = Some(at + BETWEEN_FRAMES);
        FRAME
    }

    fn columns(&self) -> usize {
        (self.style.size)().0
    }

    fn heartbeat(&mut self, at: Duration, so_far: &str) -> Duration {
        if at >= self.next_beat() {
            let (last, beats) = (self.last, self.beats.0);
            let is_news = beats > 0 && self.beats.1 != so_far;
            self.say(at, so_far);
            self.beats.1 = so_far.into();
            if !is_news {
                self.last = last;
                self.beats.0 = beats + 1;
            }
        }
        self.next_beat().saturating_sub(at)
    }

    fn next_beat(&self) -> Duration {
        let minutes = usize::try_from(self.beats.0).ok().and_then(|beats| HEARTBEATS.get(beats).copied());
        self.last + Duration::from_secs(60 * minutes.unwrap_or(5 * self.beats.0.saturating_sub(1)))
    }

    /// Says a line.
    pub fn say(&mut self, at: Duration, words: &str) {
        (self.last, self.beats.0) = (at, 0);
        if self.style.verbosity > Verbosity::Quiet {
            let about = self.about.as_ref().map_or_else(String::new, |target| format!("{target}: "));
            let mut words = about + words;
            format::shorten(&mut words);
            self.write(&format!("{:>8}  {}\n", format::elapsed(at), escape::line(&words)));
        }
    }

    /// Writes a part of the log, above the live view.
    fn write(&mut self, text: &str) {
        match &self.live {
            Some(live) => self.print(&format!("{}{text}{}", live.clear(self.columns()), live.again())),
            None => self.print(text),
        }
    }

    /// A log that cannot be written must not change the verdict.
    fn print(&mut self, text: &str) {
        let _ = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
    }

    /// Says a line that only `-v` shows.
    pub fn say_more(&mut self, at: Duration, words: &str) {
        if self.style.verbosity == Verbosity::Verbose {
            self.say(at, words);
        }
    }

    /// Says what happened. `trace` is the id of the request that showed it.
    pub fn tell(&mut self, at: Duration, event: &Event, trace: &str) {
        let is_for_a_person = matches!(event, Event::Person(_) | Event::Warning(_));
        if self.about.is_some() && self.style.verbosity < Verbosity::Verbose && !is_for_a_person {
            // Of many targets, each change would be too much.
            return;
        }
        match event {
            Event::Changed(change) => {
                let words = match change.description.as_str() {
                    same if same.is_empty() || same == change.status => String::new(),
                    description => format!(", {description}"),
                };
                self.say(at, &format!("deploy {} is {}{words}", change.deploy, words::spoken(&change.status)));
            }
            Event::Absent(why) => self.say(at, why),
            Event::Missed(why) => self.say(at, &format!("no usable answer: {why} (trace {trace})")),
            Event::Person(what) => self.say(at, &format!("approval needed: {what}")),
            Event::Note(note) => self.say(at, note),
            Event::Warning(why) => self.say(at, &format!("warning: {why}")),
            Event::Workflow(look) => self.workflow = Some(Arc::clone(look)).filter(|_| self.live.is_some()),
        }
    }
}
