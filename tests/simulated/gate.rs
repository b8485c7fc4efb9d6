//! What the user asks of the gate: mostly what was really triggered, sometimes nothing, sometimes something wrong.

use std::ffi::OsString;
use std::time::Duration;

use fastrand::Rng;

use super::assertions::Expression;
use super::world::{COMPONENT, INSTALL, Ids, stamp};

/// What the user asked for.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    pub build: Option<String>,
    pub deploy: Option<String>,
    pub workflow: Option<String>,
    pub commit: Option<String>,
    /// The id of a deploy, a time, or `none`.
    pub after: Option<String>,
    pub on_superseded: Option<&'static str>,
    pub teardown: bool,
    pub until: Option<&'static str>,
    pub stop_for_approval: bool,
    pub overrides: Vec<(&'static str, &'static str)>,
    pub timeout: Duration,
    pub appear_timeout: Duration,
    pub interval: Duration,
    pub max_interval: Duration,
    pub assertions: Vec<Expression>,
    /// Whether what the types forbid is only warned of.
    pub only_warns: bool,
    pub extracts: bool,
    pub reports: Vec<&'static str>,
}

/// The formats beside `json`, which each run has.
const FORMATS: [&str; 6] = ["junit", "markdown", "github", "dotenv", "annotations", "dir"];

impl Gate {
    pub fn random(ids: &Ids, dice: &mut Rng) -> Self {
        let mut gate = Self {
            timeout: Duration::from_secs(if dice.u8(0..24) == 0 {
                0
            } else {
                dice.choice([20, 300, 3600, 3600]).unwrap_or(300)
            }),
            ..Self::default()
        };
        gate.pin(ids, dice);
        gate.on_superseded = dice.choice([None, None, None, Some("finish"), Some("stop"), Some("follow")]).flatten();
        gate.teardown = if ids.is_teardown { dice.u8(0..5) > 0 } else { dice.u8(0..24) == 0 };
        gate.until = dice.choice([None, None, None, None, Some("applied"), Some("workflow")]).flatten();
        gate.stop_for_approval = dice.u8(0..4) == 0;
        if dice.u8(0..6) == 0 {
            let word = dice.choice(["noop", "warming-up", "unknown"]).unwrap_or("noop");
            gate.overrides.push((word, dice.choice(["success", "failure", "running"]).unwrap_or("success")));
        }
        gate.appear_timeout = Duration::from_secs(match dice.u8(0..24) {
            0 => 0,
            1 | 2 => 10,
            3..12 => 7200,
            _ => 300,
        });
        gate.interval = Duration::from_millis(dice.choice([100, 2000, 2000, 2000, 10_000]).unwrap_or(2000));
        gate.max_interval = gate.interval * dice.choice([1, 3, 15]).unwrap_or(15);
        // Some hundred looks show what many thousands do.
        gate.timeout = gate.timeout.min(gate.max_interval * 60);
        for _ in 0..dice.u8(0..8).saturating_sub(4) {
            gate.assertions.push(Expression::random(false, dice));
        }
        if dice.u8(0..40) == 0 {
            gate.assertions.push(Expression::random(true, dice));
            gate.only_warns = dice.bool();
        }
        if dice.u8(0..8) == 0 {
            gate.assertions.push(Expression::NoFailedSteps);
        }
        gate.extracts = dice.u8(0..6) == 0;
        gate.reports = FORMATS.into_iter().filter(|_| dice.u8(0..8) == 0).collect();
        gate
    }

    fn pin(&mut self, ids: &Ids, dice: &mut Rng) {
        // Who knows an id has mostly triggered it before.
        let is_later = ids.triggered > 0 && dice.u8(0..8) > 0;
        match dice.u8(if is_later { 9..15 } else { 0..16 }) {
            9 if is_later && dice.bool() => {}
            0..3 => {}
            3..7 => self.workflow = pick(&ids.workflows, dice),
            7 | 8 => self.deploy = pick(&ids.deploys, dice),
            9 => self.build = pick(&ids.builds, dice),
            10 => self.commit = ids.commits.last().map(|commit| commit[..dice.usize(7..40)].to_owned()),
            11 | 12 => self.after = after(ids, dice),
            13 => {
                self.after = after(ids, dice);
                self.build = pick(&ids.builds, dice);
            }
            14 => {
                self.after = after(ids, dice);
                self.commit = ids.commits.last().cloned();
            }
            _ => {
                self.after = if dice.bool() { after(ids, dice) } else { None };
                self.build = pick(&ids.builds, dice);
                self.workflow = pick(&ids.workflows, dice);
            }
        }
    }

