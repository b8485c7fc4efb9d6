//! What is judged: the deploy document, whole, without the parts that can hold secrets. Pure.

use serde_json::Value;

/// Members that can hold secrets. They are removed wherever they are, before anything looks at the document.
const SECRET: [&str; 3] = ["write_token", "plan_json", "composite_plan"];

/// A document that can be judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// A list with the document as its only element: the form in which the engines get it.
    root: Value,
}

impl Document {
    /// Reads a whole document.
    ///
    /// # Errors
    /// Why these bytes are not one.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(bytes).map_err(|error| format!("it is not whole JSON ({error})"))?;
        Self::new(value)
    }

    /// Takes a document.
    ///
    /// # Errors
    /// Why it is not one.
    pub fn new(mut value: Value) -> Result<Self, String> {
        if !value.is_object() {
            return Err("it is not a JSON object".into());
        }
        strip(&mut value);
        Ok(Self { root: Value::Array(vec![value]) })
    }

    /// Any JSON value as a document, for the compliance suite.
    pub fn any(value: Value) -> Self {
        Self { root: Value::Array(vec![value]) }
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

/// Removes the members that can hold secrets, at any depth.
pub fn strip(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !SECRET.contains(&name.as_str()));
            members.values_mut().for_each(strip);
        }
        Value::Array(elements) => elements.iter_mut().for_each(strip),
        _ => {}
    }
}

/// Whether a text that cannot be read as JSON mentions one of those members.
pub fn mentions_secret(text: &str) -> bool {
    SECRET.iter().any(|name| text.contains(name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_removed_at_any_depth() {
        let bytes = br#"{"log_stream":{"id":"log1","write_token":"s"},"runner_jobs":[{"plan_json":"s","id":"job1"}],"composite_plan":{}}"#;
        let document = Document::parse(bytes).expect("parses");
        assert_eq!(document.value(), &json!({"log_stream": {"id": "log1"}, "runner_jobs": [{"id": "job1"}]}));
    }

    #[test]
    fn only_a_whole_object_is_a_document() {
        for bad in ["", "[]", "1", "{", "{} {}", r#"{"a":1e400}"#, "\u{feff}{}"] {
            Document::parse(bad.as_bytes()).expect_err(bad);
        }
    }
}
