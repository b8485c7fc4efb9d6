//! What the user asserts, and what the document says to it: true, false or vacuous. Pure.
//!
//! A rule that checked nothing is the false green that every peer of this tool has shipped. So each query must *land*:
//! the names and indexes it begins with must select something; otherwise the assertion is vacuous, and the gate fails.

mod engines;
mod expression;
mod parser;
mod pattern;
pub mod presets;

use std::cell::LazyCell;
use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::base::clock::Bell;
use crate::judge::document::Document;
use crate::text::defuse;
use crate::text::format;
use crate::text::sensitive::{SENSITIVE, is_masked};
pub use engines::Compiled;
pub use expression::Expression;
use expression::{Query, Segment, is_singular};
pub use parser::Malformed;

/// How long judging may take.
pub const TIME_LIMIT: Duration = Duration::from_secs(30);
/// How many nodes a query may have to hold at once: each takes some [`BYTES`] in the engines.
const WIDEST: f64 = 4e6;
const BYTES: f64 = 150.0;
/// How many of the selected values are shown, and how many characters of each.
const SHOWN: (usize, usize) = (5, 200);

/// One assertion: a label for reports, and an expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Assertion {
    /// `""` if the user gave none.
    pub label: String,
    /// What is asserted.
    pub expression: Expression,
}

impl Assertion {
    /// Whether it asks for a member of the document.
    pub fn looks_at(&self, member: &str) -> bool {
        let is_it = |query: &Query| match query.segments.first() {
            Some(Segment::Name(name)) => name == member,
            // A query that begins with anything else can reach every member.
            _ => true,
        };
        self.expression.queries.iter().any(is_it)
    }
}

impl std::str::FromStr for Assertion {
    type Err = String;

    /// Reads `[LABEL: ]EXPR`, and lets both engines read it.
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim_matches([' ', '\t', '\n', '\r']);
        let (label, body) = label(text);
        let complain = |at: usize, why: &str| {
            let offset = text.len() - body.len() + at;
            format!("this assertion is malformed\n{}expected {why}", caret(text, offset))
        };
        if body.is_empty() {
            return Err(complain(0, "an expression like $.plan_only == false; was it eaten by a shell or CI system?"));
        }
        let expression = accepted(body).map_err(|malformed| complain(malformed.at, &malformed.why))?;
        Ok(Self { label: label.into(), expression })
    }
}

impl Assertion {
    /// Takes an expression as it is, without a label or white space around it.
    ///
    /// # Errors
    /// Where and why it is malformed, or which engine does not accept it.
    pub fn exactly(text: &str) -> Result<Self, Malformed> {
        accepted(text).map(|expression| Self { label: String::new(), expression })
    }

    /// What each query of the expression selects.
    ///
    /// # Errors
    /// How the engines disagree.
    pub fn select<'d>(&self, document: &'d Document) -> Result<Vec<Vec<&'d Value>>, String> {
        let expression = &self.expression;
        expression
            .queries
            .iter()
            .map(|query| {
                let compiled = Compiled::new(&expression.as_query(query)).map_err(|rejected| rejected.why);
                let nodes =
                    compiled.and_then(|compiled| compiled.select(document.root(), |nodes| show(nodes, document)));
                nodes.map_err(|why| disagree(&expression.text[query.span.clone()], &why))
            })
            .collect()
    }
}

fn disagree(what: &str, why: &str) -> String {
    format!("the engines disagree about {what}: {why}")
}

/// Reads an expression, and lets both engines read it and each of its queries.
fn accepted(text: &str) -> Result<Expression, Malformed> {
    let expression = parser::parse(text)?;
    let queries = expression.queries.iter().map(|query| (query.span.start, expression.as_query(query)));
    for (at, query) in queries.chain([(0, expression.as_filter())]) {
        Compiled::new(&query).map_err(|rejected| Malformed {
            at,
            why: format!("an expression that both engines accept; {}", rejected.why),
        })?;
    }
    Ok(expression)
}

/// Splits `LABEL: EXPR`. No expression begins like a label, so there is no doubt.
fn label(text: &str) -> (&str, &str) {
    let fits = |label: &str| {
        let known = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
        (1..=60).contains(&label.chars().count()) && label.chars().all(known)
    };
    match text.split_once(':') {
        Some((label, body)) if fits(label) && (body.is_empty() || body.starts_with([' ', '\t'])) => {
            (label.trim(), body.trim_start_matches([' ', '\t']))
        }
        _ => ("", text),
    }
}

