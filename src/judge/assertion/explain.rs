//! Why an assertion is vacuous: a query did not land; and what may have been meant. Pure.

use serde_json::Value;

use super::check::Missing;
use super::expression::{Query, Segment, child, leading, path};
use super::pattern;
use super::show::SHOWN;
use crate::judge::document::Document;
use crate::text::format;
use crate::text::sensitive::{SENSITIVE, is_masked};

/// A query by itself only asks whether something is there, which `false` is too.
pub fn only_there(query: &Query, nodes: &[&Value], document: &Document) -> Option<String> {
    let node = nodes.first().filter(|node| node.is_null() || **node == &Value::Bool(false))?;
    (query.tested && query.is_singular()).then(|| {
        let node = document.shown(node);
        format!(
            "this only asks whether it is there, and it is; that it is {node} plays no part (== true would ask that)"
        )
    })
}

/// A filter that finds nothing may have looked at nothing: then a name in it may be wrong.
pub fn nothing_there(query: &Query, nodes: &[&Value], document: &Document) -> Option<String> {
    let list = leading(&query.segments);
    let elements: Vec<&Value> = match list.iter().try_fold(document.value(), child)? {
        Value::Array(elements) => elements.iter().collect(),
        Value::Object(members) => members.values().collect(),
        _ => Vec::new(),
    };
    let gaps = query.looks.iter().flat_map(|look| elements.iter().map(|element| gap(element, leading(look))));
    let gaps: Vec<_> = gaps.collect::<Option<_>>()?;
    let furthest = gaps.iter().map(|(reached, ..)| *reached).max().filter(|_| nodes.is_empty())?;
    let mut gaps = gaps.into_iter().filter(|(reached, ..)| *reached == furthest).peekable();
    let (_, _, segment) = *gaps.peek()?;
    let name = match segment {
        Segment::Name(name) => format!("{name:?}"),
        _ => path(std::slice::from_ref(segment)),
    };
    let meant = gaps.find_map(|(_, node, segment)| nearest(node, segment, document).into_iter().next());
    let hint = meant.map_or_else(String::new, |name| format!("; did you mean {name:?}?"));
    let (count, list) = (elements.len(), path(list));
    Some(format!("none of the {count} elements of {list} has {name}, so this looked at nothing{hint}"))
}

/// Where a path ends too soon, if it does: how far it got, the last node there is, and what that lacks.
fn gap<'d, 's>(mut node: &'d Value, path: &'s [Segment]) -> Option<(usize, &'d Value, &'s Segment)> {
    for (reached, segment) in path.iter().enumerate() {
        match child(node, segment) {
            Some(child) => node = child,
            None => return Some((reached, node, segment)),
        }
    }
    None
}

/// Whether the query landed, and if not, how far it got.
pub fn missing(query: &Query, nodes: &[&Value], document: &Document) -> Option<Missing> {
    let whole = path(&query.segments);
    let useless = |why: String| Some(Missing { path: whole.clone(), exists: whole.clone(), nearest: Vec::new(), why });
    let begins_with_a_name = matches!(query.segments.first(), Some(Segment::Name(_)));
    if let (false, Some(why)) = (begins_with_a_name, document.why_incomplete()) {
        return useless(format!("{whole} can reach what could not be read: {why}"));
    }
    let names = leading(&query.segments);
    let spared = usize::from(query.tested && query.is_singular() && !names.is_empty());
    let mut node = document.value();
    for (reached, segment) in names.iter().enumerate() {
        let Some(child) = child(node, segment) else {
            if is_masked_value(node, document) {
                return useless(format!("{whole} is sensitive, and what was recorded does not hold it"));
            }
            let unread = match segment {
                Segment::Name(name) if reached == 0 => document.why_absent(name),
                _ => None,
            };
            // Only that the last member is absent may be what was asked, and only where it is known to be absent.
            if reached + spared >= names.len() && unread.is_none() {
                return None;
            }
            let nearest = nearest(node, segment, document);
            return Some(Missing {
                path: path(&query.segments[..names.len() - spared]),
                exists: path(&query.segments[..reached]),
                why: absence(&path(&query.segments[..reached]), node, segment, &nearest, unread, document),
                nearest,
            });
        };
        node = child;
    }
    if is_masked(node) && !query.is_singular() || nodes.iter().any(|node| is_masked_value(node, document)) {
        return useless(format!("{whole} is sensitive, and what was recorded does not hold it"));
    }
    if let Some(why) = useless_to_a_function(query, nodes, document) {
        return useless(format!("{whole} {why}"));
    }
    // What has no elements has none of which anything could be true.
    (names.len() < query.segments.len() && !node.is_object() && !node.is_array()).then(|| Missing {
        path: whole,
        exists: path(&query.segments[..names.len()]),
        nearest: Vec::new(),
        why: format!(
            "{} is {}, which has no elements",
            path(&query.segments[..names.len()]),
            format::cut(&document.shown(node), 40)
        ),
    })
}

