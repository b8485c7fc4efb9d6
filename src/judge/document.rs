//! What is judged: the deploy document, whole, without the parts that can hold secrets. Pure.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::OnceLock;

use serde::Serialize;
use serde_json::Value;

use crate::base::object::Unambiguous;
use crate::judge::catalogue::{self, Subject, Type};
use crate::nuon::look::Whole;
use crate::text::sensitive::{SECRET, SENSITIVE, holds_sensitive, is_sensitive, mask, strip};

/// What a document is made of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Parts {
    /// One about a deploy.
    Deploy(DeployParts),
    /// One about a workflow.
    Workflow(WorkflowParts),
}

/// What a document about a workflow is made of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WorkflowParts {
    /// The workflow with all its steps.
    pub workflow: Whole,
    /// Every deploy of it, in the order of its steps; of those that were retried the newest.
    pub deploys: Vec<Whole>,
    /// The install.
    pub install: Whole,
}

/// What a document about a deploy is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct DeployParts {
    /// The answer that showed success.
    pub seen: Whole,
    /// Whether that was the latest deploy, or the deploy by its id.
    pub is_latest: bool,
    /// The deploy by its id, or why it could not be read.
    pub deploy: Option<Result<Whole, String>>,
    /// Its workflow, or why it could not be read; `None` if the deploy names none.
    pub workflow: Option<Result<Whole, String>>,
}

