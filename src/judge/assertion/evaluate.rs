//! Evaluates an assertion: both engines select the nodes of each query, and must agree. Pure.

use std::ops::Deref;

use serde_json::Value;

use super::check::{Check, Found};
use super::cost::{DocumentSize, check_cost, is_inexact};
use super::engines::Compiled;
use super::explain::{missing, nothing_there, only_there};
use super::expression::{Expression, Query, child, leading};
use super::model::Assertion;
use super::show::{SHOWN, brief, show};
use super::truth::Truth;
use crate::judge::document::Document;
use crate::text::format;

impl Assertion {
    /// What each query of the expression selects.
    ///
    /// # Errors
    /// How the engines disagree.
    pub fn select<'d>(&self, document: &'d Document) -> Result<Vec<Vec<&'d Value>>, String> {
        let queries = self.expression.queries.iter().zip(&self.queries);
        let select = |(query, compiled): (&Query, &Compiled)| {
            let nodes = compiled.select(document.root(), |nodes| show(nodes, document));
            nodes.map_err(|why| disagree(&self.expression.text[query.span.clone()], &why))
        };
        queries.map(select).collect()
    }

    /// Evaluates it on a document of this size.
    ///
    /// # Errors
    /// What it would cost, or how the engines disagree.
    pub fn evaluate(&self, document: &Document, size: &impl Deref<Target = DocumentSize>) -> Result<Check, String> {
        let expression = &self.expression;
        check_cost(expression, size)?;
        if !expression.compared.is_empty() && size.has_inexact() {
            comparable(expression, document)?;
        }
        let selected = self.select(document)?;
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
            let wrong = |why: &str| disagree(&expression.text[part.clone()], why);
            let compiled =
                self.parts.iter().find(|(at, _)| *at == part.start).ok_or_else(|| wrong("it was not read"))?;
            let answers = expression.answers(part, &selected);
            let holds = compiled.1.select(&answers, |nodes| format!("{} nodes", nodes.len()));
            let holds = !holds.map_err(|why| wrong(&why))?.is_empty();
            let landed = expression.queries_of(part).all(|(index, _)| queries[index].missing.is_none());
            Ok::<_, String>(match (landed, holds) {
                (false, _) => Truth::Vacuous,
                (true, true) => Truth::True,
                (true, false) => Truth::False,
            })
        })?;
        Ok(Check { queries, outcome, ..Check::not_evaluated(self) })
    }
}

fn disagree(what: &str, why: &str) -> String {
    format!("the engines disagree about {what}: {why}")
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
        let Some(reached) = leading(&query.segments).iter().try_fold(document.value(), child) else { continue };
        let within = DocumentSize::of(reached);
        if let Some(name) = expression.compared.iter().find_map(|segments| within.inexact(segments)) {
            let text = &expression.text;
            return Err(format!(
                "{text} looks at {name:?} in a filter: both engines compare numbers beyond 2^53 - 1 inexactly, and some are there"
            ));
        }
    }
    Ok(())
}
