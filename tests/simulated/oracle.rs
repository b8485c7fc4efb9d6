//! What may come of a run, judged from what was asked and answered. Written from the promise, not from the gate: it
//! knows nothing of the gate's code but the words of its report.

use std::time::Duration;

use serde_json::Value;

use super::Run;
use super::assertions::{Truth, Unread};
use super::world::{Asked, Kind};
use deploy_gate::base::clock::Signal;

/// Every way a run can end here: exit code, outcome, reason.
pub const OUTCOMES: [(u8, &str, &str); 22] = [
    (0, "passed", ""),
    (1, "failed", "deploy-failed"),
    (1, "failed", "workflow-failed"),
    (1, "failed", "assertion-false"),
    (1, "failed", "assertion-vacuous"),
    (3, "undecided", "unauthorized"),
    (3, "undecided", "forbidden"),
    (3, "undecided", "not-found"),
    (3, "undecided", "never-appeared"),
    (3, "undecided", "bad-answer"),
    (3, "undecided", "engines-disagree"),
    (3, "undecided", "left-behind"),
    (3, "undecided", "unknown-status"),
    (4, "approval-required", ""),
    (5, "superseded", ""),
    (124, "timed-out", "still-running"),
    (124, "timed-out", "awaiting-approval"),
    (124, "timed-out", "unknown-status"),
    (124, "timed-out", "unreachable"),
    (129, "interrupted", ""),
    (130, "interrupted", ""),
    (143, "interrupted", ""),
];

/// Every kind of answer.
pub const KINDS: [&str; 18] = [
    "document",
    "absent",
    "foreign",
    "interrupted",
    "unauthorized",
    "forbidden",
    "bad-answer",
    "503",
    "reset",
    "name",
    "cut off",
    "html",
    "empty",
    "a list",
    "twice",
    "status is a list",
    "206",
    "retry-after",
];

/// The name of a kind, for counting.
pub fn kind_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Document(_) => "document",
        Kind::Absent => "absent",
        Kind::Foreign => "foreign",
        Kind::Interrupted => "interrupted",
        Kind::Refused(what) | Kind::Trouble(what) => what,
    }
}

/// What a status means: the table of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Good,
    Bad,
    /// Bad, but its workflow may retry it.
    Maybe,
    Parked,
    Open,
    Unknown,
}

/// What was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    Latest,
    Deploy,
    Workflow,
    Steps,
    /// What only explains: the dashboard, a log.
    Other,
}

fn about(asked: &Asked) -> About {
    match asked.path.split('?').next().unwrap_or_default() {
        path if path.ends_with("/deploys/latest") => About::Latest,
        path if path.contains("/deploys/") => About::Deploy,
        path if path.starts_with("/v1/workflows/") && path.ends_with("/steps") => About::Steps,
        path if path.starts_with("/v1/workflows/") => About::Workflow,
        _ => About::Other,
    }
}

fn document(asked: &Asked) -> Option<&Value> {
    match &asked.kind {
        Kind::Document(value) => Some(value),
        _ => None,
    }
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

fn word(deploy: &Value) -> &str {
    text(&deploy["status_v2"], "status")
}

fn workflow_of(deploy: &Value) -> &str {
    let names = ["install_workflow_id", "workflow_id"];
    names.iter().map(|name| text(deploy, name)).find(|id| !id.is_empty()).unwrap_or_default()
}

/// Every promise that the run broke.
pub fn violations(run: &Run) -> Vec<String> {
    let mut oracle = Oracle { run, baseline: None, wrong: Vec::new() };
    oracle.baseline = oracle.baseline();
    oracle.judge()
}

/// Every promise that a pass or a failure of one of many targets broke: what the others do is no matter here.
pub fn verdict_violations(run: &Run) -> Vec<String> {
    let mut oracle = Oracle { run, baseline: None, wrong: Vec::new() };
    oracle.baseline = oracle.baseline();
    match (text(&run.report, "outcome"), text(&run.report, "reason")) {
        ("passed", _) => oracle.passed(&[]),
        ("failed", reason @ ("assertion-false" | "assertion-vacuous")) => oracle.passed(&[reason]),
        ("failed", "workflow-failed") => oracle.workflow_failed(),
        ("failed", _) => oracle.deploy_failed(),
        _ => {}
    }
    oracle.wrong
}

struct Oracle<'r> {
    run: &'r Run,
    /// When the deploy that `--after` names was made, if any answer told.
    baseline: Option<String>,
    wrong: Vec<String>,
}

