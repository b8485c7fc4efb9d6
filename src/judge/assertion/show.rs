//! What a query selected and what an assertion came to, for people. Pure.

use serde_json::Value;

use super::check::{Check, Found};
use super::presets;
use super::truth::Truth;
use crate::judge::document::Document;
use crate::text::format;

/// How many of the selected values are shown, and how many characters of each.
pub const SHOWN: (usize, usize) = (5, 200);

/// So many bytes of JSON are no wall.
const BRIEF: usize = 60;

/// Values as they are shown in one line.
pub fn show(nodes: &[&Value], document: &Document) -> String {
    let shown: Vec<String> =
        nodes.iter().take(SHOWN.0).map(|node| format::cut(&document.shown(node), SHOWN.1)).collect();
    match nodes.len() {
        0 => "nothing".into(),
        count if count > SHOWN.0 => format!("{count}: {}, …", shown.join(", ")),
        count => format!("{count}: {}", shown.join(", ")),
    }
}

/// A value for people.
pub fn brief(node: &Value, document: &Document) -> String {
    let members = match node {
        Value::Object(members) if !document.hides(node) => members,
        Value::Array(elements) if !document.hides(node) && document.shown(node).len() > BRIEF => {
            return format!("a list of {}", elements.len());
        }
        _ => return document.shown(node),
    };
    let shown = document.shown(node);
    if shown.len() <= BRIEF {
        return shown;
    }
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let status = |name: &str| members.get(name).and_then(|status| status.get("status").unwrap_or(status).as_str());
    let name = text("name").or_else(|| text("label")).or_else(|| text("id"));
    let names = || members.keys().take(SHOWN.0).map(String::as_str).collect::<Vec<_>>().join(", ");
    match (name, status("status_v2").or_else(|| status("status"))) {
        (Some(name), Some(status)) => format!("{name:?} ({status})"),
        (Some(name), None) => format!("{name:?}"),
        (None, _) => format!("an object with {}", names()),
    }
}

impl Check {
    /// Its label and its text; of a preset only the name, whose text can be looked up.
    pub fn title(&self) -> String {
        match presets::of(self) {
            Some(preset) => preset.name.into(),
            None if self.label.is_empty() => self.expression.clone(),
            None => format!("{}: {}", self.label, self.expression),
        }
    }

    /// What came of it, in a sentence without its name.
    pub fn told(&self) -> String {
        match self.outcome {
            Truth::NotEvaluated => "was not evaluated".into(),
            Truth::Vacuous => {
                let mut why: Vec<String> = self.decisive().into_iter().map(Found::told).collect();
                why.dedup();
                format!("checked nothing: {}", why.join("; "))
            }
            Truth::True | Truth::False => match presets::of(self) {
                Some(preset) => (preset.told)(self),
                None if self.outcome == Truth::True => "is true".into(),
                None => {
                    let saw: Vec<String> = self.decisive().into_iter().map(Found::told).collect();
                    format!("is false: {}", saw.join("; "))
                }
            },
        }
    }
}

impl Found {
    /// What it selected or why it did not land, in a sentence.
    pub fn told(&self) -> String {
        match &self.missing {
            Some(missing) => missing.why.clone(),
            None if self.selected == 0 => format!("{} selects nothing", self.query),
            None => format!("{} is {}", self.query, self.shown()),
        }
    }

    /// What it selected, in one line.
    pub fn shown(&self) -> String {
        match self.selected {
            0 => "nothing".into(),
            count if count > self.brief.len() => format!("{count} values: {}, …", self.brief.join(", ")),
            1 => self.brief.join(", "),
            count => format!("{count} values: {}", self.brief.join(", ")),
        }
    }
}