/// A document that can be judged.
#[derive(Debug, PartialEq)]
pub struct Document {
    /// A list with the document as its only element: the form in which the engines get it.
    root: Value,
    /// What each request gave.
    pub parts: Vec<Part>,
    /// The members that are absent since a request failed, and why; `None` stands for any other member.
    unread: Vec<(Option<&'static str>, String)>,
    /// What it is about.
    subject: Subject,
    /// Where the values are that are judged and never shown, once somebody asked.
    sensitive: OnceLock<BTreeSet<usize>>,
}

/// What a request gave to a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Which request.
    pub request: &'static str,
    /// The members that it filled in.
    pub filled: Vec<String>,
    /// Why it gave nothing, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Document {
    /// Reads a whole document.
    ///
    /// # Errors
    /// Why these bytes are not one.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let Unambiguous(value) =
            serde_json::from_slice(bytes).map_err(|error| format!("it is not whole JSON ({error})"))?;
        Self::of(value)
    }

    /// A deploy document that was read already.
    ///
    /// # Errors
    /// It is not a JSON object.
    pub fn of(mut value: Value) -> Result<Self, String> {
        if !value.is_object() {
            return Err("it is not a JSON object".into());
        }
        strip(&mut value);
        Ok(Self::any(value))
    }

    /// Any JSON value as a document.
    pub fn any(value: Value) -> Self {
        let (parts, unread, subject, sensitive) = Default::default();
        Self { root: Value::Array(vec![value]), parts, unread, subject, sensitive }
    }

    /// The same, as one about a workflow.
    pub fn about_workflow(self) -> Self {
        Self { subject: Subject::Workflow, ..self }
    }

    /// What the catalogue says of it.
    pub fn is(&self) -> Type {
        catalogue::document(self.subject)
    }

    /// Puts a document together.
    ///
    /// # Errors
    /// Why a part that it cannot be without is none.
    pub fn assemble(parts: Parts) -> Result<Self, String> {
        match parts {
            Parts::Deploy(parts) => Self::of_deploy(parts),
            Parts::Workflow(parts) => Self::of_workflow(parts),
        }
    }

    /// The workflow as it was seen, with its deploys and its install as members.
    fn of_workflow(parts: WorkflowParts) -> Result<Self, String> {
        let read = |part: Whole| part.read().map_err(|why| format!("it is not whole JSON ({why})"));
        let mut workflow = read(parts.workflow)?;
        let deploys = parts.deploys.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let members = workflow.as_object_mut().ok_or("it is not a JSON object")?;
        members.insert("deploys".into(), deploys.into());
        members.insert("install".into(), read(parts.install)?);
        let mut document = Self::of(workflow)?.about_workflow();
        for (request, filled) in [
            ("workflows/{id}", vec![]),
            ("deploys/{id}", vec!["deploys".into()]),
            ("installs/{id}", vec!["install".into()]),
        ] {
            document.parts.push(Part { request, filled, why: None });
        }
        Ok(document)
    }

    /// The deploy as it was seen, with what that leaves out filled in from the deploy by its id and from its workflow:
    /// what is absent or an empty string, nothing else. Except that `plan_only` is true if any of them says so, since
    /// the deploy's own is a constant false; and absent if the workflow, which knows, cannot be read.
    ///
    /// # Errors
    /// Why what was seen, or its workflow, is not a document.
    fn of_deploy(parts: DeployParts) -> Result<Self, String> {
        let seen = parts.seen.read().map_err(|why| format!("it is not whole JSON ({why})"))?;
        let mut document = Self::of(seen)?;
        let mut planned = is_plan(&document.root[0]);
        // What a deploy embeds of its workflow may be old, or a part.
        document.root[0].as_object_mut().map(|members| members.shift_remove("workflow"));
        let request = if parts.is_latest { "deploys/latest" } else { "deploys/{id}" };
        document.parts.push(Part { request, filled: Vec::new(), why: None });
        if let Some(deploy) = parts.deploy {
            let mut deploy = deploy.and_then(Whole::read);
            planned |= deploy.as_ref().is_ok_and(is_plan);
            if let Ok(Value::Object(members)) = &mut deploy {
                members.shift_remove("workflow");
            }
            document.fill("deploys/{id}", deploy, None);
        }
        let workflow = parts.workflow.unwrap_or(Err("the deploy names no workflow".into()));
        let workflow = workflow.map(Whole::read).map_or_else(|why| Ok(Err(why)), |read| read.map(Ok))?;
        planned |= workflow.as_ref().is_ok_and(is_plan);
        let whole = workflow.map(|workflow| Value::Object([("workflow".to_owned(), workflow)].into_iter().collect()));
        let why = whole.as_ref().err().cloned();
        document.fill("workflows/{id}", whole, Some("workflow"));
        if let (Some(why), Some(members)) = (why, document.root[0].as_object_mut()) {
            members.shift_remove("plan_only");
            document.unread.push((Some("plan_only"), why));
        }
        if let (true, Some(members)) = (planned, document.root[0].as_object_mut()) {
            members.insert("plan_only".into(), Value::Bool(true));
        }
        Ok(document)
    }

    fn fill(&mut self, request: &'static str, part: Result<Value, String>, member: Option<&'static str>) {
        let mut filled = Vec::new();
        let mut part = part;
        if let (Ok(Value::Object(from)), Some(members)) = (&mut part, self.root[0].as_object_mut()) {
            for (name, mut value) in std::mem::take(from) {
                let is_gap = members.get(&name).is_none_or(|there| there == "");
                if is_gap && value != "" && !SECRET.contains(&name.as_str()) {
                    strip(&mut value);
                    members.insert(name.clone(), value);
                    filled.push(name);
                }
            }
        }
        let why = part.err();
        self.unread.extend(why.clone().map(|why| (member, why)));
        self.parts.push(Part { request, filled, why });
    }

    /// Why a member of the document is absent, if that is since a request failed.
    pub fn why_absent(&self, member: &str) -> Option<&str> {
        let own = self.unread.iter().find(|(name, _)| *name == Some(member));
        own.or_else(|| self.unread.iter().find(|(name, _)| name.is_none())).map(|(_, why)| why.as_str())
    }

    /// Why something of the document could not be read, if so.
    pub fn why_incomplete(&self) -> Option<&str> {
        self.unread.first().map(|(_, why)| why.as_str())
    }

    /// Whether a value of this document stands in an object with `"sensitive": true`, as outputs of Terraform do.
    pub fn hides(&self, node: &Value) -> bool {
        let sensitive = self.sensitive.get_or_init(|| {
            let mut inside = BTreeSet::new();
            sensitive(&self.root, false, &mut inside);
            inside
        });
        sensitive.contains(&place(node))
    }

    /// A value of this document as JSON, as it may be shown.
    pub fn shown(&self, node: &Value) -> String {
        if self.hides(node) {
            return SENSITIVE.into();
        }
        let mut node = Cow::Borrowed(node);
        if holds_sensitive(&node) {
            mask(node.to_mut());
        }
        node.to_string()
    }

    /// The document as it may be shown.
    pub fn masked(&self) -> Value {
        let mut value = self.value().clone();
        mask(&mut value);
        value
    }

    /// The list of one that the engines get.
    pub fn root(&self) -> &Value {
        &self.root
    }

    /// The document itself.
    pub fn value(&self) -> &Value {
        &self.root[0]
    }
}

fn is_plan(value: &Value) -> bool {
    value["plan_only"] == true
}

