//! Evaluates an assertion: both engines select the nodes of each query, and must agree. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use serde_json::Value;

use super::check::{Check, Found, Missing};
use super::cost::{DocumentSize, check_cost, is_inexact};
use super::kind::Kind;
use super::landing::{Landing, Needs, only_there};
use super::likeness::Likeness;
use super::model::Assertion;
use super::node::{kind, member};
use super::show::{SHOWN, brief, show};
use super::syntax::{Asks, Basic, Expression, Operand, Query, Root, Selected, answers, child, nodes};
use super::truth::Truth;
use crate::judge::document::Document;
use crate::text::format;

impl Assertion {
    /// What each query of the expression selects.
    ///
    /// # Errors
    /// How the engines disagree.
    pub fn select<'d>(&self, document: &'d Document) -> Result<Selected<'d>, String> {
        let select = |query: &Query| {
            let compiled = self.queries.get(&query.span.start).ok_or("it was not read".to_owned());
            let nodes = compiled.and_then(|query| query.select(document.root(), |nodes| show(nodes, document)));
            let nodes = nodes.map_err(|why| disagree(self.expression.written(query), &why))?;
            Ok((query.span.start, nodes))
        };
        self.expression.queries().into_iter().map(select).collect()
    }

    /// Evaluates it on a document of this size.
    ///
    /// # Errors
    /// What it would cost, or how the engines disagree.
    pub fn evaluate(&self, document: &Document, size: &impl Deref<Target = DocumentSize>) -> Result<Check, String> {
        let expression = &self.expression;
        check_cost(expression, size)?;
        let compared = compared(expression);
        check_numbers_in_filters(expression, &compared, document, size)?;
        let selected = self.select(document)?;
        check_numbers(expression, &compared, &selected, document)?;
        let Landed { mut missing, mut notes, counted } = self.land(document, &selected)?;
        let queries = expression.queries();
        let (outcome, decided) = expression.logic.join(&mut |part| {
            let holds = self.holds(part, &counted)?;
            let mut inside = queries.iter().map(|query| query.span.start).filter(|at| part.span.contains(at));
            Ok::<_, String>(match (inside.all(|at| !missing.contains_key(&at)), holds) {
                (false, _) => Truth::Vacuous,
                (true, true) => Truth::True,
                (true, false) => Truth::False,
            })
        })?;
        let found = queries.iter().map(|query| {
            let at = query.span.start;
            let nodes = nodes(&counted, query);
            Found {
                query: expression.written(query).into(),
                selected: nodes.len(),
                brief: nodes.iter().take(SHOWN.0).map(|node| format::cut(&brief(node, document), SHOWN.1)).collect(),
                values: nodes.iter().take(SHOWN.0).map(|node| format::cut(&document.shown(node), SHOWN.1)).collect(),
                missing: missing.remove(&at),
                note: notes.remove(&at),
                has_decided: decided.iter().any(|part| part.span.contains(&at)),
            }
        });
        let queries = found.collect();
        Ok(Check { queries, outcome, ..Check::not_evaluated(self) })
    }

    /// Which of its queries landed, and what of their nodes counts.
    fn land<'d>(&self, document: &'d Document, selected: &Selected<'d>) -> Result<Landed<'d>, String> {
        let expression = &*self.expression;
        let landing = Landing { expression, document };
        let likeness = Likeness { landing, selected };
        let (tested, optional) = (tested(expression), optional(expression, document));
        let (mut missing, mut notes) = (BTreeMap::new(), BTreeMap::new());
        let mut counted = Selected::new();
        for query in expression.queries() {
            let at = query.span.start;
            let nodes = nodes(selected, query);
            let is_tested = tested.contains(&at);
            let needs = if is_tested || optional.contains(&at) { Needs::AllButTheLast } else { Needs::All };
            let filtered = likeness.filters(query).map_err(|why| disagree(expression.written(query), &why))?;
            counted.insert(at, nodes.iter().copied().filter(|node| filtered.counts(node)).collect());
            let useless = filtered.missing.map(|why| Missing::useless(landing.path(&query.segments), why));
            missing.extend(landing.missing(query, nodes, needs).or(useless).map(|missing| (at, missing)));
            let note = is_tested.then(|| only_there(query, nodes, document)).flatten().or(filtered.note);
            notes.extend(note.map(|note| (at, note)));
        }
        for part in expression.logic.basics() {
            let has_landed = part.asked().iter().all(|asked| !missing.contains_key(&asked.query.span.start));
            if let Some((query, why)) = has_landed.then(|| likeness.useless(part)).flatten() {
                missing.insert(query.span.start, Missing::useless(landing.path(&query.segments), why));
            }
        }
        Ok(Landed { missing, notes, counted })
    }

    /// Whether a basic part holds, by both engines, of what its queries have selected.
    fn holds(&self, part: &Basic, selected: &Selected<'_>) -> Result<bool, String> {
        let wrong = |why: &str| disagree(&self.expression.text[part.span.clone()], why);
        let compiled = self.parts.get(&part.span.start).ok_or_else(|| wrong("it was not read"))?;
        let answers = answers(part, selected);
        let holds = compiled.select(&answers, |nodes| format!("{} nodes", nodes.len()));
        holds.map(|nodes| !nodes.is_empty()).map_err(|why| wrong(&why))
    }
}
/// What came of the queries of an expression, by where they begin in the text.
struct Landed<'d> {
    /// Why one did not land.
    missing: BTreeMap<usize, Missing>,
    /// What may not have been meant.
    notes: BTreeMap<usize, String>,
    /// What each selected, without what was selected only since it could not be compared.
    counted: Selected<'d>,
}

