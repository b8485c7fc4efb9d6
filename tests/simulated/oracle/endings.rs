//! The endings that are neither yes nor no: each needs its reason, in truth or in what was answered.

use std::time::Duration;

use deploy_gate::base::clock::Signal;

use super::meaning::{Class, Standing};
use super::transcript::last_look;
use super::{About, Oracle, about};
use crate::simulated::assertions::Expression;
use crate::simulated::network::{Asked, Kind};
use crate::simulated::world::{Deploy, Rights, Stand, Time};

/// For how long what may only lag behind is asked for again.
const LAGS: Duration = Duration::from_secs(30);
/// For how long a deploy may stay unfinished once its workflow has ended well.
const LEFT: Time = 60_000;

impl Oracle<'_> {
    /// The time was up, or the server asked not to be asked again before it was.
    pub(super) fn timed_out(&mut self, reason: &str) {
        let asked = &self.run.transcript;
        let timeout = self.run.gate.timeout;
        let is_beyond = self.is_left_alone_until(timeout);
        let is_up = self.run.ended >= timeout;
        self.must(is_up || is_beyond, format!("it was {:?} early", timeout.saturating_sub(self.run.ended)));
        let is_last = asked.last().is_none_or(|last| last.until >= timeout);
        self.must(is_last || is_beyond, "the last look was not at the deadline");
        let is_clear = !self.has_trouble() && self.world.rights == Rights::All && self.world.gone.is_none();
        let flow = self.deploy.map(|deploy| deploy.flow).or_else(|| self.pinned_flow());
        let asks = |at| flow.is_some_and(|flow| self.stand(flow, at) == Stand::Asks);
        match reason {
            "awaiting-approval" => self.must(!is_clear || self.somebody_must_act(), "nobody had to approve"),
            "still-running" => {
                let all_ask = self.moments.iter().all(|at| asks(*at));
                self.must(!is_clear || !all_ask, "somebody had to approve");
            }
            "unknown-status" => {
                let is_unknown = |deploy: &Deploy| self.sometime(|at| self.class(deploy, at) == Class::Unknown);
                self.must(self.deploy.is_some_and(is_unknown), "the status was known");
            }
            _ => {
                // What changes within the last look cannot be judged as of one moment.
                let has_changed = self.moments.len() > 2;
                let begin = last_look(asked).unwrap_or_default();
                let is_read = |asked: &Asked| matches!(asked.kind, Kind::Document(_) | Kind::Page(..));
                let is_whole = asked[begin..].iter().all(is_read);
                self.must(self.has_trouble() || has_changed || !is_whole, "the server was there");
            }
        }
    }

    /// Whether the server asked to be left alone until a time has come. A date has no fractions of a second.
    fn is_left_alone_until(&self, time: Duration) -> bool {
        let until = |asked: &Asked| Some(asked.until + asked.retry_after? + Duration::from_secs(1));
        self.run.transcript.iter().filter_map(until).any(|until| until > time)
    }

    pub(super) fn undecided(&mut self, reason: &str) {
        match reason {
            "never-appeared" => self.never_appeared(),
            "not-found" => self.not_found(),
            "ambiguous" => self.ambiguous(),
            "left-behind" => {
                let was_over = |flow| self.sometime(|at| self.stand(flow, at - LEFT) == Stand::Well);
                let is_left = |deploy: &Deploy| {
                    was_over(deploy.flow) && self.sometime(|at| self.standing(deploy, at) == Standing::Left)
                };
                // Or one that it had followed before.
                let newest = |seen: &Deploy| self.world.newest(seen.flow, self.world.moment(self.window.1));
                let is_one_left = |seen: &Deploy| is_left(seen) || newest(seen).is_some_and(is_left);
                let is_one = self.deploy.is_some_and(is_left) || self.seen().any(is_one_left);
                self.must(is_one, "nothing was left behind");
            }
            "unknown-status" => {
                let is_strange = |deploy: &Deploy| self.sometime(|at| self.standing(deploy, at) == Standing::Strange);
                let newest = |seen: &Deploy| self.world.newest(seen.flow, self.world.moment(self.window.1));
                let is_one_strange = |seen: &Deploy| is_strange(seen) || newest(seen).is_some_and(is_strange);
                let is_one = self.deploy.is_some_and(is_strange) || self.seen().any(is_one_strange);
                self.must(is_one, "the status was known, or its workflow went on");
            }
            "engines-disagree" => {
                // One of them takes some values for ordered that have no order. That is refused, or warned of.
                let is_doubtful = self.run.gate.assertions.iter().any(Expression::orders_the_orderless);
                self.must(is_doubtful, "no assertion is doubtful");
            }
            reason => {
                let refused = |asked: &Asked| matches!(asked.kind, Kind::Refused(why) if why == reason);
                self.must(self.run.transcript.iter().any(refused), format!("no answer was {reason}"));
            }
        }
    }

    fn never_appeared(&mut self) {
        let gate = &self.run.gate;
        let limit = gate.appear_timeout.min(gate.timeout);
        let pinned = self.pinned_flow().filter(|_| gate.workflow.is_some());
        let is_over = |flow| self.sometime(|at| matches!(self.stand(flow, at), Stand::Well | Stand::Failed));
        let is_up = self.run.ended >= limit || self.is_left_alone_until(limit);
        let is_time = is_up || pinned.is_some_and(is_over);
        self.must(is_time, format!("it gave up at {:?}", self.run.ended));
        if self.has_trouble() || self.world.rights != Rights::All || self.world.gone.is_some() {
            return;
        }
        let has_it = |at: Time| {
            let deploy = match self.pinned_flow() {
                Some(flow) if gate.identifies() => self.world.newest(flow, at),
                _ => self.world.latest(at),
            };
            deploy.filter(|deploy| self.pins_hold(deploy) && (pinned.is_none() || self.is_named(deploy, at)))
        };
        let is_there = self.moments.iter().all(|at| has_it(*at).is_some());
        self.must(!is_there, "the deploy had appeared");
        // While the workflow that is pinned goes on, nobody can tell.
        let goes_on = |flow: usize| {
            let is_open = |at: &Time| matches!(self.stand(flow, *at), Stand::Going | Stand::Asks);
            let is_known = self.world.flows[flow].created <= self.window.0;
            is_known && self.moments.iter().all(is_open) && self.world.newest(flow, self.window.1).is_none()
        };
        self.must(!pinned.is_some_and(goes_on), "its workflow went on");
    }

    /// Whether a step of its workflow names it.
    fn is_named(&self, deploy: &Deploy, at: Time) -> bool {
        let steps = self.world.flows[deploy.flow].steps_at(at, self.world.generation);
        steps.iter().any(|step| step["step_target_id"] == deploy.id.as_str())
    }

    fn not_found(&mut self) {
        let asked = &self.run.transcript;
        let is_absent = |asked: &Asked| matches!(asked.kind, Kind::Absent | Kind::NoRoute | Kind::Foreign);
        let of = |what: &[About]| {
            let absent = asked.iter().filter(|asked| what.contains(&about(asked)) && is_absent(asked));
            absent.map(|asked| asked.at).collect::<Vec<_>>()
        };
        let is_up = self.run.ended >= self.run.gate.timeout;
        let install = of(&[About::Install]);
        let workflow = of(&[About::Workflow, About::Steps]);
        let has_waited = workflow.first().is_some_and(|first| self.run.ended >= *first + LAGS || is_up);
        let named = [&self.run.gate.after, &self.run.gate.deploy];
        let of_named = |asked: &&Asked| named.iter().any(|id| id.as_ref().is_some_and(|id| asked.path.ends_with(id)));
        let unnamed = asked.iter().filter(of_named).filter(|asked| is_absent(asked)).count();
        let is_fair = install.len() >= 2 || has_waited || unnamed >= 2;
        self.must(is_fair, "nothing was missing for long enough");
    }

    /// Where the install was never there, nothing but a signal or the deadline ends the run before that is sure.
    pub(super) fn is_told_that_the_install_is_gone(&mut self, (_, outcome, reason): (u8, &str, &str)) {
        let was_never_there = self.world.gone.is_some_and(|gone| gone <= 0);
        let is_gone = was_never_there || self.world.rights == Rights::OtherOrganisation;
        let is_clear = !self.has_trouble() && self.world.rights != Rights::NoWorkflows;
        if is_gone && is_clear && self.run.ended < self.run.gate.timeout {
            let is_told = reason == "not-found" || outcome == "interrupted";
            self.must(is_told, format!("it was {outcome} ({reason}), and the install was not there"));
        }
    }

    /// One is good, and another that matches as well is not.
    fn ambiguous(&mut self) {
        let Some(deploy) = self.deploy else { return self.must(false, "there is no deploy") };
        self.must(self.run.gate.only_narrows(), "a pin says which is meant");
        self.must(self.pins_hold(deploy), "it was not meant");
        let is_refused = |asked: &Asked| {
            about(asked) == About::List && !matches!(asked.kind, Kind::Page(..) | Kind::Trouble(_) | Kind::Interrupted)
        };
        let mut others = self.others(deploy);
        // A replica that lags need not lag with each answer.
        others.extend(self.world.deploys.iter().filter(|other| other.flow != deploy.flow && self.pins_hold(other)));
        let has_failed = |other: &&Deploy| {
            let is_bad = |at| matches!(self.standing(other, at), Standing::Failed | Standing::Left | Standing::Strange);
            // A teardown that had nothing to do is not what was asked for, either.
            let is_other = other.kind == "teardown" && !self.run.gate.teardown;
            self.sometime(is_bad) || self.has_trouble() || is_other || self.is_read_otherwise(other, "failure")
        };
        let is_fair = others.iter().any(has_failed) || self.run.transcript.iter().any(is_refused);
        self.must(is_fair, "no other deploy failed");
    }

    pub(super) fn superseded(&mut self) {
        self.must(self.run.gate.policy() == "stop", "it was not told to stop");
        let has_newer = |old: &Deploy| {
            self.sometime(|at| {
                let latest = self.world.latest(self.world.moment(at));
                latest.is_some_and(|latest| latest.flow != old.flow && latest.created > old.created)
            })
        };
        let mine = self.world.deploys.iter().filter(|deploy| self.pins_hold(deploy));
        self.must(mine.into_iter().any(has_newer), "nothing was superseded");
    }

    pub(super) fn approval_required(&mut self) {
        self.must(self.run.gate.stop_for_approval, "it was told to wait");
        let begin = last_look(&self.run.transcript).unwrap_or_default();
        let was_read = self.run.transcript[begin..].iter().any(|asked| about(asked) == About::Workflow);
        self.must(was_read, "the workflow was not looked at");
        self.must(self.somebody_must_act(), "nobody had to act");
    }

    pub(super) fn interrupted(&mut self) {
        let wanted = match self.run.signal {
            Some((_, Signal::Hangup)) => 129,
            Some((_, Signal::Interrupt)) => 130,
            Some((_, Signal::Terminate)) => 143,
            None => 0,
        };
        let at = self.run.signal.map_or(Duration::MAX, |(at, _)| at);
        self.must(self.run.code == wanted, "no such signal came");
        self.must(self.run.ended <= at.saturating_add(Duration::from_secs(2)), "it took its time");
    }
}