/// Where a value is, as a document stays where it is.
fn place(node: &Value) -> usize {
    std::ptr::from_ref(node).addr()
}

/// Collects where values are that stand in an object that is marked as sensitive.
fn sensitive(value: &Value, is_inside: bool, all: &mut BTreeSet<usize>) {
    if is_inside {
        all.insert(place(value));
    }
    match value {
        Value::Object(members) => {
            let is_inside = is_inside || is_sensitive(members);
            for (_, value) in members.iter().filter(|(name, _)| *name != "sensitive") {
                sensitive(value, is_inside, all);
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| sensitive(element, is_inside, all)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::text::sensitive;

    #[test]
    fn secrets_are_removed_at_any_depth() {
        let bytes = br#"{"log_stream":{"id":"log1","write_token":"s"},"runner_jobs":[{"plan_json":"s","id":"job1"}],"composite_plan":{}}"#;
        let document = Document::parse(bytes).expect("parses");
        assert_eq!(document.value(), &json!({"log_stream": {"id": "log1"}, "runner_jobs": [{"id": "job1"}]}));
    }

    #[test]
    fn gaps_are_filled_and_nothing_is_overwritten() {
        let parts = |workflow| {
            Parts::Deploy(DeployParts {
            seen: br#"{"id":"dpl1","install_id":"","plan_only":false,"outputs":{},"status":"a"}"#.to_vec().into(),
            is_latest: true,
            deploy: Some(Ok(
                json!({"id": "dpl2", "install_id": "inl1", "plan_only": false, "outputs": {"x": 1}, "runner_jobs": [{"plan_json": 1}], "plan_json": "s"}).into(),
            )),
            workflow: Some(workflow),
        })
        };
        let document =
            Document::assemble(parts(Ok(json!({"id": "inw1", "plan_only": true}).into()))).expect("a document");
        assert_eq!(
            document.value(),
            &json!({"id": "dpl1", "install_id": "inl1", "plan_only": true, "outputs": {}, "status": "a", "runner_jobs": [{}], "workflow": {"id": "inw1", "plan_only": true}})
        );
        assert_eq!(document.parts[1].filled, ["install_id", "runner_jobs"]);
        let document = Document::assemble(parts(Err("403".into()))).expect("a document");
        assert_eq!(document.value().get("plan_only"), None);
        assert_eq!((document.why_absent("plan_only"), document.why_absent("id")), (Some("403"), None));
        let planned = Parts::Deploy(DeployParts {
            seen: br#"{"plan_only":true}"#.to_vec().into(),
            is_latest: true,
            deploy: Some(Err("500".into())),
            workflow: Some(Err("403".into())),
        });
        let document = Document::assemble(planned).expect("a document");
        assert_eq!(document.value(), &json!({"plan_only": true}));
        assert_eq!((document.why_absent("workflow"), document.why_absent("component_id")), (Some("403"), Some("500")));
    }

    #[test]
    fn what_is_marked_as_sensitive_is_not_shown() {
        let outputs = json!({"a": {"sensitive": true, "type": ["s"], "value": {"b": "pw"}}, "c": {"sensitive": false, "value": 1}});
        let document = Document::any(json!({"outputs": outputs, "d": [1]}));
        let at = |path: &str| document.value().pointer(path).expect("a value");
        let masked = json!({"a": {"sensitive": true, "type": SENSITIVE, "value": SENSITIVE}, "c": {"sensitive": false, "value": 1}});
        for (path, shown) in [
            ("/outputs/a/value", SENSITIVE.to_owned()),
            ("/outputs/a/value/b", SENSITIVE.to_owned()),
            ("/outputs/a/type/0", SENSITIVE.to_owned()),
            ("/outputs/a/sensitive", "true".to_owned()),
            ("/outputs/a", masked["a"].to_string()),
            ("/outputs", masked.to_string()),
            ("/outputs/c/value", "1".to_owned()),
            ("/d/0", "1".to_owned()),
        ] {
            assert_eq!(document.shown(at(path)), shown, "{path}");
        }
        assert!(!sensitive::is_masked(document.value()) && sensitive::is_masked(&masked));
    }

    #[test]
    fn only_a_whole_object_is_a_document() {
        for bad in ["", "[]", "1", "{", "{} {}", r#"{"a":1e400}"#, "\u{feff}{}", r#"{"a":1,"a":2}"#] {
            Document::parse(bad.as_bytes()).expect_err(bad);
        }
    }
}
