//! What the server answers at a moment: the truth, in the shapes of its generation.

use std::rc::Rc;

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::assertions::literal;
use super::generation::Generation;
use super::world::*;

/// What is there at a path.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Document(Rc<Value>),
    /// A page of a list, and whether there are more.
    Page(Rc<Value>, bool),
    /// The API says that there is no such thing.
    Absent,
    /// The token may not read it.
    Forbidden,
    /// There is no such path.
    NoRoute,
}

impl World {
    /// What the server has at a moment.
    pub fn answer(&self, path: &str, at: Time) -> Answer {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let then = self.moment(at);
        if let Some(rest) = path.strip_prefix("/v1/workflows/") {
            return self.workflow_answer(rest, query, then);
        }
        let Some(rest) = path.strip_prefix(&format!("/v1/installs/{INSTALL}")) else { return Answer::NoRoute };
        let deploys = rest.strip_prefix(&format!("/components/{COMPONENT}/deploys"));
        // Of some that are forgotten, the deploys are not there any more, either.
        if !rest.is_empty() && self.gone.is_some_and(|gone| at >= gone && gone % 2 == 0) {
            return Answer::Absent;
        }
        match (rest, deploys) {
            ("", _) => self.install_answer(at),
            (_, Some("")) => self.list_answer(query, then),
            (_, Some("/latest")) => self.latest_answer(then),
            (_, Some(id)) if self.has_component_route => {
                let own = |deploy: &&Deploy| !deploy.is_other;
                self.deploy_answer(id.trim_start_matches('/'), then, own)
            }
            (_, Some(_)) => Answer::NoRoute,
            _ => match rest.strip_prefix("/deploys/") {
                Some(id) => self.deploy_answer(id, then, |_| true),
                None => Answer::NoRoute,
            },
        }
    }

    fn install_answer(&self, at: Time) -> Answer {
        if self.rights == Rights::OtherOrganisation || self.gone.is_some_and(|gone| at >= gone) {
            return Answer::Absent;
        }
        Answer::Document(Rc::new(json!({"id": INSTALL, "name": "one", "created_at": stamp(-99_000_000)})))
    }

    fn latest_answer(&self, then: Time) -> Answer {
        match self.latest(then) {
            Some(deploy) => Answer::Document(self.deploy_document(deploy, then, false)),
            None if self.zero_document => Answer::Document(Rc::new(json!({"install_id": "", "plan_only": false}))),
            None => Answer::Absent,
        }
    }

    fn deploy_answer(&self, id: &str, then: Time, whose: impl Fn(&&Deploy) -> bool) -> Answer {
        let deploy = self.deploy(id).filter(|deploy| deploy.created <= then).filter(whose);
        deploy.map_or(Answer::Absent, |deploy| Answer::Document(self.deploy_document(deploy, then, true)))
    }

    fn list_answer(&self, query: &str, then: Time) -> Answer {
        let all: Vec<&Deploy> = self.listed(then).collect();
        let (page, has_more) = page(&all, query);
        let page: Vec<Value> =
            page.iter().map(|deploy| Value::clone(&self.deploy_document(deploy, then, false))).collect();
        Answer::Page(Rc::new(page.into()), has_more)
    }

    fn workflow_answer(&self, rest: &str, query: &str, then: Time) -> Answer {
        match self.rights {
            Rights::All => {}
            Rights::NoWorkflows => return Answer::Forbidden,
            Rights::OtherOrganisation => return Answer::Absent,
        }
        let (id, wants_steps) = rest.strip_suffix("/steps").map_or((rest, false), |id| (id, true));
        let Some(number) = self.flow(id).filter(|number| self.flows[*number].created <= then) else {
            return Answer::Absent;
        };
        if !wants_steps {
            return Answer::Document(self.flow_document(number, then));
        }
        let steps = self.flows[number].steps_at(then, self.generation);
        let (page, has_more) = page(&steps, query);
        Answer::Page(Rc::new(page.to_vec().into()), has_more)
    }

    /// The document of a workflow, made once for each of its states.
    fn flow_document(&self, number: usize, then: Time) -> Rc<Value> {
        let flow = &self.flows[number];
        let version = flow.version(then);
        let make = || Rc::new(self.made_flow(flow, then));
        Rc::clone(self.answers.borrow_mut().entry((number, version)).or_insert_with(make))
    }