/// The queries that are tested for existence.
fn tested(expression: &Expression) -> BTreeSet<usize> {
    let tested = |basic: &Basic| match &basic.asks {
        Asks::Exists(query) => Some(query.span.start),
        _ => None,
    };
    expression.logic.all_basics().into_iter().filter_map(tested).collect()
}

/// The queries outside of filters whose last member may be absent: the server leaves a boolean out when it is false, and
/// nothing compares with `true` as `false` does.
fn optional(expression: &Expression, document: &Document) -> BTreeSet<usize> {
    let optional = |basic: &Basic| match &basic.asks {
        Asks::Compare(Operand::Query(query), operator, other)
        | Asks::Compare(other, operator, Operand::Query(query)) => {
            let is_true = other.literal() == Some(&Value::Bool(true)) && !operator.is_order();
            let member = member(Some(document.is()), query).filter(|member| member.may_be_left_out);
            let is_boolean = member.and_then(kind) == Some(Kind::Boolean);
            (is_true && is_boolean).then_some(query.span.start)
        }
        _ => None,
    };
    expression.logic.basics().into_iter().filter_map(optional).collect()
}

fn disagree(what: &str, why: &str) -> String {
    format!("the engines disagree about {what}: {why}")
}

/// The queries whose values are compared with what may be a number that a double cannot tell from its neighbour.
fn compared(expression: &Expression) -> Vec<&Query> {
    let is_small = |operand: &Operand| operand.literal().is_some_and(|literal| !is_inexact(literal));
    let mut compared = Vec::new();
    for basic in expression.logic.all_basics() {
        let sides = match &basic.asks {
            Asks::Exists(_) => continue,
            Asks::Compare(left, _, right) => vec![(left, is_small(right)), (right, is_small(left))],
            Asks::Match(text, pattern) => vec![(text, true), (pattern, true)],
        };
        for (mut operand, is_told_apart) in sides {
            while let Operand::Length(_, inner) = operand {
                operand = inner;
            }
            match operand {
                Operand::Query(query) if !is_told_apart => compared.push(query),
                Operand::Value(_, query) => compared.push(query),
                _ => {}
            }
        }
    }
    compared
}

/// Refuses numbers that cannot be compared.
fn check_numbers(
    expression: &Expression,
    compared: &[&Query],
    selected: &Selected<'_>,
    document: &Document,
) -> Result<(), String> {
    for query in compared.iter().filter(|query| query.root == Root::Document) {
        if let Some(node) = nodes(selected, query).iter().find(|node| is_inexact(node) || is_vast_inside(node)) {
            let (shown, node) = (expression.written(query), document.shown(node));
            return Err(format!("{shown} selects {node}: both engines compare numbers beyond 2^53 - 1 inexactly"));
        }
    }
    Ok(())
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
fn check_numbers_in_filters(
    expression: &Expression,
    compared: &[&Query],
    document: &Document,
    size: &impl Deref<Target = DocumentSize>,
) -> Result<(), String> {
    let mut compared = compared.iter().filter(|query| query.root == Root::Node).peekable();
    if compared.peek().is_none() || !size.has_inexact() {
        return Ok(());
    }
    for query in expression.queries().into_iter().filter(|query| !query.is_singular()) {
        let names = query.leading().iter().filter_map(|segment| segment.only());
        let Some(reached) = names.into_iter().try_fold(document.value(), child) else { continue };
        let within = DocumentSize::of(reached);
        if let Some(name) = compared.clone().find_map(|query| within.inexact(&query.segments)) {
            let text = &expression.text;
            return Err(format!(
                "{text} looks at {name:?} in a filter: both engines compare numbers beyond 2^53 - 1 inexactly, and some are there"
            ));
        }
    }
    Ok(())
}
