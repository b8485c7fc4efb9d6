//! What it may cost to evaluate a query on a document of this size. Pure.

use std::collections::BTreeSet;
use std::ops::Deref;

use serde_json::Value;

use super::syntax::{Expression, Query, Root, Segment, Selector};

/// How many nodes a query may have to hold at once: each takes some [`BYTES`] in the engines.
const WIDEST: f64 = 4e6;
const BYTES: f64 = 150.0;

/// Refuses what could take more memory than a CI runner has: each `..` after the first can select a node once for each
/// of its ancestors, and each further selector in a bracket can select it once more. One engine keeps the path of each.
/// The document is measured only for queries that can select more than one node.
pub fn check_cost(expression: &Expression, size: &impl Deref<Target = DocumentSize>) -> Result<(), String> {
    let width = |query: &Query| {
        if query.is_singular() {
            return 1.0;
        }
        let width: f64 = query.segments.iter().map(|segment| segment.selectors.len() as f64).product();
        let below = i32::try_from(query.segments.iter().filter(|segment| segment.is_below).count()).unwrap_or(i32::MAX);
        let paths = (size.paths as f64 / BYTES).max(size.nodes as f64);
        width * (size.depth as f64).powi((below - 1).max(0)) * paths
    };
    let queries = [Root::Document, Root::Node].into_iter().flat_map(|root| expression.queries_from(root));
    match queries.map(width).fold(0.0, f64::max) {
        width if width > WIDEST => Err(format!(
            "{} could select {width:.0} nodes of this document, or fewer with long paths, more than the {WIDEST:.0} that the gate makes room for",
            expression.text
        )),
        _ => Ok(()),
    }
}

/// What it may cost to look at all of a document, and where it cannot be compared.
#[derive(Default)]
pub struct DocumentSize {
    nodes: usize,
    depth: usize,
    /// Bytes of the paths of all nodes.
    paths: usize,
    /// The members whose values, or elements, are numbers that both engines compare inexactly.
    inexact: BTreeSet<String>,
}

impl DocumentSize {
    /// Measures a document.
    pub fn of(value: &Value) -> Self {
        let mut size = Self::default();
        size.add(value, "", 1, 1);
        size
    }

    /// Whether there is any number that cannot be compared.
    pub fn has_inexact(&self) -> bool {
        !self.inexact.is_empty()
    }

    /// Adds the node of this member, so deep and with so long a path.
    fn add(&mut self, value: &Value, member: &str, depth: usize, path: usize) {
        self.nodes += 1;
        self.depth = self.depth.max(depth);
        self.paths += path;
        match value {
            // `['` and `']`, or the digits of an index.
            Value::Array(elements) => {
                elements.iter().for_each(|element| self.add(element, member, depth + 1, path + 6))
            }
            Value::Object(members) => {
                members.iter().for_each(|(name, value)| self.add(value, name, depth + 1, path + name.len() + 4));
            }
            node if is_inexact(node) && !self.inexact.contains(member) => drop(self.inexact.insert(member.into())),
            _ => {}
        }
    }

    /// A member that these segments of a filter look at and that has a number which cannot be compared.
    pub fn inexact(&self, segments: &[Segment]) -> Option<&str> {
        let is_index = |segment: &&Segment| matches!(segment.only(), Some(Selector::Index(_)));
        match segments.iter().rev().find(|segment| !is_index(segment)).map(Segment::only) {
            Some(Some(Selector::Name(name))) => self.inexact.get(name).map(String::as_str),
            _ => self.inexact.first().map(String::as_str),
        }
    }
}

/// Whether a number is so large that a double cannot tell it from its neighbour.
pub fn is_inexact(node: &Value) -> bool {
    node.as_f64().is_some_and(|number| number.abs() >= 9_007_199_254_740_992.0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::judge::assertion::model::Assertion;

    #[test]
    fn a_query_is_as_wide_as_the_document_and_its_selectors_make_it() {
        let large = DocumentSize { nodes: 1_000_000, depth: 10, ..DocumentSize::default() };
        let long = DocumentSize { nodes: 1, depth: 1, paths: 150 * 5_000_000, ..DocumentSize::default() };
        let cases = [
            ("$.a[0].b", &large, ""),
            ("$..*", &large, ""),
            ("$.a[*,*,*,*]", &large, ""),
            ("$.a[*,*,*,*,*]", &large, "5000000 "),
            ("$..*..*", &large, "10000000 "),
            ("$..[*,*]..[*,*]", &large, "40000000 "),
            ("$.a[?@.b[*,*,*,*,*]]", &large, "5000000 "),
            ("$..*", &long, "5000000 "),
            ("$.a[0].b", &long, ""),
        ];
        for (text, extent, width) in cases {
            let assertion: Assertion = text.parse().unwrap_or_else(|error| panic!("{error}"));
            match check_cost(&assertion.expression, &extent) {
                Ok(()) => assert_eq!(width, "", "{text}"),
                Err(why) => assert!(!width.is_empty() && why.contains(&format!("select {width}")), "{text}: {why}"),
            }
        }
        let of = DocumentSize::of(&json!({"ab": [1, {"c": 9_007_199_254_740_993_i64}]}));
        assert_eq!((of.nodes, of.depth, of.paths), (5, 4, 1 + 7 + 13 + 13 + 18));
        assert_eq!(of.inexact, BTreeSet::from(["c".to_owned()]));
    }
}