/// The line of `text` that `at` is in, with a caret under the place.
fn caret(text: &str, at: usize) -> String {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[at..].find('\n').map_or(text.len(), |newline| at + newline);
    // A window, so that the caret stays under its place in a terminal.
    let before: Vec<char> = text[start..at].chars().rev().take(60).collect();
    let after: String = text[at..end].chars().take(40).collect();
    let shown: String = before.iter().rev().copied().chain(after.chars()).collect();
    format!("  {}\n  {}^ ", defuse::line(&shown), " ".repeat(before.len()))
}

/// What the document says to an assertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Truth {
    /// It holds, and it looked at something.
    True,
    /// It does not hold.
    False,
    /// What would decide it is data that is not there, so it checked nothing.
    Vacuous,
    /// It was not put to the document, since the deploy did not get that far.
    NotEvaluated,
}

impl Truth {
    /// The word that reports use.
    pub fn name(self) -> &'static str {
        match self {
            Truth::True => "true",
            Truth::False => "false",
            Truth::Vacuous => "vacuous",
            Truth::NotEvaluated => "not-evaluated",
        }
    }
}

/// One assertion, judged.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    /// The user's name for it, or `""`.
    pub label: String,
    /// The assertion as it was written.
    pub expression: String,
    /// What came of it.
    pub outcome: Truth,
    /// What each of its queries found.
    pub queries: Vec<Found>,
}

/// What one query found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Found {
    /// The query as it was written.
    pub query: String,
    /// How many nodes it selected.
    pub selected: usize,
    /// The first of them as JSON, cut.
    pub values: Vec<String>,
    /// The same for people: of an object what it is called and how it is, not a wall of JSON.
    #[serde(skip)]
    pub brief: Vec<String>,
    /// Why it did not land, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<Missing>,
    /// What may not have been meant, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Why a query did not land.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// The path that had to select something.
    pub path: String,
    /// The longest part of it that does exist.
    pub exists: String,
    /// Names that do exist there, the nearest first.
    pub nearest: Vec<String>,
    /// In a sentence.
    pub why: String,
}

impl Check {
    /// An assertion that was not put to any document.
    pub fn not_evaluated(assertion: &Assertion) -> Self {
        Self {
            label: assertion.label.clone(),
            expression: assertion.expression.text.clone(),
            outcome: Truth::NotEvaluated,
            queries: Vec::new(),
        }
    }

    /// Its label, or else its text.
    pub fn name(&self) -> &str {
        if self.label.is_empty() { &self.expression } else { &self.label }
    }

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
                let mut why: Vec<&str> =
                    self.queries.iter().filter_map(|found| Some(found.missing.as_ref()?.why.as_str())).collect();
                why.dedup();
                format!("checked nothing: {}", why.join("; "))
            }
            Truth::True | Truth::False => match presets::of(self) {
                Some(preset) => (preset.told)(self),
                None if self.outcome == Truth::True => "is true".into(),
                None => {
                    let mut saw: Vec<String> =
                        self.queries.iter().map(|found| format!("{} is {}", found.query, found.shown())).collect();
                    saw.dedup();
                    format!("is false: {}", saw.join("; "))
                }
            },
        }
    }
}

/// Something that is being asked of a document. Neither engine can be interrupted, so it goes on on a thread of its own,
/// which can be left behind.
pub struct Judging<T = Vec<Check>> {
    answer: Receiver<Result<T, String>>,
    left: Duration,
}

impl Judging {
    /// Starts to put every assertion to the document.
    pub fn start(assertions: &[Assertion], document: &Arc<Document>) -> Self {
        let (assertions, document) = (assertions.to_vec(), Arc::clone(document));
        Self::of(assertions.is_empty(), move || {
            let extent = LazyCell::new(|| Extent::of(document.value()));
            assertions.iter().map(|assertion| check(assertion, &document, &extent)).collect()
        })
    }
}

