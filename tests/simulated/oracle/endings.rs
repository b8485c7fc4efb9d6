//! What each ending needs for a proof.

use crate::simulated::assertions::{Truth, Unread};
use crate::simulated::world::{Asked, Kind};
use deploy_gate::base::clock::Signal;
use serde_json::Value;
use std::time::Duration;

use super::*;

impl Oracle<'_> {
    /// A pass, or a failure by assertions alone: the promise.
    pub(super) fn passed(&mut self, failed_by: &[&str]) {
        let Some((seen, detail, workflow)) = self.parts() else {
            return self.must(false, "no answer showed the deploy in success");
        };
        self.must(self.class(&seen) == Class::Good, format!("the deploy was {:?}", word(&seen)));
        self.must(self.may_be_judged(&seen), "it was another deploy");
        self.is_not_superseded(&seen);
        self.must(self.run.report["targets"][0]["deploy"]["id"] == seen["id"], "the report is about another deploy");
        if let Some(detail) = &detail {
            let same = detail["id"] == seen["id"] && word(detail) == word(&seen);
            self.must(same, "the parts of the document are of different moments");
        }
        let names_a_workflow = !workflow_of(&seen).is_empty();
        // A server that has just asked to be left alone is not asked for it.
        let is_left_alone = self.deciding().last().is_some_and(|last| last.retry_after.is_some());
        let workflow = workflow.or((names_a_workflow && is_left_alone).then_some(Err(())));
        self.must(!names_a_workflow || workflow.is_some(), "the workflow was not asked for");
        let gate = &self.run.gate;
        let needs_it = names_a_workflow && gate.until != Some("applied");
        self.must(!needs_it || matches!(workflow, Some(Ok(_))), "its workflow could not be read");
        let has_nothing_to_verify = gate.until == Some("applied") || matches!(word(&seen), "auto-skipped" | "no-drift");
        let is_verified = !matches!(&workflow, Some(Ok(workflow)) if !is_verified(workflow, &seen));
        self.must(has_nothing_to_verify || is_verified, "its health was still being verified");
        if let Some(left) = self.left_open(&seen) {
            self.must(false, format!("it was followed, and {left} may have failed"));
        }
        let ended_well = matches!(&workflow, Some(Ok(workflow)) if workflow["finished"] == true && workflow["status"]["status"] == "success");
        if gate.until == Some("workflow") {
            self.must(ended_well, "the workflow has not ended well");
        }
        let must_end = gate.until != Some("applied")
            && gate.assertions.iter().any(crate::simulated::assertions::Expression::looks_at_the_workflow);
        if let (true, Some(Ok(workflow))) = (must_end, &workflow) {
            let is_over = workflow["finished"] == true || has_failed(workflow);
            self.must(is_over, "the workflow was judged while it went on");
        }
        let unread = match (&detail, &workflow) {
            (None, _) => Unread::Anything,
            (_, None | Some(Err(()))) => Unread::Workflow,
            _ => Unread::Nothing,
        };
        let whole = assemble(seen, detail, workflow);
        let truths: Vec<Truth> = gate.assertions.iter().map(|assertion| assertion.judge(&whole, unread)).collect();
        let want: &[&str] = if truths.contains(&Truth::False) {
            &["assertion-false"]
        } else if truths.contains(&Truth::Vacuous) {
            &["assertion-vacuous"]
        } else {
            &[]
        };
        self.must(want == failed_by, format!("the assertions are {truths:?} about {whole}"));
        let reported: Vec<&str> = self.run.report["targets"][0]["assertions"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|check| text(check, "outcome"))
            .collect();
        let names = truths.iter().map(|truth| match truth {
            Truth::True => "true",
            Truth::False => "false",
            Truth::Vacuous => "vacuous",
        });
        self.must(reported == names.collect::<Vec<_>>(), format!("the report has {reported:?} for {truths:?}"));
    }

    /// A deploy that was watched before the judged one, in another workflow, and is not known to have ended well.
    pub(super) fn left_open(&self, judged: &Value) -> Option<String> {
        if self.policy() != "follow" {
            return None;
        }
        let asked = self.deciding();
        let mut looks: Vec<&Value> = Vec::new();
        for seen in asked.iter().filter(|asked| about(asked) == About::Latest).filter_map(document) {
            let is_news = looks
                .last()
                .is_none_or(|last| seen["id"] != last["id"] && text(seen, "created_at") > text(last, "created_at"));
            if is_news && self.may_be_judged(seen) {
                looks.push(seen);
            }
        }
        let begins_over = asked
            .iter()
            .find(|asked| about(asked) == About::Latest && matches!(asked.kind, Kind::Document(_) | Kind::Absent));
        let begins_over = begins_over.and_then(document).filter(|first| self.is_over(first)).map(|first| &first["id"]);
        for (index, left) in looks.iter().enumerate() {
            let follower = looks.get(index + 1);
            let is_retried =
                follower.is_some_and(|next| !workflow_of(next).is_empty() && workflow_of(next) == workflow_of(left));
            if left["id"] == judged["id"] || is_retried || begins_over == Some(&left["id"]) || follower.is_none() {
                continue;
            }
            let by_id =
                asked.iter().filter(|asked| about(asked) == About::Deploy && asked.path.ends_with(text(left, "id")));
            let (mut good, mut gone) = (false, 0);
            for asked in by_id {
                good |= document(asked).is_some_and(|deploy| self.class(deploy) == Class::Good);
                gone += u8::from(matches!(asked.kind, Kind::Absent | Kind::Foreign));
            }
            if !good && gone < 2 {
                return Some(text(left, "id").to_owned());
            }
        }
        None
    }

    /// The workflow that was to end well has not, or ended without a deploy.
    pub(super) fn workflow_failed(&mut self) {
        let asked = self.deciding();
        let workflows = asked.iter().filter(|asked| about(asked) == About::Workflow).filter_map(document);
        let ended: Vec<&Value> = workflows.filter(|workflow| has_failed(workflow)).collect();
        let matched = asked.iter().filter_map(document).any(|deploy| self.pins_hold(deploy));
        let is_fair = match self.run.gate.until {
            Some("workflow") if matched => !ended.is_empty(),
            _ => self.run.gate.workflow.is_some() && !matched && ended.len() >= 2,
        };
        self.must(is_fair, "no workflow had failed");
    }

    /// A failure needs a deploy that failed for good, or that its workflow left behind.
    pub(super) fn deploy_failed(&mut self) {
        let asked = self.run.transcript.clone();
        let id = text(&self.run.report["targets"][0]["deploy"], "id").to_owned();
        let status = text(&self.run.report["targets"][0]["deploy"], "status").to_owned();
        let looks = asked.iter().enumerate().filter(|(_, asked)| matches!(about(asked), About::Latest | About::Deploy));
        let shown = looks
            .filter_map(|(index, asked)| Some((index, document(asked)?)))
            .find(|(_, deploy)| text(deploy, "id") == id && word(deploy) == status);
        let Some((index, deploy)) = shown else { return self.must(false, "no answer showed that deploy so") };
        self.must(self.may_be_judged(deploy), "it was another deploy");
        self.is_not_superseded(deploy);
        let workflows: Vec<&Asked> = asked[index..].iter().filter(|asked| about(asked) == About::Workflow).collect();
        let is_well = |workflow: &Value| workflow["status"]["status"] == "success" && workflow["finished"] == true;
        let seen_failed = workflows.iter().filter_map(|asked| document(asked)).filter(|one| has_failed(one)).count();
        let seen_well = workflows.iter().filter_map(|asked| document(asked)).filter(|one| is_well(one)).count();
        let is_late = self.run.ended >= self.run.gate.timeout;
        match self.class(deploy) {
            Class::Bad => {}
            Class::Maybe | Class::Parked => {
                let unread = workflows.iter().any(|asked| document(asked).is_none())
                    || asked[index..].iter().any(|asked| about(asked) == About::Steps && document(asked).is_none());
                let refused = asked[..index].iter().any(|asked| {
                    matches!(about(asked), About::Workflow | About::Steps) && !matches!(asked.kind, Kind::Document(_))
                });
                let asks = |workflow: &Value| {
                    let steps = workflow["steps"].as_array().or(workflow.as_array());
                    steps.is_some_and(|steps| steps.iter().any(|step| step["status"]["status"] == "approval-awaiting"))
                };
                let is_stopped =
                    self.run.gate.stop_for_approval && asked[index..].iter().filter_map(document).any(asks);
                let is_seen = seen_failed + seen_well > 0;
                let is_final = workflow_of(deploy).is_empty() || is_seen || unread || refused || is_stopped || is_late;
                self.must(is_final, "its workflow could still retry it");
            }
            Class::Good => {
                let unverified =
                    |asked: &&Asked| document(asked).is_some_and(|workflow| !is_verified(workflow, deploy));
                let is_unhealthy = seen_failed + seen_well > 0
                    && (workflows.iter().any(unverified) || asked.iter().any(|asked| about(asked) == About::Steps));
                let has_left = self.policy() == "follow"
                    && asked.iter().filter(|asked| about(asked) == About::Deploy).filter_map(document).any(|other| {
                        other["id"] != deploy["id"]
                            && self.pins_hold(other)
                            && (self.class(other) != Class::Good || seen_failed > 0)
                    });
                self.must(is_unhealthy || has_left, "it had succeeded");
            }
            Class::Open => self.must(seen_failed >= 2, "it was still open"),
            Class::Unknown => self.must(false, "nobody knows what it came to"),
        }
    }

    /// The time was up, or the server asked not to be asked again before it was.
    pub(super) fn timed_out(&mut self, reason: &str) {
        let asked = self.deciding().to_vec();
        let timeout = self.run.gate.timeout;
        let is_up = self.run.ended >= timeout;
        // A date has no fractions of a second.
        let fraction = Duration::from_secs(1);
        let beyond =
            asked.iter().any(|asked| asked.retry_after.is_some_and(|after| asked.until + after + fraction > timeout));
        self.must(is_up || beyond, format!("it was {:?} early", timeout.saturating_sub(self.run.ended)));
        let previous = self.before().unwrap_or("none");
        let looks = (0..asked.len()).filter(|index| !Self::is_beside(&asked, *index)).map(|index| &asked[index]);
        let looks = looks.filter(|asked| !asked.path.ends_with(previous));
        let last = looks.rev().find(|asked| about(asked) == About::Latest || about(asked) == About::Deploy);
        let at_the_end = asked.last().is_some_and(|last| last.at >= timeout || last.until >= timeout);
        self.must(at_the_end || beyond || asked.is_empty(), "the last look was not at the deadline");
        let Some(last) = last else { return };
        match (reason, document(last)) {
            ("unknown-status", _) => {
                let id = text(&self.run.report["targets"][0]["deploy"], "id");
                let told = asked
                    .iter()
                    .rev()
                    .filter_map(document)
                    .find(|seen| seen["status_v2"].is_object() && seen["id"] == id);
                self.must(told.is_some_and(|deploy| self.class(deploy) == Class::Unknown), "the status was known")
            }
            ("still-running" | "awaiting-approval", Some(deploy))
                if about(last) == About::Latest && self.pins_hold(deploy) =>
            {
                let waits_for_workflow = (self.run.gate.until == Some("workflow"))
                    || self
                        .run
                        .gate
                        .assertions
                        .iter()
                        .any(crate::simulated::assertions::Expression::looks_at_the_workflow);
                let may_be_open = self.run.gate.until != Some("applied") || self.policy() == "follow";
                let is_open = match self.class(deploy) {
                    Class::Bad => false,
                    Class::Good => waits_for_workflow || may_be_open,
                    _ => true,
                };
                self.must(is_open, format!("it was known to be {:?}", word(deploy)));
            }
            _ => {}
        }
    }

    pub(super) fn undecided(&mut self, reason: &str) {
        let asked = self.deciding();
        let refused = asked.iter().any(|asked| {
            asked.kind
                == Kind::Refused(match reason {
                    "unauthorized" => "unauthorized",
                    "forbidden" => "forbidden",
                    _ => "bad-answer",
                })
        });
        match reason {
            "never-appeared" => {
                let limit = self.run.gate.appear_timeout.min(self.run.gate.timeout);
                let last_latest = asked.iter().rev().find(|asked| about(asked) == About::Latest);
                let matched = asked
                    .iter()
                    .filter(|asked| matches!(about(asked), About::Latest | About::Deploy))
                    .filter_map(document)
                    .any(|deploy| self.pins_hold(deploy));
                let beyond =
                    asked.iter().any(|asked| asked.retry_after.is_some_and(|after| asked.until + after > limit));
                let workflow_ended =
                    asked.iter().filter(|asked| about(asked) == About::Workflow).filter_map(document).count() >= 2;
                let is_up = self.run.ended >= limit;
                let there = last_latest.is_some();
                // What may be older than the one before is not taken until that is known.
                let previous = self.before().unwrap_or("none");
                let mut asides = asked.iter().filter(|asked| asked.path.ends_with(previous));
                let is_unknown = asides.any(|asked| document(asked).is_none());
                self.must(!matched || is_unknown, "the deploy had appeared");
                self.must(there && (is_up || beyond || workflow_ended), format!("it gave up at {:?}", self.run.ended));
            }
            "not-found" => {
                let missing = asked
                    .iter()
                    .any(|asked| matches!(about(asked), About::Workflow | About::Steps) && asked.kind == Kind::Absent)
                    || asked.iter().filter_map(document).any(|deploy| workflow_of(deploy).is_empty());
                let before = asked.iter().filter(|asked| self.before().is_some_and(|id| asked.path.ends_with(id)));
                let gone = before.filter(|asked| matches!(asked.kind, Kind::Absent | Kind::Foreign)).count();
                let may = self.run.gate.until != Some("applied") && missing || gone >= 2;
                self.must(may, "nothing was missing");
            }
            "left-behind" | "unknown-status" => {
                let over = |workflow: &&Value| has_failed(workflow) || workflow["status"]["status"] == "success";
                let ended = asked.iter().filter(|asked| about(asked) == About::Workflow);
                let ended: Vec<&Asked> = ended.filter(|asked| document(asked).as_ref().is_some_and(over)).collect();
                let span = ended.first().map_or(Duration::ZERO, |first| self.run.ended - first.at);
                let id = text(&self.run.report["targets"][0]["deploy"], "id").to_owned();
                let last = asked.iter().rev().filter_map(document).find(|seen| seen["id"] == id.as_str());
                let class = last.map(|deploy| self.class(deploy));
                let is_fair = match reason {
                    "left-behind" => class == Some(Class::Open) && span >= Duration::from_secs(60),
                    _ => class == Some(Class::Unknown) && ended.len() >= 2,
                };
                self.must(is_fair, format!("it was {class:?}, and its workflow over for {span:?}"));
            }
            "engines-disagree" => {
                // One of them takes some values for ordered that have no order.
                let doubtful = self
                    .run
                    .gate
                    .assertions
                    .iter()
                    .any(crate::simulated::assertions::Expression::orders_what_has_no_order);
                self.must(doubtful, "no assertion is doubtful");
            }
            _ => self.must(refused, format!("no answer was {reason}")),
        }
    }

    pub(super) fn superseded(&mut self) {
        self.must(self.run.gate.on_superseded == Some("stop"), "it was not told to stop");
        let asked = self.deciding();
        let last = asked.iter().rev().find(|asked| about(asked) == About::Latest).and_then(document);
        let last = last.map(|deploy| text(deploy, "id").to_owned()).unwrap_or_default();
        let matched =
            asked.iter().filter_map(document).any(|deploy| self.pins_hold(deploy) && text(deploy, "id") != last);
        self.must(matched, "nothing was superseded");
    }

    pub(super) fn approval_required(&mut self) {
        let asks = |value: &Value| {
            let steps = value["steps"].as_array().or(value.as_array());
            let waits = |step: &Value| {
                step["status"]["status"] == "approval-awaiting" && step["approval"].get("response").is_none()
            };
            steps.is_some_and(|steps| steps.iter().any(waits))
        };
        let somebody = self.deciding().iter().rev().take(4).filter_map(document).any(asks);
        self.must(self.run.gate.stop_for_approval && somebody, "nobody had to act");
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
        self.must(self.run.ended <= at.max(Duration::ZERO) + Duration::from_secs(2), "it took its time");
    }

    /// An answer that decides is the last that is asked for, but for what explains it.
    pub(super) fn ends_at_the_first_look_that_decides(&mut self, ended: (u8, &str, &str)) {
        let asked = self.deciding();
        let looks_after =
            |index: usize| asked[index + 1..].iter().filter(|asked| about(asked) == About::Latest).count();
        let needs_workflow = (self.run.gate.until == Some("workflow"))
            || self.run.gate.assertions.iter().any(crate::simulated::assertions::Expression::looks_at_the_workflow);
        let mut late = None;
        // An answer that is older than one before comes from a replica that lags behind.
        let mut newest = String::new();
        let looks = asked.iter().enumerate().filter(|(_, asked)| about(asked) == About::Latest);
        for (index, look) in looks.filter(|(index, _)| !Self::is_beside(asked, *index)) {
            let created = document(look).map(|deploy| text(deploy, "created_at").to_owned()).unwrap_or_default();
            let was_older = created < newest;
            newest = newest.max(created);
            if let Some(deploy) = document(look) {
                // One that is finished by its id is not decided by another; nor is any before it is known whether it is
                // older than the one that was there before.
                let is_other = |mine: &Value| mine["id"] != deploy["id"] && workflow_of(mine) != workflow_of(deploy);
                let mut mine = asked[..index].iter().filter_map(document).filter(|mine| self.pins_hold(mine));
                let is_beside_mine = self.policy() == "finish" && mine.any(is_other);
                let previous = self.before().unwrap_or("none");
                let next = asked[index + 1..].iter().take_while(|asked| asked.path.ends_with(previous));
                if is_beside_mine || next.last().is_some_and(|last| document(last).is_none()) {
                    continue;
                }
            }
            let decides = match &look.kind {
                Kind::Refused(_) => true,
                Kind::Document(deploy) if self.pins_hold(deploy) && !was_older => match self.class(deploy) {
                    Class::Bad => true,
                    Class::Good => {
                        let rest = &asked[index + 1..];
                        let until = rest.iter().position(|asked| about(asked) == About::Latest).unwrap_or(rest.len());
                        let clean = |asked: &Asked| {
                            let is_workflow = matches!(about(asked), About::Workflow | About::Steps);
                            let may_be_absent = !is_workflow || self.run.gate.until == Some("applied");
                            asked.kind == Kind::Absent && may_be_absent
                                || document(asked)
                                    .is_some_and(|value| about(asked) != About::Deploy || word(value) == word(deploy))
                        };
                        let is_open = |asked: &Asked| match about(asked) {
                            About::Workflow => document(asked).is_some_and(|one| !is_verified(one, deploy)),
                            About::Steps => true,
                            About::Deploy => !asked.path.ends_with(text(deploy, "id")),
                            _ => false,
                        };
                        let is_open = self.run.gate.until != Some("applied") && rest[..until].iter().any(is_open)
                            || rest[..until].iter().any(|asked| about(asked) == About::Deploy && is_open(asked));
                        !needs_workflow && !is_open && rest[..until].iter().all(clean)
                    }
                    _ => false,
                },
                _ => false,
            };
            if decides && looks_after(index) > 0 {
                late = Some((look.at, look.path.clone()));
                break;
            }
        }
        let _ = ended;
        self.must(late.is_none(), format!("it was decided at {late:?}, and looked again"));
    }
}