    fn made_flow(&self, flow: &Flow, then: Time) -> Value {
        let mut document = json!({
            "id": flow.id,
            "owner_id": INSTALL,
            "owner_type": "installs",
            "type": "manual_deploy",
            "plan_only": flow.what == super::pipeline::What::Plan,
            "approval_option": if flow.approve_all { "approve-all" } else { "prompt" },
            "created_at": stamp(flow.created),
        });
        let Some(head) = holds(&flow.heads, then) else { return document };
        let changed = flow.heads.iter().rev().map(|(from, _)| *from).find(|from| *from <= then);
        document["updated_at"] = stamp(changed.unwrap_or(flow.created)).into();
        document["status"] = status(head.word, head.description, &head.metadata);
        if head.finished {
            document["finished"] = true.into();
        }
        if self.embeds_steps {
            document["steps"] = flow.steps_at(then, self.generation).into();
        }
        document
    }

    /// The document of a deploy: in lists, much of it is not there.
    fn deploy_document(&self, deploy: &Deploy, then: Time, is_whole: bool) -> Rc<Value> {
        let number = self.deploys.iter().position(|other| other.id == deploy.id).unwrap_or_default();
        let words = deploy.words.iter().take_while(|(from, ..)| *from <= then).count();
        let key = (1000 + number, words * 2 + usize::from(is_whole));
        let make = || Rc::new(self.made_deploy(deploy, words, is_whole));
        Rc::clone(self.answers.borrow_mut().entry(key).or_insert_with(make))
    }

    fn made_deploy(&self, deploy: &Deploy, words: usize, is_whole: bool) -> Value {
        let (at, word, description) = deploy.words[words.max(1) - 1];
        let mut document = json!({
            "id": deploy.id,
            "install_id": if is_whole { INSTALL } else { "" },
            "install_component_id": if deploy.is_other { OTHER_INSTALL_COMPONENT } else { INSTALL_COMPONENT },
            "build_id": deploy.build,
            "install_deploy_type": deploy.kind,
            "install_workflow_id": self.flows[deploy.flow].id,
            "plan_only": false,
            "status": if word.is_empty() { "queued" } else { word },
            "outputs": self.outputs,
            "created_at": stamp(deploy.created),
            "updated_at": stamp(at),
            "component_build": {"id": deploy.build, "vcs_connection_commit": {"sha": deploy.commit}},
        });
        if self.generation.is_2026() {
            document["workflow_id"] = document["install_workflow_id"].clone();
        }
        if !word.is_empty() {
            document["status_v2"] = status(word, description, &[]);
            document["status_v2"]["history"] = history(&deploy.words[..words - 1]);
        }
        if is_whole {
            document["component_name"] = if deploy.is_other { "db" } else { "api" }.into();
            document["component_id"] = if deploy.is_other { OTHER_COMPONENT } else { COMPONENT }.into();
            document["component_config_version"] = 2.into();
            document["runner_jobs"] = json!([]);
            document["component_build"]["component_config_connection"] = json!({"type": self.component_type});
            if self.generation.is_2026() {
                document["oci_artifact"] = json!({"tag": "v1"});
            }
            if self.generation == Generation::Head {
                document["brand_new"] = "v1".into();
            }
        }
        document
    }
}

impl Flow {
    /// Which of its states holds, as a number.
    fn version(&self, then: Time) -> usize {
        let heads = self.heads.iter().take_while(|(from, _)| *from <= then).count();
        let steps = self.steps.iter().map(|step| step.states.iter().take_while(|(from, _)| *from <= then).count());
        (heads + steps.sum::<usize>()) * 2 + usize::from(self.is_hidden(then))
    }

    fn is_hidden(&self, then: Time) -> bool {
        self.hidden.0 <= then && then < self.hidden.1
    }

    /// Its steps, in order.
    pub fn steps_at(&self, then: Time, generation: Generation) -> Vec<Value> {
        if self.is_hidden(then) {
            return Vec::new();
        }
        let mut steps: Vec<(usize, &Step)> = self.steps.iter().enumerate().collect();
        steps.retain(|(_, step)| step.created <= then);
        steps.sort_by_key(|(_, step)| (step.group, step.retry, step.idx));
        steps.into_iter().map(|(number, step)| step.document(number, then, generation)).collect()
    }
}