impl<T: Send + 'static> Judging<T> {
    /// Starts work that may not end; what is said to be nothing is done at once.
    pub fn of(is_nothing: bool, work: impl FnOnce() -> Result<T, String> + Send + 'static) -> Self {
        let (sender, answer) = mpsc::channel();
        let work = move || {
            // Nobody listens any more after the time limit.
            let _ = sender.send(work());
        };
        match is_nothing {
            true => work(),
            false => drop(std::thread::spawn(work)),
        }
        Self { answer, left: TIME_LIMIT }
    }

    /// Waits a moment for the answer, or why there is none, as when the engines disagree or it would take too much time
    /// or memory.
    pub fn poll(&mut self) -> Option<Result<T, String>> {
        let moment = Bell::ATTENTION.min(self.left);
        match self.answer.recv_timeout(moment) {
            Ok(answer) => Some(answer),
            Err(RecvTimeoutError::Disconnected) => Some(Err("judging broke off".into())),
            Err(RecvTimeoutError::Timeout) => {
                self.left -= moment;
                self.left.is_zero().then(|| Err(format!("judging took longer than {}", format::duration(TIME_LIMIT))))
            }
        }
    }

    /// Waits for the answer.
    ///
    /// # Errors
    /// As [`Judging::poll`].
    pub fn finish(mut self) -> Result<T, String> {
        loop {
            if let Some(answer) = self.poll() {
                return answer;
            }
        }
    }
}

fn check(assertion: &Assertion, document: &Document, extent: &impl Deref<Target = Extent>) -> Result<Check, String> {
    let expression = &assertion.expression;
    afford(expression, extent)?;
    if !expression.compared.is_empty() && !extent.inexact.is_empty() {
        comparable(expression, document)?;
    }
    let selected = assertion.select(document)?;
    let mut queries = Vec::new();
    for (query, nodes) in expression.queries.iter().zip(&selected) {
        let shown = &expression.text[query.span.clone()];
        if let Some(node) = nodes.iter().find(|node| query.compared && (is_inexact(node) || is_vast_inside(node))) {
            let node = document.shown(node);
            return Err(format!("{shown} selects {node}: both engines compare numbers beyond 2^53 - 1 inexactly"));
        }
        queries.push(Found {
            query: shown.into(),
            selected: nodes.len(),
            brief: nodes.iter().take(SHOWN.0).map(|node| format::cut(&brief(node, document), SHOWN.1)).collect(),
            values: nodes.iter().take(SHOWN.0).map(|node| format::cut(&document.shown(node), SHOWN.1)).collect(),
            missing: missing(query, nodes, document),
            note: only_there(query, nodes, document).or_else(|| nothing_there(query, nodes, document)),
        });
    }
    let outcome = expression.logic.join(&mut |part| {
        let (query, root) = expression.over(part, &selected);
        let compiled = Compiled::new(&query).map_err(|rejected| rejected.why);
        let holds = compiled
            .and_then(|compiled| Ok(!compiled.select(&root, |nodes| format!("{} nodes", nodes.len()))?.is_empty()));
        let holds = holds.map_err(|why| disagree(&expression.text[part.clone()], &why))?;
        let landed = expression.queries_of(part).all(|(index, _)| queries[index].missing.is_none());
        Ok::<_, String>(match (landed, holds) {
            (false, _) => Truth::Vacuous,
            (true, true) => Truth::True,
            (true, false) => Truth::False,
        })
    })?;
    Ok(Check { queries, outcome, ..Check::not_evaluated(assertion) })
}

/// Whether there is a number inside that has lost digits already: whole ones that fit in 64 bits are kept exactly.
fn is_vast_inside(node: &Value) -> bool {
    match node {
        Value::Array(elements) => elements.iter().any(is_vast_inside),
        Value::Object(members) => members.values().any(is_vast_inside),
        node => node.is_f64() && is_inexact(node),
    }
}

/// Refuses filters that look at numbers which cannot be compared.
fn comparable(expression: &Expression, document: &Document) -> Result<(), String> {
    for query in expression.queries.iter().filter(|query| !query.is_singular()) {
        let Some(reached) = names(&query.segments).iter().try_fold(document.value(), child) else { continue };
        let within = Extent::of(reached);
        if let Some(name) = expression.compared.iter().find_map(|segments| within.inexact(segments)) {
            let text = &expression.text;
            return Err(format!(
                "{text} looks at {name:?} in a filter: both engines compare numbers beyond 2^53 - 1 inexactly, and some are there"
            ));
        }
    }
    Ok(())
}

/// Whether a number is so large that a double cannot tell it from its neighbour.
fn is_inexact(node: &Value) -> bool {
    node.as_f64().is_some_and(|number| number.abs() >= 9_007_199_254_740_992.0)
}

