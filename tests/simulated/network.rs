//! The clock and the network of a simulated world: latency, trouble, a transcript of all that was asked.

use deploy_gate::base::clock::{Clock, Signal, VirtualClock};
use deploy_gate::base::source::{Fault, Request, Response, Source};
use fastrand::Rng;
use jiff::Timestamp;
use serde_json::Value;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use super::server::Answer;
use super::world::*;

/// What an answer was.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A whole document, as the server had it at some moment.
    Document(Rc<Value>),
    /// A page of a list, and whether more follow.
    Page(Rc<Value>, bool),
    /// The API says that there is no such thing.
    Absent,
    /// Something on the way says so.
    NoRoute,
    /// An answer that asking again does not change: its outcome's reason.
    Refused(&'static str),
    /// Anything that may be better the next time; what it was.
    Trouble(&'static str),
    /// A whole document of something else.
    Foreign,
    /// A signal came first.
    Interrupted,
}

/// One request, and what came of it.
#[derive(Clone, Debug)]
pub struct Asked {
    pub at: Duration,
    pub until: Duration,
    pub path: String,
    pub kind: Kind,
    /// How long the server asked to be left alone, by the gate's own calendar.
    pub retry_after: Option<Duration>,
}

/// The clock of a run: a signal may come, and the calendar may jump.
#[derive(Clone)]
pub struct SimulatedClock {
    pub time: VirtualClock,
    pub signal: Option<(Duration, Signal)>,
    /// From when on the calendar is wrong, and by how many seconds.
    pub jump: (Duration, i64),
}

impl SimulatedClock {
    /// The clock of a run that begins as all do.
    pub fn random(dice: &mut Rng) -> Self {
        let time = VirtualClock::new(Timestamp::from_second(EPOCH).ok());
        let signal = (dice.u8(0..16) == 0).then(|| {
            let signal = dice.choice([Signal::Hangup, Signal::Interrupt, Signal::Terminate]).unwrap_or(Signal::Hangup);
            (Duration::from_millis(dice.u64(0..600_000)), signal)
        });
        let jump = (Duration::from_secs(dice.u64(1..600)), if dice.u8(0..4) == 0 { dice.i64(-4000..4000) } else { 0 });
        Self { time, signal, jump }
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Duration {
        self.time.now()
    }

    fn utc(&self) -> Option<Timestamp> {
        let off = if self.now() >= self.jump.0 { self.jump.1 } else { 0 };
        self.time.utc()?.checked_add(jiff::SignedDuration::from_secs(off)).ok()
    }

    fn sleep(&mut self, wait: Duration) -> Option<Signal> {
        match self.signal {
            Some((at, signal)) if self.now() + wait >= at => {
                let left = at.saturating_sub(self.now());
                self.time.sleep(left);
                Some(signal)
            }
            _ => self.time.sleep(wait),
        }
    }
}

pub type Transcript = Rc<RefCell<Vec<Asked>>>;

/// What the API says where there is nothing.
const MISSING: &str = r#"{"error":"unable to get it: record not found","user_error":true,"description":"not found"}"#;

/// What goes over the wire.
fn told(truth: Answer) -> (Kind, Result<Response, Fault>) {
    let response = |status: u16, body: &str| Response { status, headers: Vec::new(), body: body.into() };
    let whole = |value: &Value| Response {
        status: 200,
        headers: Vec::new(),
        body: serde_json::to_vec(value).expect("it is JSON"),
    };
    let (kind, response) = match truth {
        Answer::Document(value) => {
            let response = whole(&value);
            let is_empty = value["id"].as_str().is_none_or(str::is_empty);
            (if is_empty { Kind::Absent } else { Kind::Document(value) }, response)
        }
        Answer::Page(value, has_more) => {
            let mut response = whole(&value);
            response.headers.push(("x-nuon-page-next".into(), has_more.to_string()));
            (Kind::Page(value, has_more), response)
        }
        Answer::Absent => (Kind::Absent, response(404, MISSING)),
        Answer::Forbidden => {
            let words = r#"{"error":"this action requires read access to workflows in this organization"}"#;
            (Kind::Refused("forbidden"), response(403, words))
        }
        Answer::NoRoute => (Kind::NoRoute, response(404, "404 page not found")),
    };
    (kind, Ok(response))
}

/// The way to the server.
pub struct Network {
    pub world: Rc<World>,
    pub clock: SimulatedClock,
    pub dice: Rng,
    pub transcript: Transcript,
}

impl Source for Network {
    fn ask(&mut self, request: &Request) -> Result<Response, Fault> {
        let at = self.clock.now();
        let mut retry_after = None;
        let (kind, answer) = self.serve(request, &mut retry_after);
        let until = self.clock.now();
        self.transcript.borrow_mut().push(Asked { at, until, path: request.path.clone(), kind, retry_after });
        answer
    }
}

impl Network {
    fn serve(&mut self, request: &Request, retry_after: &mut Option<Duration>) -> (Kind, Result<Response, Fault>) {
        let is_trouble = self.dice.f64() < self.world.trouble;
        let latency = match self.dice.u8(0..20) {
            0 if is_trouble => Duration::from_secs(self.dice.u64(1..60)),
            _ => Duration::from_millis(self.dice.u64(0..300)),
        };
        // One request's own limit is not that of the run.
        let within = request.within.min(Duration::from_secs(30));
        if let Some(signal) = self.clock.sleep(latency.min(within)) {
            return (Kind::Interrupted, Err(Fault::Interrupted(signal)));
        }
        if latency > within {
            return (Kind::Trouble("slow"), Err(Fault::Transient("no whole answer in time".into())));
        }
        let is_stale = is_trouble && self.dice.u8(0..3) == 0;
        let lag = if is_stale { self.world.lag } else { Duration::ZERO };
        let then = self.clock.now().as_millis() as Time - lag.as_millis() as Time;
        let truth = self.world.answer(&request.path, then);
        if is_trouble && !is_stale {
            return self.trouble(&truth, retry_after);
        }
        told(truth)
    }

    fn trouble(&mut self, truth: &Answer, retry_after: &mut Option<Duration>) -> (Kind, Result<Response, Fault>) {
        let body = match truth {
            Answer::Document(value) | Answer::Page(value, _) => value.to_string(),
            _ => MISSING.into(),
        };
        let ok = |body: Vec<u8>| Ok(Response { status: 200, headers: Vec::new(), body });
        // Rare: each of these ends the run.
        let is_final = self.dice.u8(0..6) == 0;
        let refuse = |status: u16, reason| {
            let (status, kind) = if is_final { (status, Kind::Refused(reason)) } else { (503, Kind::Trouble("503")) };
            (kind, Ok(Response { status, headers: Vec::new(), body: Vec::new() }))
        };
        match self.dice.u8(0..22) {
            0 => (Kind::Trouble("reset"), Err(Fault::Transient("connection reset".into()))),
            1 => (Kind::Trouble("name"), Err(Fault::Transient("the name is not resolved".into()))),
            2 if body.len() > 2 => {
                let cut = self.dice.usize(1..body.len() - 1);
                (Kind::Trouble("cut off"), ok(body.as_bytes()[..cut].to_vec()))
            }
            3 => (Kind::Trouble("html"), ok(b"<html>502</html>".to_vec())),
            4 => (Kind::Trouble("empty"), ok(Vec::new())),
            5 => (Kind::Trouble("a list"), ok(format!("[{body}]").into_bytes())),
            6 => (Kind::Trouble("twice"), ok(format!(r#"{{"id":"x","id":"y",{}"#, &body[1..]).into_bytes())),
            7 => (
                Kind::Trouble("status is a list"),
                ok(br#"{"id":"dpl00000000000000000000001","status_v2":["active"]}"#.to_vec()),
            ),
            8 => (
                Kind::Foreign,
                ok(br#"{"id":"inw9","install_id":"inl00000000000000000000009","status_v2":{"status":"active"}}"#
                    .to_vec()),
            ),
            9 => (Kind::NoRoute, Ok(Response { status: 404, ..Response::default() })),
            10 => refuse(401, "unauthorized"),
            11 => refuse(403, "forbidden"),
            12 => refuse(400, "bad-answer"),
            13 => refuse(302, "bad-answer"),
            14 => (Kind::Trouble("206"), Ok(Response { status: 206, headers: Vec::new(), body: body.into_bytes() })),
            _ => {
                let status = self.dice.choice([408, 409, 425, 429, 500, 502, 503, 504]).unwrap_or(500);
                let mut headers = Vec::new();
                if self.dice.bool() {
                    let seconds = self.dice.u64(0..90);
                    let now = self.clock.utc();
                    if let (true, Some(then)) = (
                        self.dice.bool(),
                        now.and_then(|now| now.checked_add(jiff::SignedDuration::from_secs(seconds as i64)).ok()),
                    ) {
                        let date = then.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
                        // A date has no fractions of a second.
                        *retry_after = Some(Duration::from_secs(seconds.saturating_sub(1)));
                        headers.push(("retry-after".into(), date));
                    } else {
                        *retry_after = Some(Duration::from_secs(seconds));
                        headers.push(("retry-after".into(), seconds.to_string()));
                    }
                }
                let name = if headers.is_empty() { "5xx" } else { "retry-after" };
                (Kind::Trouble(name), Ok(Response { status, headers, body: b"try later".to_vec() }))
            }
        }
    }
}