impl Step {
    fn document(&self, number: usize, then: Time, generation: Generation) -> Value {
        let state = holds(&self.states, then).cloned().unwrap_or_default();
        // Servers of 2025 write what a step is about once it has begun, and never for one that does not.
        let has_no_target = matches!(self.target_type, "runners" | "install_action_workflow_runs");
        let is_begun = has_no_target && state.word != "pending" || !state.target.is_empty() || self.retry > 0;
        let target_type = if generation.is_2026() || is_begun { self.target_type } else { "" };
        let mut document = json!({
            "id": id("iws", number + 1),
            "name": self.name,
            "group_idx": self.group,
            "group_retry_idx": self.retry,
            "step_target_type": target_type,
            "status": status(state.word, "", &state.metadata),
        });
        if !generation.is_2026() {
            let (name, text) = match state.word {
                "error" => ("err_message", "unable to execute deploy (type: withStack, retryable: true)"),
                _ => ("reason", "as it was told"),
            };
            document["status"]["metadata"][name] = text.into();
        }
        let mut say = |name: &str, value: Value| document[name] = value;
        if self.idx > 0 {
            say("idx", self.idx.into());
        }
        if !state.target.is_empty() {
            say("step_target_id", state.target.into());
        }
        if !state.directive.is_empty() {
            say("result_directive", state.directive.into());
        }
        if state.retried {
            say("retried", true.into());
        }
        match state.approval {
            Approval::None => {}
            Approval::Open => say("approval", json!({"id": "waa1", "type": "helm_approval"})),
            Approval::Answered(answer) => {
                say("approval", json!({"id": "waa1", "type": "helm_approval", "response": {"type": answer}}))
            }
        }
        document
    }
}

/// What deploys put out: often nothing, else some of these. Lists may be empty, or of things that are unlike.
pub fn outputs(dice: &mut Rng) -> Value {
    let mut outputs = Map::new();
    if dice.bool() {
        return outputs.into();
    }
    let mut say = |name: &str, value: Value, dice: &mut Rng| {
        if dice.u8(0..4) > 0 {
            outputs.insert(name.into(), value);
        }
    };
    let value = |dice: &mut Rng| match dice.u8(0..6) {
        0 => json!({"kind": "api"}),
        1 => json!([1]),
        _ => literal(dice),
    };
    let part = |dice: &mut Rng| {
        let members = ["kind", "size"].map(|name| (name.to_owned(), literal(dice)));
        members.into_iter().skip(dice.usize(0..3)).collect()
    };
    let some = |make: &dyn Fn(&mut Rng) -> Value, dice: &mut Rng| (0..dice.u8(0..4)).map(|_| make(dice)).collect();
    say("url", literal(dice), dice);
    say("count", dice.i64(0..3).into(), dice);
    say("mixed", some(&value, dice), dice);
    say("parts", some(&part, dice), dice);
    outputs.into()
}

/// The last words before the one that holds, behind the empty one that each begins with.
fn history(words: &[(Time, &'static str, &'static str)]) -> Value {
    let last = words.iter().rev().take(3).rev().filter(|(_, word, _)| !word.is_empty());
    std::iter::once(json!({})).chain(last.map(|(_, word, _)| json!({"status": word}))).collect()
}

fn status(word: &str, description: &str, metadata: &[(&'static str, Value)]) -> Value {
    let mut status = Map::from_iter([("status".to_owned(), Value::from(word))]);
    if !description.is_empty() {
        status.insert("status_human_description".into(), description.into());
    }
    if !metadata.is_empty() {
        let metadata: Map<String, Value> =
            metadata.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        status.insert("metadata".into(), metadata.into());
    }
    status.into()
}

/// The part of a list that a query asks for.
fn page<'l, T>(all: &'l [T], query: &str) -> (&'l [T], bool) {
    let number = |name: &str| {
        let parts = query.split('&').filter_map(|part| part.split_once('='));
        parts.filter(|(other, _)| *other == name).find_map(|(_, value)| value.parse::<usize>().ok())
    };
    let limit = number("limit").unwrap_or(10).clamp(1, 100);
    let skipped = number("offset").unwrap_or_else(|| number("page").unwrap_or(0) * limit).min(all.len());
    let end = (skipped + limit).min(all.len());
    (&all[skipped..end], end < all.len())
}