impl Oracle<'_> {
    fn must(&mut self, truth: bool, what: impl Into<String>) {
        if !truth {
            self.wrong.push(what.into());
        }
    }

    fn judge(mut self) -> Vec<String> {
        let report = &self.run.report;
        let ended = (self.run.code, text(report, "outcome"), text(report, "reason"));
        self.must(OUTCOMES.contains(&ended), format!("there is no such ending: {ended:?}"));
        self.reports_agree();
        self.time_is_kept();
        match (ended.1, ended.2) {
            ("passed", _) => self.passed(&[]),
            ("failed", "assertion-false" | "assertion-vacuous") => self.passed(&[ended.2]),
            ("failed", "workflow-failed") => self.workflow_failed(),
            ("failed", _) => self.deploy_failed(),
            ("timed-out", reason) => self.timed_out(reason),
            ("undecided", reason) => self.undecided(reason),
            ("superseded", _) => self.superseded(),
            ("approval-required", _) => self.approval_required(),
            _ => self.interrupted(),
        }
        self.ends_at_the_first_look_that_decides(ended);
        self.wrong
    }

    fn reports_agree(&mut self) {
        let run = self.run;
        let outcome = text(&run.report, "outcome").to_owned();
        self.must(run.report["exit_code"] == run.code, "the report has another exit code");
        self.must(run.report["targets"][0]["outcome"] == *outcome, "the target has another outcome");
        self.must(run.out.starts_with(&outcome), "the verdict begins with another outcome");
        self.must(run.out.contains(&format!("exit code {}\n", run.code)), "the verdict has another exit code");
        for (format, text) in &run.reports {
            let agrees = match *format {
                "junit" => {
                    text.contains(r#"failures="0" errors="0""#) == (run.code == 0) && text.ends_with("</testsuites>\n")
                }
                "markdown" => text.contains(&format!(" Deploy gate: {outcome}")),
                "github" => text.contains("outcome<<") && text.contains(&format!("\n{outcome}\n")),
                "dotenv" => text.contains(&format!("GATE_OUTCOME={outcome}\n")),
                "dir" => *text == outcome,
                _ => text.starts_with("{\"deploy-gate\":["),
            };
            self.must(agrees, format!("the report {format} tells another story"));
        }
    }

    /// The requests that decide: those that only explain come after all others.
    fn deciding(&self) -> &[Asked] {
        let asked = &self.run.transcript;
        let outcome = text(&self.run.report, "reason");
        let mut end = asked.len();
        while end > 0 && about(&asked[end - 1]) == About::Other {
            end -= 1;
        }
        if outcome == "deploy-failed" {
            // The deploy by its id and its workflow are asked for once more, for the reasons.
            while end > 0 && matches!(about(&asked[end - 1]), About::Workflow | About::Steps) && self.explains(end - 1)
            {
                end -= 1;
            }
        }
        &asked[..end]
    }

    fn explains(&self, index: usize) -> bool {
        // An explanation follows a look at the deploy by its id that nothing was waited for.
        let asked = &self.run.transcript;
        let before = asked[..index].iter().rev().find(|asked| !matches!(about(asked), About::Workflow | About::Steps));
        before.is_some_and(|before| about(before) == About::Deploy)
    }

    fn time_is_kept(&mut self) {
        let run = self.run;
        let (timeout, gate) = (run.gate.timeout, &run.gate);
        let slack = Duration::from_secs(2);
        let explaining = Duration::from_secs(20);
        self.must(run.ended <= timeout + slack + explaining, format!("it ended at {:?}", run.ended));
        let late = self
            .deciding()
            .iter()
            .find(|asked| asked.at > timeout + slack && about(asked) == About::Latest)
            .map(|asked| asked.at);
        self.must(late.is_none(), format!("a look after the deadline, at {late:?}"));
        let waits = run.ended.as_secs_f64() / (gate.interval.as_secs_f64() * 0.79);
        let most = 60.0 + 12.0 * waits;
        self.must(
            (run.transcript.len() as f64) < most,
            format!("{} requests are more than {most}", run.transcript.len()),
        );
        // Within a look the gate goes on; before the next look it waits.
        let mut floor = Duration::ZERO;
        let mut broken = None;
        for asked in self.deciding() {
            if about(asked) == About::Latest && asked.at < floor && broken.is_none() {
                broken = Some((asked.at, floor));
            }
            floor = floor.max(asked.retry_after.map_or(Duration::ZERO, |after| asked.until + after));
        }
        self.must(broken.is_none(), format!("Retry-After is not kept: {broken:?}"));
    }

    fn class(&self, deploy: &Value) -> Class {
        let word = word(deploy);
        if let Some((_, class)) = self.run.gate.overrides.iter().find(|(status, _)| *status == word) {
            return match *class {
                "success" => Class::Good,
                "failure" => {
                    if matches!(word, "error" | "noop") {
                        Class::Maybe
                    } else {
                        Class::Bad
                    }
                }
                _ => Class::Open,
            };
        }
        let is_teardown = deploy["install_deploy_type"] == "teardown";
        match (word, self.run.gate.teardown) {
            ("inactive", true) if is_teardown => Class::Good,
            ("active", true) => Class::Open,
            ("auto-skipped" | "no-drift", true) => {
                if is_teardown {
                    Class::Good
                } else {
                    Class::Open
                }
            }
            ("active" | "auto-skipped" | "no-drift", false) => {
                if is_teardown {
                    Class::Bad
                } else {
                    Class::Good
                }
            }
            ("error" | "noop", _) => Class::Maybe,
            (
                "cancelled" | "approval-denied" | "approval-expired" | "not-attempted" | "user-skipped"
                | "drift-detected" | "drifted" | "expired" | "inactive" | "health-failed",
                _,
            ) => Class::Bad,
            ("failed-pending-retry", _) => Class::Parked,
            ("unknown" | "warming-up", _) => Class::Unknown,
            _ => Class::Open,
        }
    }

    fn is_over(&self, deploy: &Value) -> bool {
        matches!(self.class(deploy), Class::Good | Class::Bad | Class::Maybe)
    }

    /// Whether a deploy is one that may be judged, given everything that was answered.
    fn may_be_judged(&self, deploy: &Value) -> bool {
        if self.pins_hold(deploy) {
            return true;
        }
        if self.was_there_before(deploy) {
            return false;
        }
        // Or it is a retry of one that was, in its workflow.
        let same_workflow = |seen: &Value| !workflow_of(seen).is_empty() && workflow_of(seen) == workflow_of(deploy);
        let mut seen = self.run.transcript.iter().filter_map(document);
        self.is_of_build_and_commit(deploy) && seen.any(|seen| self.pins_hold(seen) && same_workflow(seen))
    }

    /// What a newer deploy does.
    fn policy(&self) -> &str {
        let gate = &self.run.gate;
        let is_identified = gate.deploy.is_some() || gate.workflow.is_some();
        gate.on_superseded.unwrap_or(if is_identified { "finish" } else { "follow" })
    }

    fn is_of_build_and_commit(&self, deploy: &Value) -> bool {
        let gate = &self.run.gate;
        let commit = text(&deploy["component_build"]["vcs_connection_commit"], "sha");
        gate.build.as_ref().is_none_or(|build| build == text(deploy, "build_id"))
            && gate.commit.as_ref().is_none_or(|pin| commit.starts_with(pin.as_str()))
    }

    fn pins_hold(&self, deploy: &Value) -> bool {
        let gate = &self.run.gate;
        let is = |pin: &Option<String>, got: &str| pin.as_ref().is_none_or(|pin| pin == got);
        let id = text(deploy, "id");
        !id.is_empty()
            && (!gate.teardown || deploy["install_deploy_type"] == "teardown")
            && self.is_of_build_and_commit(deploy)
            && is(&gate.deploy, id)
            && is(&gate.workflow, workflow_of(deploy))
            && !self.was_there_before(deploy)
    }

    /// The id that `--after` names, if it names one.
    fn before(&self) -> Option<&str> {
        self.run.gate.after.as_deref().filter(|after| after.starts_with("dpl"))
    }

    /// Nothing shows that it is newer.
    fn was_there_before(&self, deploy: &Value) -> bool {
        let created = text(deploy, "created_at");
        match self.run.gate.after.as_deref() {
            None | Some("none") => false,
            Some(id) if id.starts_with("dpl") => self.baseline.as_ref().is_none_or(|before| before.as_str() >= created),
            Some(time) => created < time,
        }
    }

    fn baseline(&self) -> Option<String> {
        let looks = self.run.transcript.iter().filter(|asked| matches!(about(asked), About::Latest | About::Deploy));
        let before = looks.filter_map(document).find(|seen| Some(text(seen, "id")) == self.before());
        before.map(|seen| text(seen, "created_at").to_owned())
    }

    /// Whether a look at the latest only asks whether a deploy that is watched by its id goes on as another.
    fn is_beside(asked: &[Asked], index: usize) -> bool {
        index > 0 && {
            let (look, before) = (&asked[index], &asked[index - 1]);
            about(look) == About::Latest
                && about(before) == About::Deploy
                && document(before).is_some()
                && look.at == before.until
        }
    }

    /// The deploy that is meant after all that was seen at the latest, as far as one was: a newer one replaces
    /// the one before, unless that is finished.
    fn last_meant(&self) -> Option<&Value> {
        let asked = self.deciding();
        let looks = (0..asked.len()).filter(|index| about(&asked[*index]) == About::Latest);
        let mut mine: Option<&Value> = None;
        for deploy in looks.filter(|index| !Self::is_beside(asked, *index)).filter_map(|index| document(&asked[index]))
        {
            let is_newer = |mine: &Value| text(mine, "created_at") < text(deploy, "created_at");
            mine = match mine {
                Some(mine) if !is_newer(mine) || !self.may_be_judged(deploy) || self.policy() == "finish" => Some(mine),
                Some(_) => Some(deploy),
                None => Some(deploy).filter(|deploy| self.pins_hold(deploy)),
            };
        }
        mine
    }

    /// One that another took the place of is not judged, unless it is to be finished.
    fn is_not_superseded(&mut self, judged: &Value) {
        // One that is named can be found by its id after its time.
        let is_watched = self.run.gate.deploy.is_none() && self.before().is_none() && self.policy() != "finish";
        let wrong = self.last_meant().is_some_and(|meant| meant["id"] != judged["id"]);
        self.must(!is_watched || !wrong, "it was superseded");
    }

    /// The last parts that were read before the end: the look, the deploy by its id, the workflow. `None` for a part
    /// that was not asked for, an error for one that could not be read.
    fn parts(&self) -> Option<(Value, Option<Value>, Option<Result<Value, ()>>)> {
        let asked = self.deciding();
        let judged = text(&self.run.report["targets"][0]["deploy"], "id");
        let mut at = asked.len();
        // Those that were left for it are asked for at the end.
        let own = text(&self.run.report["targets"][0]["deploy"], "workflow_id");
        let is_of_another = |asked: &Asked| match about(asked) {
            About::Deploy => !asked.path.ends_with(judged),
            About::Workflow | About::Steps => own.is_empty() || !asked.path.contains(own),
            _ => false,
        };
        while at > 0 && is_of_another(&asked[at - 1]) {
            at -= 1;
        }
        let mut steps: Vec<Value> = Vec::new();
        let (mut steps_failed, mut steps_seen) = (false, false);
        while at > 0 && about(&asked[at - 1]) == About::Steps {
            at -= 1;
            steps_seen = true;
            match document(&asked[at]) {
                Some(Value::Array(page)) => steps.splice(0..0, page.iter().cloned()).for_each(drop),
                _ => steps_failed = true,
            }
        }
        let mut workflow = None;
        if at > 0 && about(&asked[at - 1]) == About::Workflow {
            at -= 1;
            workflow = Some(match document(&asked[at]) {
                Some(_) if steps_failed => Err(()),
                Some(value) => {
                    let mut value = value.clone();
                    if steps_seen {
                        value["steps"] = Value::Array(steps);
                    }
                    Ok(value)
                }
                None => Err(()),
            });
        }
        let mut detail = None;
        let mut is_there = false;
        // By the newer path, and by the older one where that knows nothing.
        if at > 0 && about(&asked[at - 1]) == About::Deploy {
            at -= 1;
            is_there = true;
            detail = document(&asked[at]).cloned();
            let is_older = !asked[at].path.contains("/components/");
            if is_older
                && at > 0
                && about(&asked[at - 1]) == About::Deploy
                && asked[at - 1].kind == Kind::Absent
                && asked[at - 1].path.contains("/components/")
            {
                at -= 1;
            }
        }
        // When the one before was made is found out before mine is taken.
        // Nor is the one that is named the one that is judged, if a newer one is followed.
        let named = self.run.gate.deploy.as_deref().filter(|named| *named != judged);
        let aside = [self.before(), named];
        let is_aside = |asked: &Asked| aside.iter().flatten().any(|id| asked.path.ends_with(*id));
        while at > 0 && about(&asked[at - 1]) == About::Deploy && is_aside(&asked[at - 1]) {
            at -= 1;
        }
        let look =
            asked[..at].last().filter(|look| is_there && matches!(about(look), About::Latest | About::Deploy))?;
        Some((document(look)?.clone(), detail, workflow))
    }

    /// A pass, or a failure by assertions alone: the promise.
    fn passed(&mut self, failed_by: &[&str]) {
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
            && gate.assertions.iter().any(super::assertions::Expression::looks_at_the_workflow);
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
    fn left_open(&self, judged: &Value) -> Option<String> {
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
    fn workflow_failed(&mut self) {
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
    fn deploy_failed(&mut self) {
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
    fn timed_out(&mut self, reason: &str) {
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
                    || self.run.gate.assertions.iter().any(super::assertions::Expression::looks_at_the_workflow);
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

    fn undecided(&mut self, reason: &str) {
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
                let ended: Vec<Duration> =
                    ended.filter(|asked| document(asked).as_ref().is_some_and(over)).map(|asked| asked.at).collect();
                let span = ended.last().zip(ended.first()).map_or(Duration::ZERO, |(last, first)| *last - *first);
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
                let doubtful =
                    self.run.gate.assertions.iter().any(super::assertions::Expression::orders_what_has_no_order);
                self.must(doubtful, "no assertion is doubtful");
            }
            _ => self.must(refused, format!("no answer was {reason}")),
        }
    }

    fn superseded(&mut self) {
        self.must(self.run.gate.on_superseded == Some("stop"), "it was not told to stop");
        let asked = self.deciding();
        let last = asked.iter().rev().find(|asked| about(asked) == About::Latest).and_then(document);
        let last = last.map(|deploy| text(deploy, "id").to_owned()).unwrap_or_default();
        let matched =
            asked.iter().filter_map(document).any(|deploy| self.pins_hold(deploy) && text(deploy, "id") != last);
        self.must(matched, "nothing was superseded");
    }

    fn approval_required(&mut self) {
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

    fn interrupted(&mut self) {
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
    fn ends_at_the_first_look_that_decides(&mut self, ended: (u8, &str, &str)) {
        let asked = self.deciding();
        let looks_after =
            |index: usize| asked[index + 1..].iter().filter(|asked| about(asked) == About::Latest).count();
        let needs_workflow = (self.run.gate.until == Some("workflow"))
            || self.run.gate.assertions.iter().any(super::assertions::Expression::looks_at_the_workflow);
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

/// Whether a workflow is over and not well, or parked.
fn has_failed(workflow: &Value) -> bool {
    match text(&workflow["status"], "status") {
        "cancelled" | "failed-pending-retry" => true,
        "error" => workflow["finished"] == true,
        _ => false,
    }
}

/// Whether nothing of a workflow still verifies a deploy, as far as its steps are there.
fn is_verified(workflow: &Value, deploy: &Value) -> bool {
    let steps = workflow["steps"].as_array().map(Vec::as_slice).unwrap_or_default();
    let word = |step: &Value| text(&step["status"], "status").to_owned();
    let own: Vec<&Value> = steps.iter().filter(|step| step["step_target_id"] == deploy["id"]).collect();
    let verifies = |step: &&Value| {
        let is_beside = || own.iter().any(|own| own["group_idx"].is_i64() && own["group_idx"] == step["group_idx"]);
        step["step_target_type"] == "install_components"
            && match text(step, "step_target_id") {
                "" => is_beside(),
                id => id == text(deploy, "install_component_id"),
            }
    };
    let all: Vec<String> = steps.iter().filter(verifies).map(word).collect();
    let metadata = &workflow["status"]["metadata"];
    let is_whole =
        workflow["finished"] == true || metadata["all_steps_loaded"] == true || metadata["eager_steps_loaded"] != true;
    let is_open = |word: &String| matches!(word.as_str(), "" | "pending" | "in-progress");
    let is_well = all.last().is_none_or(|last| matches!(last.as_str(), "success" | "auto-skipped"));
    is_whole && is_well && !all.iter().any(is_open)
}

/// The document as the contract says: gaps are filled, nothing is overwritten, and a plan is a plan if anything says so.
fn assemble(seen: Value, detail: Option<Value>, workflow: Option<Result<Value, ()>>) -> Value {
    let mut whole = seen;
    let is_plan = |value: &Value| value["plan_only"] == true;
    let planned = is_plan(&whole)
        || detail.as_ref().is_some_and(is_plan)
        || workflow.as_ref().is_some_and(|workflow| workflow.as_ref().is_ok_and(is_plan));
    for (name, value) in detail.as_ref().and_then(Value::as_object).into_iter().flatten() {
        if whole.get(name).is_none_or(|there| there == "") && value != "" {
            whole[name] = value.clone();
        }
    }
    match workflow {
        Some(Ok(workflow)) => whole["workflow"] = workflow,
        None | Some(Err(())) => {
            whole.as_object_mut().map(|members| members.remove("plan_only"));
        }
    }
    if planned {
        whole["plan_only"] = true.into();
    }
    whole
}
