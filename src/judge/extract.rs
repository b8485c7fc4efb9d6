//! `--extract NAME=QUERY`: values of the document as outputs for later steps. Pure.

use std::cell::LazyCell;
use std::ops::Deref;
use std::sync::Arc;

use serde_json::Value;

use crate::judge::assertion::{Assertion, DocumentSize, Evaluation, check_cost};
use crate::judge::catalogue::Subject;
use crate::judge::document::Document;

/// How many bytes an output carries: GitHub takes 1 MB for all outputs of a job.
const LARGEST: usize = 64 << 10;

/// One output that the user wants.
#[derive(Clone, Debug, PartialEq)]
pub struct Extract {
    /// Name of the output.
    pub name: String,
    query: Assertion,
}

impl std::str::FromStr for Extract {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = "it should be NAME=QUERY, like image=$.oci_artifact.tag, with a name of letters, digits, _ and - that does not begin with a digit or -";
        let (name, query) = text.split_once('=').ok_or(wanted)?;
        let (name, query) = (name.trim(), query.trim());
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        if !is_name {
            return Err(format!("\"{name}\" is not a name; {wanted}"));
        }
        let query = Assertion::query(query).map_err(|why| format!("{why}; {wanted}"))?;
        Ok(Self { name: name.into(), query })
    }
}

impl Extract {
    /// The same of a document of another kind.
    pub fn about(self, subject: Subject) -> Self {
        Self { query: self.query.about(subject), ..self }
    }

    /// What it selects.
    pub fn query(&self) -> &Assertion {
        &self.query
    }

    /// One value as itself, a string bare and anything else as JSON; several as a JSON array; none as nothing.
    ///
    /// # Errors
    /// Why there is no value: the query selects nothing or too much, or the engines disagree.
    pub fn value(&self, document: &Document, size: &impl Deref<Target = DocumentSize>) -> Result<String, String> {
        check_cost(&self.query.expression, size)?;
        let selected = self.query.select(document)?;
        let selected = selected.first_key_value().map(|(_, nodes)| nodes.as_slice()).unwrap_or_default();
        // One that holds something sensitive differs from what may be shown of it.
        if selected.iter().any(|node| document.hides(node) || document.shown(node) != node.to_string()) {
            return Err(format!("{} is marked as sensitive", self.query.expression.text));
        }
        let value = match selected {
            [] => return Err(format!("{} selects nothing", self.query.expression.text)),
            [Value::String(text)] => text.clone(),
            [value] => value.to_string(),
            values => Value::Array(values.iter().copied().cloned().collect()).to_string(),
        };
        // Half a value would be worse than none.
        match value.len() {
            ..=LARGEST => Ok(value),
            bytes => Err(format!("it is {bytes} bytes long, and an output carries at most {LARGEST}")),
        }
    }
}

/// Starts to look for the value of each.
pub fn start(extracts: &Arc<[Extract]>, document: &Arc<Document>) -> Evaluation<Vec<Result<String, String>>> {
    let (extracts, document) = (Arc::clone(extracts), Arc::clone(document));
    Evaluation::of(extracts.is_empty(), move || {
        let size = LazyCell::new(|| DocumentSize::of(document.value()));
        Ok(extracts.iter().map(|extract| extract.value(&document, &size)).collect())
    })
}

/// Whether the names can all be outputs: GitHub does not tell upper from lower case.
///
/// # Errors
/// The first that clashes.
pub fn names(extracts: &[Extract], taken: &[&str]) -> Result<(), String> {
    for (index, extract) in extracts.iter().enumerate() {
        let others = extracts[..index].iter().map(|other| other.name.as_str()).chain(taken.iter().copied());
        if others.into_iter().any(|other| other.eq_ignore_ascii_case(&extract.name)) {
            return Err(format!(
                "--extract (DEPLOY_GATE_EXTRACT) {}: there is another output of that name",
                extract.name
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values() {
        let document = Document::any(json!({"s": "a b", "n": 1, "l": ["x", 2], "o": {"k": null}}));
        for (query, want) in [
            ("$.s", "a b"),
            ("$.n", "1"),
            ("$.l[*]", "[\"x\",2]"),
            ("@.l[0]", "x"),
            ("$.o", "{\"k\":null}"),
            ("$.o.k", "null"),
        ] {
            let extract: Extract = format!("x={query}").parse().expect(query);
            assert_eq!(extract.value(&document, &&DocumentSize::default()).as_deref(), Ok(want), "{query}");
        }
        let none: Extract = "x=$.gone".parse().expect("parses");
        assert_eq!(none.value(&document, &&DocumentSize::default()), Err("$.gone selects nothing".into()));
        let large = Document::any(json!({"s": "x".repeat(1 << 20)}));
        let error = "x=$.s"
            .parse::<Extract>()
            .expect("parses")
            .value(&large, &&DocumentSize::default())
            .expect_err("too large");
        assert!(error.contains("1048576 bytes"), "{error}");
    }

    #[test]
    fn names_and_queries_are_checked() {
        for bad in ["x", "1x=$.a", "a b=$.a", "=$.a", "x=$.a == 1", "x=a", "x="] {
            bad.parse::<Extract>().expect_err(bad);
        }
        let extracts: Vec<Extract> = ["Tag=$.a", "tag=$.b"].iter().map(|text| text.parse().expect("parses")).collect();
        names(&extracts, &[]).expect_err("they differ by case only");
        names(&extracts[..1], &["TAG"]).expect_err("it is taken");
        names(&extracts[..1], &["outcome"]).expect("it is free");
    }
}
