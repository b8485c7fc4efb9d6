//! What came of an assertion, and what each of its queries found. Pure.

use std::collections::BTreeSet;

use serde::Serialize;

use super::model::{Assertion, Enforcement};
use super::truth::Truth;

/// One assertion, judged.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    /// The user's name for it, or `""`.
    pub label: String,
    /// The assertion as it was written.
    pub expression: String,
    /// What it does where it is not true.
    pub enforcement: Enforcement,
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
    /// Whether it is of a part that decided.
    #[serde(skip)]
    pub has_decided: bool,
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

impl Missing {
    /// A path that is there, and of no use.
    pub fn useless(path: String, why: String) -> Self {
        Self { exists: path.clone(), path, nearest: Vec::new(), why }
    }
}

impl Check {
    /// An assertion that was not put to any document.
    pub fn not_evaluated(assertion: &Assertion) -> Self {
        Self {
            label: assertion.label.clone(),
            expression: assertion.expression.text.clone(),
            enforcement: assertion.enforcement,
            outcome: Truth::NotEvaluated,
            queries: Vec::new(),
        }
    }

    /// What the queries that decided have found, each told once, however often it stands in the expression.
    pub fn decisive(&self) -> Vec<&Found> {
        let mut told = BTreeSet::new();
        let is_told = |found: &&Found| found.has_decided && (self.outcome != Truth::Vacuous || found.missing.is_some());
        self.queries.iter().filter(is_told).filter(|found| told.insert(found.query.as_str())).collect()
    }

    /// Whether it is false, or checked nothing.
    pub fn is_not_true(&self) -> bool {
        matches!(self.outcome, Truth::False | Truth::Vacuous)
    }

    /// Whether it fails the gate.
    pub fn has_failed(&self) -> bool {
        self.is_not_true() && self.enforcement == Enforcement::Mandatory
    }

    /// The warning that it is, if it only warns and is not true.
    pub fn warning(&self) -> Option<String> {
        let is_one = self.is_not_true() && self.enforcement == Enforcement::Advisory;
        is_one.then(|| format!("the advisory assertion `{}` {}", self.name(), self.told()))
    }

    /// Its label, or else its text.
    pub fn name(&self) -> &str {
        if self.label.is_empty() { &self.expression } else { &self.label }
    }
}
