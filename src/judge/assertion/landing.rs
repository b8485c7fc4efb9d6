//! Whether a query landed: what it begins with must be there, or the assertion checked nothing. Pure.

use serde_json::Value;

use super::check::Missing;
use super::kind;
use super::show::SHOWN;
use super::syntax::{Expression, Query, Segment, Selector, child, path};
use super::types::{Knowledge, Types};
use crate::judge::document::Document;
use crate::text::format;
use crate::text::sensitive::{SENSITIVE, is_masked};

/// What is needed to say whether the queries of an expression landed.
#[derive(Clone, Copy)]
pub struct Landing<'a> {
    /// Whose queries.
    pub expression: &'a Expression,
    /// What the catalogue says of it.
    pub types: &'a Types,
    /// What it is put to.
    pub document: &'a Document,
}

/// How much of a query has to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// All that it begins with.
    All,
    /// All but the last name: whether that is there is the question.
    AllButTheLast,
}

/// A query by itself only asks whether something is there, which `false` is too.
pub fn only_there(query: &Query, nodes: &[&Value], document: &Document) -> Option<String> {
    let node = nodes.first().filter(|node| node.is_null() || **node == &Value::Bool(false))?;
    query.is_singular().then(|| {
        let node = document.shown(node);
        format!(
            "this only asks whether it is there, and it is; that it is {node} plays no part (== true would ask that)"
        )
    })
}

impl Landing<'_> {
    /// How a query of the document did not land, if so.
    pub fn missing(&self, query: &Query, nodes: &[&Value], needs: Needs) -> Option<Missing> {
        let (document, whole) = (self.document, self.path(&query.segments));
        let useless = |why: String| Some(Missing::useless(whole.clone(), why));
        let begins_with_a_name = matches!(query.segments.first().and_then(Segment::only), Some(Selector::Name(_)));
        if let (false, Some(why)) = (begins_with_a_name, document.why_incomplete()) {
            return useless(format!("{whole} can reach what could not be read: {why}"));
        }
        let names = query.leading();
        let spared = usize::from(needs == Needs::AllButTheLast && query.is_singular() && !names.is_empty());
        let mut node = document.value();
        for (reached, segment) in names.iter().enumerate() {
            let found = segment.only().and_then(|selector| child(node, selector));
            let Some(child) = found else {
                if is_masked_value(node, document) {
                    return useless(format!("{whole} is sensitive, and what was recorded does not hold it"));
                }
                let unread = match segment.only() {
                    Some(Selector::Name(name)) if reached == 0 => document.why_absent(name),
                    _ => None,
                };
                let is_last = reached + spared >= names.len();
                let knowledge = self.types.of_name(segment, 0);
                // Only that the last member is absent may be what was asked, and only where there can be one.
                if is_last && unread.is_none() && !matches!(knowledge, Knowledge::Unknown(_)) {
                    return None;
                }
                let near = self.nearest(node, segment, knowledge);
                let is_asked = is_last && unread.is_none();
                let lacks = if is_asked { names.len() } else { names.len() - spared };
                return Some(Missing {
                    path: self.path(&names[..lacks]),
                    exists: self.path(&names[..reached]),
                    why: self.absence(&names[..reached], node, segment, &near, unread, is_asked),
                    nearest: near,
                });
            };
            node = child;
        }
        if is_masked(node) && !query.is_singular() || nodes.iter().any(|node| is_masked_value(node, document)) {
            return useless(format!("{whole} is sensitive, and what was recorded does not hold it"));
        }
        // What has no elements has none of which anything could be true.
        (names.len() < query.segments.len() && !node.is_object() && !node.is_array()).then(|| Missing {
            path: whole,
            exists: self.path(names),
            nearest: Vec::new(),
            why: format!("{} is {}, which has no elements", self.path(names), self.brief(node)),
        })
    }

    /// The first name of a segment that no server answers and that none of these nodes has, in a sentence; `lacks` is what
    /// that begins with.
    pub fn unknown(&self, segment: &Segment, nodes: &[&Value], lacks: &str) -> Option<String> {
        let unknown = segment.selectors.iter().enumerate().find_map(|(place, selector)| {
            let (Knowledge::Unknown(known), Selector::Name(name)) = (self.types.of_name(segment, place), selector)
            else {
                return None;
            };
            let is_there = nodes.iter().any(|node| child(node, selector).is_some());
            (!nodes.is_empty() && !is_there).then_some((name, known))
        });
        let (name, known) = unknown?;
        let there = nodes.iter().filter(|node| !self.document.hides(node)).filter_map(|node| node.as_object());
        let near = kind::nearest(name, there.flat_map(|members| members.keys().map(String::as_str)));
        let hint = near.first().or(known.first()).map_or_else(String::new, |near| format!("; did you mean {near:?}?"));
        Some(format!("{lacks} {:?}{hint}", format::cut(name, 60)))
    }

    /// Names and indexes of the document, as they are written.
    pub fn path(&self, segments: &[Segment]) -> String {
        path("$", segments, &self.expression.text)
    }

    /// A value in a few words.
    pub fn brief(&self, node: &Value) -> String {
        format::cut(&self.document.shown(node), 40)
    }

    /// In a sentence: what is there, what is not, and what may have been meant or gone wrong.
    fn absence(
        &self,
        exists: &[Segment],
        node: &Value,
        segment: &Segment,
        nearest: &[String],
        unread: Option<&str>,
        is_asked: bool,
    ) -> String {
        let there = match node {
            Value::Object(_) | Value::Array(_) => String::new(),
            other => format!(" is {}, which", self.brief(other)),
        };
        let name = match segment.only() {
            Some(Selector::Name(name)) => format!("\"{}\"", format::cut(name, 60)),
            Some(Selector::Index(index)) => format!("element {index}"),
            _ => String::new(),
        };
        let quoted: Vec<String> = nearest.iter().map(|name| format!("\"{name}\"")).collect();
        let is_known = *self.types.of_name(segment, 0) == Knowledge::Known && segment.only().is_some_and(is_name);
        let hint = match (unread, quoted.as_slice()) {
            (Some(why), _) => format!(", since it could not be read: {why}"),
            (None, _) if is_known => " here, though there can be one".into(),
            (None, []) => String::new(),
            (None, names) => format!("; did you mean {}?", names.join(" or ")),
        };
        let never = if is_asked { ", and no server is known that answers one" } else { "" };
        format!("{}{there} has no {name}{never}{hint}", self.path(exists))
    }

    /// The names at `node`, or else in the catalogue, that are most like the one that was looked for.
    fn nearest(&self, node: &Value, segment: &Segment, knowledge: &Knowledge) -> Vec<String> {
        let (Some(Selector::Name(wanted)), Value::Object(members)) = (segment.only(), node) else { return Vec::new() };
        if self.document.hides(node) {
            return Vec::new();
        }
        let there = kind::nearest(wanted, members.keys().map(String::as_str));
        let known = match knowledge {
            Knowledge::Unknown(known) if there.is_empty() => known.as_slice(),
            _ => &[],
        };
        there.into_iter().chain(known.iter().copied()).map(|name| format::cut(name, 60)).collect()
    }
}

fn is_name(selector: &Selector) -> bool {
    matches!(selector, Selector::Name(_))
}

/// Whether a value was masked when it was recorded, or something in it.
fn is_masked_value(node: &Value, document: &Document) -> bool {
    document.hides(node) && node == SENSITIVE || is_masked(node)
}

/// A value as a sentence shows it.
pub fn shown(node: &Value, document: &Document) -> String {
    format::cut(&document.shown(node), SHOWN.1)
}
