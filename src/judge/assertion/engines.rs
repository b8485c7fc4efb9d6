//! The two JSONPath engines, which must agree. Pure.
//!
//! `jsonpath-rust` answers 9 of the 703 cases of the RFC 9535 compliance suite wrongly, some by selecting nothing in
//! silence, which would be a false green. `serde_json_path` passes them all, but is one engine. So a query must be
//! accepted by both, and both must select the very same nodes.

use jsonpath_rust::parser::model::JpQuery;
use jsonpath_rust::parser::parse_json_path;
use jsonpath_rust::query::js_path_process;
use serde_json::Value;
use serde_json_path::JsonPath;

/// A query that both engines have accepted.
#[derive(Clone, Debug)]
pub struct Compiled {
    text: String,
    first: JpQuery,
    second: JsonPath,
}

/// A query that one of them does not accept.
#[derive(Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Which engine, and its words.
    pub why: String,
}

impl Compiled {
    /// Lets both engines read a query.
    ///
    /// # Errors
    /// The first rejection.
    pub fn new(text: &str) -> Result<Self, Rejected> {
        let second =
            JsonPath::parse(text).map_err(|error| Rejected { why: format!("serde_json_path: {}", error.message()) })?;
        let first = parse_json_path(text).map_err(|error| Rejected {
            why: format!(
                "jsonpath-rust: {}",
                error.to_string().lines().last().unwrap_or_default().trim_start_matches([' ', '='])
            ),
        })?;
        Ok(Self { text: text.into(), first, second })
    }

    /// The nodes that the query selects, in the order of `serde_json_path`.
    ///
    /// # Errors
    /// How the engines disagree, with the nodes as `show` shows them.
    pub fn select<'d>(&self, root: &'d Value, show: impl Fn(&[&Value]) -> String) -> Result<Vec<&'d Value>, String> {
        let second = self.second.query(root).all();
        let first: Vec<&Value> = js_path_process(&self.first, root)
            .map_err(|error| format!("jsonpath-rust cannot answer {}: {error}", self.text))?
            .into_iter()
            .map(jsonpath_rust::query::QueryRef::val)
            .collect();
        // Only the order may differ: the suite shows that it does.
        let sorted = |nodes: &[&Value]| {
            let mut nodes: Vec<*const Value> = nodes.iter().map(|node| std::ptr::from_ref(*node)).collect();
            nodes.sort_unstable();
            nodes
        };
        if sorted(&first) == sorted(&second) {
            return Ok(second);
        }
        Err(format!("jsonpath-rust selects {}, serde_json_path selects {}", show(&first), show(&second)))
    }
}
