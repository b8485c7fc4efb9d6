//! Whether a query landed: what it begins with must be there, or the assertion checked nothing. Pure.

use serde_json::Value;

use super::check::Missing;
use super::kind;
use super::node::Node;
use super::show::SHOWN;
use super::syntax::{Expression, Query, Segment, Selector, path};
use crate::judge::catalogue::Type;
use crate::judge::document::Document;
use crate::text::format;
use crate::text::sensitive::{SENSITIVE, is_masked};

/// What is needed to say whether the queries of an expression landed.
#[derive(Clone, Copy)]
pub struct Landing<'a> {
    /// Whose queries.
    pub expression: &'a Expression,
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
        let asks = if node.is_null() { "null" } else { "true" };
        let node = document.shown(node);
        format!(
            "this only asks whether it is there, and it is; that it is {node} plays no part (== {asks} would ask that)"
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
        let mut node = Node::document(document);
        for (reached, segment) in names.iter().enumerate() {
            let Some(selector) = segment.only() else { break };
            let Some(child) = node.child(selector) else {
                if is_masked_value(node.value, document) {
                    return useless(format!("{whole} is sensitive, and what was recorded does not hold it"));
                }
                let unread = match selector {
                    Selector::Name(name) if reached == 0 => document.why_absent(name),
                    _ => None,
                };
                let is_asked = reached + spared >= names.len() && unread.is_none();
                let can_be = match selector {
                    Selector::Name(name) => node.knows(name) || node.is_open(),
                    _ => true,
                };
                // Only that the last member is absent may be what was asked, and only where there can be one.
                if is_asked && can_be && node.suits(selector) {
                    return None;
                }
                let near = match selector {
                    Selector::Name(name) => self.nearest(&[node], name),
                    _ => Vec::new(),
                };
                let near: Vec<String> = near.into_iter().map(|name| format::cut(name, 60)).collect();
                let lacks = if is_asked { names.len() } else { names.len() - spared };
                return Some(Missing {
                    path: self.path(&names[..lacks]),
                    exists: self.path(&names[..reached]),
                    why: self.absence(&names[..reached], node, selector, &near, unread),
                    nearest: near,
                });
            };
            node = child;
        }
        if is_masked(node.value) && !query.is_singular() || nodes.iter().any(|node| is_masked_value(node, document)) {
            return useless(format!("{whole} is sensitive, and what was recorded does not hold it"));
        }
        let next = query.segments.get(names.len())?;
        // What has no elements has none of which anything could be true.
        let has_some = next.is_below || next.selectors.iter().any(|selector| node.suits(selector));
        let is_bare = !node.value.is_object() && !node.value.is_array();
        (is_bare || !has_some).then(|| Missing {
            path: whole,
            exists: self.path(names),
            nearest: Vec::new(),
            why: match is_bare {
                true => format!("{} is {}, which has no elements", self.path(names), self.brief(node.value)),
                false => format!("{} is {}", self.path(names), unsuited(node)),
            },
        })
    }

    /// Why a segment selects nothing of any of these nodes, in a sentence that begins with `lacks`: they have no elements,
    /// or a name that none of them has and no server answers.
    pub fn unknown(&self, segment: &Segment, nodes: &[Node<'_>], lacks: &str) -> Option<String> {
        // That some take any name does not excuse a typing error where others do not.
        let is_open = nodes.iter().filter(|node| node.value.is_object()).all(Node::is_open);
        let selector = segment.selectors.iter().find(|selector| match selector {
            Selector::Name(name) => {
                let can_be = |node: &Node<'_>| {
                    node.child(selector).is_some() || node.knows(name) || is_open && node.value.is_object()
                };
                !nodes.iter().any(can_be)
            }
            _ => !nodes.iter().any(|node| node.suits(selector)),
        });
        let selector = selector.filter(|_| !nodes.is_empty())?;
        let Selector::Name(name) = selector else { return Some(format!("{lacks} elements to select from")) };
        let near = self.nearest(nodes, name).first().copied();
        let hint = near.map_or_else(String::new, |near| format!("; did you mean {near:?}?"));
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
        node: Node<'_>,
        selector: &Selector,
        nearest: &[String],
        unread: Option<&str>,
    ) -> String {
        let there = match node.value {
            _ if node.suits(selector) => String::new(),
            Value::Object(_) | Value::Array(_) => format!(" is {}, which", unsuited(node)),
            other => format!(" is {}, which", self.brief(other)),
        };
        let (name, is_known) = match selector {
            Selector::Name(name) => (format!("\"{}\"", format::cut(name, 60)), node.knows(name)),
            Selector::Index(index) => (format!("element {index}"), false),
            _ => (String::new(), false),
        };
        let quoted: Vec<String> = nearest.iter().map(|name| format!("\"{name}\"")).collect();
        let hint = match (unread, quoted.as_slice()) {
            (Some(why), _) => format!(", since it could not be read: {why}"),
            (None, _) if is_known => " here, though there can be one".into(),
            (None, []) => String::new(),
            (None, names) => format!("; did you mean {}?", names.join(" or ")),
        };
        format!("{}{there} has no {name}{hint}", self.path(exists))
    }

    /// The names at these nodes, or else in the catalogue, that are most like the one that was looked for.
    fn nearest<'n>(&self, nodes: &[Node<'n>], wanted: &str) -> Vec<&'n str> {
        let objects = || nodes.iter().filter(|node| node.value.is_object() && !self.document.hides(node.value));
        let there = objects().filter_map(|node| node.value.as_object()).flat_map(|members| members.keys());
        let near = kind::nearest(wanted, there.map(String::as_str));
        if near.is_empty() {
            let known = objects().filter_map(|node| node.is).flat_map(Type::members);
            return kind::nearest(wanted, known.map(|(name, _)| name));
        }
        near
    }
}

/// What a list or an object is, of which something else was asked.
fn unsuited(node: Node<'_>) -> &'static str {
    if node.value.is_array() { "a list" } else { "an object" }
}

/// Whether a value was masked when it was recorded, or something in it.
fn is_masked_value(node: &Value, document: &Document) -> bool {
    document.hides(node) && node == SENSITIVE || is_masked(node)
}

/// A value as a sentence shows it.
pub fn shown(node: &Value, document: &Document) -> String {
    format::cut(&document.shown(node), SHOWN.1)
}