/// A query by itself only asks whether something is there, which `false` is too.
fn only_there(query: &Query, nodes: &[&Value], document: &Document) -> Option<String> {
    let node = nodes.first().filter(|node| node.is_null() || **node == &Value::Bool(false))?;
    (query.tested && query.is_singular()).then(|| {
        let node = document.shown(node);
        format!(
            "this only asks whether it is there, and it is; that it is {node} plays no part (== true would ask that)"
        )
    })
}

/// A filter that finds nothing may have looked at nothing: then a name in it may be wrong.
fn nothing_there(query: &Query, nodes: &[&Value], document: &Document) -> Option<String> {
    let leading = names(&query.segments);
    let elements: Vec<&Value> = match leading.iter().try_fold(document.value(), child)? {
        Value::Array(elements) => elements.iter().collect(),
        Value::Object(members) => members.values().collect(),
        _ => Vec::new(),
    };
    let gaps = query.looks.iter().flat_map(|look| elements.iter().map(|element| gap(element, names(look))));
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
    let (count, list) = (elements.len(), path(leading));
    Some(format!("none of the {count} elements of {list} has {name}, so this looked at nothing{hint}"))
}

/// The names and indexes that a query begins with.
fn names(segments: &[Segment]) -> &[Segment] {
    let count = segments.iter().take_while(|segment| matches!(segment, Segment::Name(_) | Segment::Index(_))).count();
    &segments[..count]
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
fn missing(query: &Query, nodes: &[&Value], document: &Document) -> Option<Missing> {
    let whole = path(&query.segments);
    let useless = |why: String| Some(Missing { path: whole.clone(), exists: whole.clone(), nearest: Vec::new(), why });
    let begins_with_a_name = matches!(query.segments.first(), Some(Segment::Name(_)));
    if let (false, Some(why)) = (begins_with_a_name, document.why_incomplete()) {
        return useless(format!("{whole} can reach what could not be read: {why}"));
    }
    let leading = names(&query.segments);
    let spared = usize::from(query.tested && query.is_singular() && !leading.is_empty());
    let mut node = document.value();
    for (reached, segment) in leading.iter().enumerate() {
        let Some(child) = child(node, segment) else {
            if is_masked_value(node, document) {
                return useless(format!("{whole} is sensitive, and what was recorded does not hold it"));
            }
            let unread = match segment {
                Segment::Name(name) if reached == 0 => document.why_absent(name),
                _ => None,
            };
            // Only that the last member is absent may be what was asked, and only where it is known to be absent.
            if reached + spared >= leading.len() && unread.is_none() {
                return None;
            }
            let nearest = nearest(node, segment, document);
            return Some(Missing {
                path: path(&query.segments[..leading.len() - spared]),
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
    (leading.len() < query.segments.len() && !node.is_object() && !node.is_array()).then(|| Missing {
        path: whole,
        exists: path(&query.segments[..leading.len()]),
        nearest: Vec::new(),
        why: format!(
            "{} is {}, which has no elements",
            path(&query.segments[..leading.len()]),
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

fn child<'d>(node: &'d Value, segment: &Segment) -> Option<&'d Value> {
    match (segment, node) {
        (Segment::Name(name), Value::Object(members)) => members.get(name),
        (Segment::Index(index), Value::Array(elements)) => {
            let index = if *index < 0 {
                elements.len().checked_add_signed(isize::try_from(*index).ok()?)?
            } else {
                usize::try_from(*index).ok()?
            };
            elements.get(index)
        }
        _ => None,
    }
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

/// Segments as they are written.
fn path(segments: &[Segment]) -> String {
    let mut path = String::from("$");
    for segment in segments {
        match segment {
            Segment::Name(name) if name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') => {
                path.push('.');
                path.push_str(name);
            }
            Segment::Name(name) => path.push_str(&format!("['{}']", name.escape_default())),
            Segment::Index(index) => path.push_str(&format!("[{index}]")),
            Segment::Many(_) => path.push_str("[…]"),
            Segment::Below(_) => path.push_str("..…"),
        }
    }
    path
}

/// Refuses what could take more memory than a CI runner has: each `..` after the first can select a node once for each
/// of its ancestors, and each further selector in a bracket can select it once more. One engine keeps the path of each.
/// The document is measured only for queries that can select more than one node.
pub fn afford(expression: &Expression, extent: &impl Deref<Target = Extent>) -> Result<(), String> {
    let width = |segments: &Vec<Segment>| {
        let (mut width, mut below) = (1.0, 0);
        for segment in segments {
            match segment {
                Segment::Name(_) | Segment::Index(_) => {}
                Segment::Many(count) => width *= *count as f64,
                Segment::Below(count) => {
                    width *= *count as f64;
                    below += 1;
                }
            }
        }
        if is_singular(segments) {
            return 1.0;
        }
        let paths = (extent.paths as f64 / BYTES).max(extent.nodes as f64);
        width * (extent.depth as f64).powi((below - 1).max(0)) * paths
    };
    let widest = expression.queries.iter().map(|query| &query.segments).chain(&expression.relative).map(width);
    match widest.fold(0.0, f64::max) {
        width if width > WIDEST => Err(format!(
            "{} could select {width:.0} nodes of this document, or fewer with long paths, more than the {WIDEST:.0} that the gate makes room for",
            expression.text
        )),
        _ => Ok(()),
    }
}

/// What it may cost to look at all of a document, and where it cannot be compared.
#[derive(Default)]
pub struct Extent {
    nodes: usize,
    depth: usize,
    /// Bytes of the paths of all nodes.
    paths: usize,
    /// The members whose values, or elements, are numbers that both engines compare inexactly.
    inexact: BTreeSet<String>,
}

impl Extent {
    /// Measures a document.
    pub fn of(value: &Value) -> Self {
        let mut extent = Self::default();
        extent.add(value, "", 1, 1);
        extent
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
    fn inexact(&self, segments: &[Segment]) -> Option<&str> {
        match segments.iter().rev().find(|segment| !matches!(segment, Segment::Index(_))) {
            Some(Segment::Name(name)) => self.inexact.get(name).map(String::as_str),
            Some(Segment::Many(_) | Segment::Below(_)) | None => self.inexact.first().map(String::as_str),
            Some(Segment::Index(_)) => None,
        }
    }
}

/// Values as they are shown in one line.
fn show(nodes: &[&Value], document: &Document) -> String {
    let shown: Vec<String> =
        nodes.iter().take(SHOWN.0).map(|node| format::cut(&document.shown(node), SHOWN.1)).collect();
    match nodes.len() {
        0 => "nothing".into(),
        count if count > SHOWN.0 => format!("{count}: {}, …", shown.join(", ")),
        count => format!("{count}: {}", shown.join(", ")),
    }
}

/// A value for people.
fn brief(node: &Value, document: &Document) -> String {
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

/// So many bytes of JSON are no wall.
const BRIEF: usize = 60;

impl Found {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn judged(text: &str) -> Check {
        let document = Arc::new(Document::any(json!({
            "id": "dpl1",
            "plan_only": true,
            "status_v2": {"status": "active", "history": [{}, {"status": "queued"}]},
            "workflow": {"steps": []},
            "nothing": null,
            "pattern": "[x",
            "big": 9_007_199_254_740_993_i64,
            "bigger": 9_007_199_254_740_992_i64,
            "patterns": ["dpl[0-9]", "x"],
            "numbers": [5],
        })));
        let numbers = r#"{"whole":[1,{"x":2}],"halves":[1.0,{"x":2.0}],"zero":[0],"minus":[-0.0]}"#;
        let document = match text.contains("whole") || text.contains("zero") {
            true => Arc::new(Document::parse(numbers.as_bytes()).expect("a document")),
            false => document,
        };
        let assertion: Assertion = text.parse().unwrap_or_else(|error| panic!("{error}"));
        Judging::start(&[assertion], &document).finish().unwrap_or_else(|error| panic!("{error}")).remove(0)
    }

    #[test]
    fn true_false_or_vacuous() {
        use Truth::{False, True, Vacuous};
        let cases = [
            ("$.plan_only == true", True),
            ("$.plan_only == false", False),
            ("@.plan_only == true", True),
            ("$.status_v2.status == 'active' && $.id == 'dpl1'", True),
            ("$.nothing == null", True),
            ("$.missing == null", Vacuous),
            ("$.missing != 1", Vacuous),
            ("$.missing == $.gone", Vacuous),
            // As SQL joins its three values.
            ("$.id == 'dpl1' || $.missing == 1", True),
            ("$.missing == 1 || $.id == 'dpl1'", True),
            ("$.id == 'dpl2' || $.missing == 1", Vacuous),
            ("$.missing == 1 && $.id == 'dpl2'", False),
            ("$.missing == 1 && $.id == 'dpl1'", Vacuous),
            ("!($.missing == 1)", Vacuous),
            ("!($.missing == 1 && $.id == 'dpl2')", True),
            ("!$.oci_artifact || match($.oci_artifact.tag, 'v.*')", True),
            ("!$.status_v2 || match($.status_v2.status, 'v.*')", False),
            ("$.plan_only == false && $.flow.plan_only == false", False),
            ("$.release_id", False),
            ("!$.release_id", True),
            ("!$.release.id", Vacuous),
            ("!$.workflow.steps[?@.status == 'error']", True),
            ("$.workflow.steps[*]", False),
            ("count($.workflow.steps[*]) == 0", True),
            ("count($.workflow.stages[*]) == 0", Vacuous),
            ("!$.flow.steps[?@.status == 'error']", Vacuous),
            ("!$.workflow.steps[?@.id == $.idd]", Vacuous),
            ("!$..error", True),
            ("$.status_v2.history[1].status == 'queued'", True),
            ("$.status_v2.history[-1].status == 'queued'", True),
            ("$.status_v2.history[9].status != 'error'", Vacuous),
            ("$.status_v2.history[-3].status != 'error'", Vacuous),
            ("$.status_v2.status.x != 'error'", Vacuous),
            ("match($.id, 'dpl[0-9]')", True),
            ("!match($.id, $.pattern)", Vacuous),
            ("!match($.id, $.plan_only)", Vacuous),
            ("!match($.id, $.missing)", Vacuous),
            ("length($.missing) != 3", Vacuous),
            // Nothing is compared with nothing.
            ("length($.plan_only) != 3", Vacuous),
            ("length($.nothing) != 3", Vacuous),
            ("length($.id) != 3", True),
            ("length($.status_v2) == 2", True),
            ("value($.status_v2.history[*]) != 'error'", Vacuous),
            ("value($.workflow.steps[*]) != 'error'", Vacuous),
            ("value($.status_v2.history[1:].status) == 'queued'", True),
            ("!match($.id, value($.patterns[*]))", Vacuous),
            ("length(value($.numbers[*])) != 3", Vacuous),
            ("length(value($.patterns[0:1])) == 8", True),
            ("!search($.plan_only, 'x')", Vacuous),
            ("search($.pattern, 'x')", True),
            ("value($.patterns[0:1]) == 'dpl[0-9]' && length(value($.numbers[*])) != 3", Vacuous),
            ("!match(value($.numbers[*]), 'x')", Vacuous),
            ("!match(value($.patterns[1:]), 'y')", True),
            ("match($.id, value($.patterns[0:1]))", True),
            // What has no elements has none that could be wrong.
            ("!$.nothing[?@.status == 'error']", Vacuous),
            ("!$.id[*]", Vacuous),
            ("count($.plan_only[*]) == 0", Vacuous),
            ("!$.nothing..error", Vacuous),
            // Numbers are equal wherever they are.
            ("$.whole == $.halves", True),
            ("$.whole != $.halves", False),
            ("$.zero == $.minus", True),
        ];
        for (text, want) in cases {
            assert_eq!(judged(text).outcome, want, "{text}");
        }
    }

    #[test]
    fn a_vacuous_assertion_says_how_far_it_got() {
        let check = judged("$.status_v2.state == 'active'");
        let missing = check.queries[0].missing.clone().expect("does not land");
        assert_eq!(missing.path, "$.status_v2.state");
        assert_eq!(missing.exists, "$.status_v2");
        assert_eq!(missing.why, r#"$.status_v2 has no "state"; did you mean "status"?"#);
        let check = judged("$.id.x.y == 1");
        assert_eq!(check.queries[0].missing.clone().expect("does not land").why, r#"$.id is "dpl1", which has no "x""#);
        let check = judged("value($.workflw.steps[*].name) == 'x'");
        let missing = check.queries[0].missing.clone().expect("does not land");
        assert_eq!(missing.why, r#"$ has no "workflw"; did you mean "workflow"?"#);
    }

    #[test]
    fn a_test_for_existence_of_what_is_false_is_noted() {
        assert_eq!(
            judged("$.nothing").queries[0].note.as_deref().map(|note| note.contains("that it is null")),
            Some(true)
        );
        assert_eq!(judged("$.nothing == null").queries[0].note, None);
        assert_eq!(judged("$.plan_only").queries[0].note, None);
    }

    #[test]
    fn a_filter_that_looks_at_nothing_is_noted() {
        let note = |text: &str| judged(text).queries[0].note.clone().unwrap_or_default();
        let history = "$.status_v2.history";
        assert_eq!(
            note("!$.status_v2.history[?@.sttus == 'error']"),
            format!(
                "none of the 2 elements of {history} has \"sttus\", so this looked at nothing; did you mean \"status\"?"
            )
        );
        assert!(note("count($.status_v2['history'][?@.status.word == 'error']) == 0").contains("has \"word\""));
        for fine in [
            "!$.status_v2.history[?@.status == 'error']",
            "!$.status_v2.history[?@.status == 'error' && @.retried != true]",
            "!$.status_v2.history[?@ == 'error']",
            "!$.workflow.steps[?@.sttus == 'error']",
            "$.status_v2.history[?!@.sttus]",
            "!$.status_v2.history[*][?@.sttus == 'error']",
        ] {
            assert_eq!(note(fine), "", "{fine}");
        }
    }

    #[test]
    fn engines_that_disagree_give_no_answer() {
        let document = Arc::new(Document::any(json!({"list": [{"none": []}]})));
        let assertion = "$.list[?count(@.none[*]) != 0]".parse().expect("parses");
        let error = Judging::start(&[assertion], &document).finish().expect_err("one engine cannot count to 0");
        assert!(error.contains("disagree about $.list"), "{error}");
    }

    #[test]
    fn numbers_that_cannot_be_told_apart_give_no_answer() {
        let document =
            Arc::new(Document::any(json!({"big": 9_007_199_254_740_993_i64, "bigger": 9_007_199_254_740_992_i64})));
        let assertion = "$.big == $.bigger".parse().expect("parses");
        let error = Judging::start(&[assertion], &document).finish().expect_err("both engines say true");
        assert!(error.contains("inexactly"), "{error}");
        let document = br#"{"l":[{"a":9007199254740993,"b":9007199254740992,"c":1,"d":[{"c":1}]}],"x":18446744073709551616,"y":18446744073709551617,"want":9007199254740992,"m":["y"]}"#;
        let document = Arc::new(Document::parse(document).expect("a document"));
        let judge = |text: &str| {
            let assertion = text.parse().unwrap_or_else(|error| panic!("{error}"));
            Judging::start(&[assertion], &document).finish()
        };
        for text in [
            "$.x == $.y",
            "$.l[?@.a == @.b]",
            "$.l[?@.a == 9.007199254740992e15]",
            "$.l[?@['a'] == $.want]",
            "$.l[?count(@.d[?@.c == $.want]) == 0]",
            "$.l[?@.a > @.b]",
            "$.x == 1.8446744073709552e19",
            "value($.l[*].a) == $.want",
        ] {
            let error = judge(text).expect_err(text);
            assert!(error.contains("inexactly"), "{text}: {error}");
        }
        // They do no harm where nothing is compared with them, or only what is told apart from them.
        for text in [
            "$.l[?@.a < 3600]",
            "!$.l[?@.a == 'x']",
            "$.l[?@.a]",
            "count($.l[?@.a]) == 1",
            "$.l[?count(@.*) == 4]",
            "!$.l[?@.a == null || @.c > 9]",
            "$.x > 0",
            "$.want < 1e15",
        ] {
            judge(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        }
        let document = br#"{"a":[18446744073709551616],"b":[18446744073709551617],"c":[1e16],"d":[10000000000000000]}"#;
        let other = Arc::new(Document::parse(document).expect("a document"));
        let vast: Assertion = "$.a == $.b".parse().expect("parses");
        Judging::start(&[vast], &other).finish().expect_err("they cannot be told apart");
        let listed: Assertion = "$.l[?@.a[0] == 9.007199254740992e15]".parse().expect("parses");
        let document = Arc::new(Document::parse(br#"{"l":[{"a":[9007199254740993]}]}"#).expect("a document"));
        Judging::start(&[listed], &document).finish().expect_err("an element is of its member");
        let same: Assertion = "$.c == $.d".parse().expect("parses");
        assert_eq!(Judging::start(&[same], &other).finish().expect("true")[0].outcome, Truth::True);
        assert_eq!(judge("$.l[?@.c == 1] && $.x && count($.l[*]) == 1").expect("true")[0].outcome, Truth::True);
        assert_eq!(judge("!$.m[?@ == 'x']").expect("they are elsewhere")[0].outcome, Truth::True);
    }

    #[test]
    fn what_could_not_be_read_is_vacuous_whatever_way_it_is_asked_for() {
        let parts = crate::judge::document::Parts {
            seen: br#"{"id":"dpl1","status_v2":{"status":"active"}}"#.to_vec(),
            deploy: Some(Err("403".into())),
            workflow: Some(Err("403".into())),
        };
        let document = Arc::new(Document::assemble(parts).expect("a document"));
        let known = ["!$.status_v2.state", "$.status_v2.status == 'active'", "!$.status_v2[?@ == 'error']"];
        for text in known {
            let assertion: Assertion = text.parse().unwrap_or_else(|error| panic!("{error}"));
            let checks = Judging::start(&[assertion], &document).finish();
            assert_eq!(checks.unwrap_or_else(|error| panic!("{text}: {error}"))[0].outcome, Truth::True, "{text}");
        }
        for text in [
            "!$..[?@.status.status == 'error']",
            "count($..[?@.status == 'error']) == 0",
            "!$.*[?@.status == 'error']",
            "!$['runner_jobs','action_workflow_runs'][?@.status == 'error']",
            "!$..error",
            "!$.runner_jobs",
            "!$.workflow",
            "!$.workflow.steps",
        ] {
            let assertion: Assertion = text.parse().unwrap_or_else(|error| panic!("{error}"));
            let checks = Judging::start(&[assertion], &document).finish();
            let check = checks.unwrap_or_else(|error| panic!("{text}: {error}")).remove(0);
            assert_eq!(check.outcome, Truth::Vacuous, "{text}");
            let why = check.queries[0].missing.as_ref().map(|missing| missing.why.as_str()).unwrap_or_default();
            assert!(why.contains("403"), "{text}: {why}");
        }
    }

    #[test]
    fn labels() {
        let cases = [
            ("applied: $.plan_only == false", "applied", "$.plan_only == false"),
            ("no failed-steps_2:  !$.a", "no failed-steps_2", "!$.a"),
            ("$.a == 'x: y'", "", "$.a == 'x: y'"),
            ("$[1:2]", "", "$[1:2]"),
            ("@['a: b']", "", "@['a: b']"),
        ];
        for (text, label, expression) in cases {
            let assertion: Assertion = text.parse().unwrap_or_else(|error| panic!("{error}"));
            assert_eq!((assertion.label.as_str(), assertion.expression.text.as_str()), (label, expression));
        }
    }

    #[test]
    fn a_caret_shows_the_place() {
        let error = "label: $.a = 1".parse::<Assertion>().expect_err("malformed");
        assert!(
            error.starts_with("this assertion is malformed\n  label: $.a = 1\n            ^ expected the end"),
            "{error}"
        );
    }

    #[test]
    fn presets_are_assertions() {
        for preset in presets::TABLE {
            preset.expression.parse::<Assertion>().unwrap_or_else(|error| panic!("{}: {error}", preset.name));
        }
    }

    #[test]
    fn a_query_is_as_wide_as_the_document_and_its_selectors_make_it() {
        let large = Extent { nodes: 1_000_000, depth: 10, ..Extent::default() };
        let long = Extent { nodes: 1, depth: 1, paths: 150 * 5_000_000, ..Extent::default() };
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
            match afford(&assertion.expression, &extent) {
                Ok(()) => assert_eq!(width, "", "{text}"),
                Err(why) => assert!(!width.is_empty() && why.contains(&format!("select {width}")), "{text}: {why}"),
            }
        }
        let of = Extent::of(&json!({"ab": [1, {"c": 9_007_199_254_740_993_i64}]}));
        assert_eq!((of.nodes, of.depth, of.paths), (5, 4, 1 + 7 + 13 + 13 + 18));
        assert_eq!(of.inexact, BTreeSet::from(["c".to_owned()]));
    }

    #[test]
    fn what_could_fill_the_memory_is_refused() {
        let wide = Arc::new(Document::any(json!({"a": vec![vec![vec![0; 20]; 20]; 20]})));
        let singular = "$.a[0][0][0] == 0".parse().expect("parses");
        Judging::start(&[singular], &wide).finish().expect("one node needs no room");
        let assertion = "$..*..*..*..*..*..*".parse().expect("parses");
        let error = Judging::start(&[assertion], &wide).finish().expect_err("too wide");
        assert!(error.contains("could select"), "{error}");
        let selectors = format!("$.a{}", "[*,*,*,*]".repeat(20));
        let error = Judging::start(&[selectors.parse().expect("parses")], &wide).finish().expect_err("too wide");
        assert!(error.contains("could select"), "{error}");
    }
}