    pub fn arguments(&self) -> Vec<OsString> {
        let mut all = vec!["wait".to_owned(), format!("--install={INSTALL}"), format!("--component={COMPONENT}")];
        let pins = [
            ("build", &self.build),
            ("deploy", &self.deploy),
            ("workflow", &self.workflow),
            ("commit", &self.commit),
            ("after", &self.after),
        ];
        all.extend(pins.into_iter().filter_map(|(name, id)| Some(format!("--{name}={}", id.as_ref()?))));
        all.extend(self.on_superseded.map(|what| format!("--on-superseded={what}")));
        all.extend(self.until.map(|what| format!("--until={what}")));
        let switches = [
            (self.teardown, "--expect=teardown"),
            (self.stop_for_approval, "--on-approval=stop"),
            (self.extracts, "--extract=name=$.component_name"),
            (self.only_warns, "--type-check=warn"),
        ];
        all.extend(switches.into_iter().filter(|(is_on, _)| *is_on).map(|(_, flag)| flag.to_owned()));
        all.extend(self.overrides.iter().map(|(word, class)| format!("--status={word}={class}")));
        for (flag, duration) in [
            ("timeout", self.timeout),
            ("appear-timeout", self.appear_timeout),
            ("interval", self.interval),
            ("max-interval", self.max_interval),
        ] {
            all.push(format!("--{flag}={}ms", duration.as_millis()));
        }
        all.extend(self.assertions.iter().map(|assertion| match assertion {
            Expression::NoFailedSteps => "--require=no-failed-steps".into(),
            other => format!("--assert={other}"),
        }));
        let report = |format: &str| format!("--report={format}={}", format);
        all.extend(self.reports.iter().map(|format| report(format)).chain([report("json")]));
        std::iter::once("deploy-gate".into()).chain(all.into_iter().map(Into::into)).collect()
    }

    /// Whether a pin says which deploy is meant, and does not only narrow it down.
    pub fn identifies(&self) -> bool {
        self.workflow.is_some() || self.deploy.is_some()
    }

    /// Whether there are pins that narrow it down, and no others.
    pub fn only_narrows(&self) -> bool {
        !self.identifies() && (self.after.is_some() || self.build.is_some() || self.commit.is_some())
    }

    /// What a newer deploy does.
    pub fn policy(&self) -> &'static str {
        self.on_superseded.unwrap_or(if self.identifies() { "finish" } else { "follow" })
    }

    /// Whether an assertion is refused before the wait.
    pub fn is_refused(&self) -> bool {
        !self.only_warns && self.assertions.iter().any(Expression::is_refused)
    }

    pub fn looks_at_the_workflow(&self) -> bool {
        self.assertions.iter().any(Expression::looks_at_the_workflow)
    }
}

/// Mostly mine, sometimes another's, sometimes one that is not there.
fn pick(ids: &[String], dice: &mut Rng) -> Option<String> {
    match dice.u8(0..20) {
        0 => Some("dpl0000000000000000000000x".to_owned()),
        1 => ids.first().cloned(),
        _ => ids.last().cloned(),
    }
}

/// What the deploy that is meant is newer than: mostly what was the newest, or the time, when it was triggered.
fn after(ids: &Ids, dice: &mut Rng) -> Option<String> {
    match dice.u8(0..10) {
        0 if dice.bool() => Some("none".into()),
        1 if dice.bool() => pick(&ids.deploys, dice),
        2 if dice.bool() => Some(stamp(dice.i64(-20_000_000..240_000))),
        3..6 => Some(stamp(ids.triggered.min(240_000) - dice.i64(0..2000))),
        _ => Some(ids.before.clone().unwrap_or_else(|| "none".into())),
    }
}
