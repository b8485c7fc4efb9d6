//! What a JSON value may not show: members that can hold secrets, and what is marked as sensitive. Pure.

use serde_json::{Map, Value};

/// Members that can hold secrets. They are removed wherever they are, before anything looks at the document.
pub const SECRET: [&str; 3] = ["write_token", "plan_json", "composite_plan"];

/// What is shown in place of a value that is marked as sensitive.
pub const SENSITIVE: &str = "(sensitive)";

/// Whether an object is marked as sensitive.
pub fn is_sensitive(members: &Map<String, Value>) -> bool {
    members.get("sensitive") == Some(&Value::Bool(true))
}

/// Whether there is an object inside that is marked as sensitive.
pub fn holds_sensitive(value: &Value) -> bool {
    match value {
        Value::Object(members) => is_sensitive(members) || members.values().any(holds_sensitive),
        Value::Array(elements) => elements.iter().any(holds_sensitive),
        _ => false,
    }
}

/// Puts [`SENSITIVE`] in place of what stands in objects that are marked so.
pub fn mask(value: &mut Value) {
    match value {
        Value::Object(members) if is_sensitive(members) => {
            let others = members.iter_mut().filter(|(name, _)| *name != "sensitive");
            others.for_each(|(_, value)| *value = SENSITIVE.into());
        }
        Value::Object(members) => members.values_mut().for_each(mask),
        Value::Array(elements) => elements.iter_mut().for_each(mask),
        _ => {}
    }
}

/// Whether something inside was masked, so that nothing can be said about it.
pub fn is_masked(value: &Value) -> bool {
    match value {
        Value::Object(members) => {
            is_sensitive(members) && members.values().any(|value| value == SENSITIVE) || members.values().any(is_masked)
        }
        Value::Array(elements) => elements.iter().any(is_masked),
        _ => false,
    }
}

/// Removes the members that can hold secrets, at any depth.
pub fn strip(value: &mut Value) {
    match value {
        Value::Object(members) => {
            let is_secret = |name: &String| SECRET.contains(&name.as_str());
            // Hardly ever there is one.
            if members.keys().any(is_secret) {
                members.retain(|name, _| !is_secret(name));
            }
            members.values_mut().for_each(strip);
        }
        Value::Array(elements) => elements.iter_mut().for_each(strip),
        _ => {}
    }
}

/// Drops every text that mentions one of those members, for what is only kept: an answer can be quoted within another.
pub fn redact(value: &mut Value) {
    match value {
        Value::Object(members) => members.values_mut().for_each(redact),
        Value::Array(elements) => elements.iter_mut().for_each(redact),
        Value::String(text) if mentions_secret(text) => text.clear(),
        _ => {}
    }
}

/// Whether a text, which cannot be rid of them, mentions one of those members.
pub fn mentions_secret(text: &str) -> bool {
    SECRET.iter().any(|name| text.contains(name))
}