/// Whether a value was masked when it was recorded, or something in it.
fn is_masked_value(node: &Value, document: &Document) -> bool {
    document.hides(node) && node == SENSITIVE || is_masked(node)
}

/// Why a function makes nothing of what a query selects, if so: nothing differs from everything.
fn useless_to_a_function(query: &Query, nodes: &[&Value], document: &Document) -> Option<String> {
    let shown = |node: &Value| format::cut(&document.shown(node), SHOWN.1);
    if query.valued && nodes.len() != 1 {
        return Some(format!("selects {} values, and value() takes one", nodes.len()));
    }
    let has_length = |node: &&&Value| node.is_string() || node.is_array() || node.is_object();
    if let Some(node) = nodes.iter().filter(|_| query.measured).find(|node| !has_length(node)) {
        return Some(format!("is {}, which has no length", shown(node)));
    }
    if let Some(node) = nodes.iter().filter(|_| query.matched).find(|node| !node.is_string()) {
        return Some(format!("is {}, which is no text", shown(node)));
    }
    let not_a_pattern = |node: &&&Value| node.as_str().is_none_or(|pattern| pattern::check(pattern).is_err());
    let node = nodes.iter().filter(|_| query.pattern).find(not_a_pattern)?;
    Some(format!("is {}, which is not a regular expression (I-Regexp, RFC 9485)", shown(node)))
}

/// In a sentence: what is there, what is not, and what may have been meant or gone wrong.
fn absence(
    exists: &str,
    node: &Value,
    segment: &Segment,
    nearest: &[String],
    unread: Option<&str>,
    document: &Document,
) -> String {
    let there = match node {
        Value::Object(_) | Value::Array(_) => String::new(),
        other => format!(" is {}, which", format::cut(&document.shown(other), 40)),
    };
    let name = match segment {
        Segment::Name(name) => format!("\"{}\"", format::cut(name, 60)),
        Segment::Index(index) => format!("element {index}"),
        Segment::Many(_) | Segment::Below(_) => String::new(),
    };
    let quoted: Vec<String> = nearest.iter().map(|name| format!("\"{name}\"")).collect();
    let hint = match (unread, quoted.as_slice()) {
        (Some(why), _) => format!(", since it could not be read: {why}"),
        (None, []) => String::new(),
        (None, names) => format!("; did you mean {}?", names.join(" or ")),
    };
    format!("{exists}{there} has no {name}{hint}")
}

/// The names at `node` that are most like the one that was looked for.
fn nearest(node: &Value, segment: &Segment, document: &Document) -> Vec<String> {
    if document.hides(node) {
        return Vec::new();
    }
    let (Segment::Name(wanted), Value::Object(members)) = (segment, node) else { return Vec::new() };
    let mut names: Vec<(f64, &String)> = members
        .keys()
        .map(|name| (strsim::jaro_winkler(wanted, name), name))
        .filter(|(likeness, _)| *likeness > 0.75)
        .collect();
    names.sort_by(|a, b| b.0.total_cmp(&a.0));
    names.into_iter().take(3).map(|(_, name)| format::cut(name, 60)).collect()
}
