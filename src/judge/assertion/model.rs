//! An assertion as the user wrote it: a label for reports, and an expression. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use super::engines::Compiled;
use super::parser::{self, Malformed};
use super::syntax::{Expression, Query, Segment, Selector};
use super::types::{self, Finding, Types};
use crate::judge::catalogue::{Subject, Type};
use crate::text::escape;

/// What an assertion that is not true does to the verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Enforcement {
    /// The gate fails.
    #[default]
    Mandatory,
    /// Nothing: it is a warning.
    Advisory,
}

/// One assertion: a label for reports, and an expression.
#[derive(Clone, Debug)]
pub struct Assertion {
    /// `""` if the user gave none.
    pub label: String,
    /// What it does where it is not true.
    pub enforcement: Enforcement,
    /// What is asserted.
    pub expression: Arc<Expression>,
    /// What the catalogue says of it.
    pub(super) types: Arc<Types>,
    /// Each of its queries as the engines have read it, by where it begins.
    pub(super) queries: BTreeMap<usize, Compiled>,
    /// Each of its basic parts, likewise.
    pub(super) parts: BTreeMap<usize, Compiled>,
}

impl PartialEq for Assertion {
    fn eq(&self, other: &Self) -> bool {
        (&self.label, &self.expression) == (&other.label, &other.expression)
    }
}

impl Assertion {
    /// The same, which only warns.
    pub fn advisory(self) -> Self {
        Self { enforcement: Enforcement::Advisory, ..self }
    }

    /// The same about a document of another kind.
    pub fn about(self, subject: Subject) -> Self {
        if self.types.subject == subject {
            return self;
        }
        Self { types: Arc::new(types::check(&self.expression, subject)), ..self }
    }

    /// Whether it asks for a member of the document.
    pub fn looks_at(&self, member: &str) -> bool {
        let is_it = |query: &Query| match query.segments.first().and_then(Segment::only) {
            Some(Selector::Name(name)) => name == member,
            // A query that begins with anything else can reach every member.
            _ => true,
        };
        self.expression.queries().into_iter().any(is_it)
    }

    /// Reads what is one query and nothing else.
    ///
    /// # Errors
    /// What is malformed, or that it is more than a query.
    pub fn query(text: &str) -> Result<Self, String> {
        let query = Self::exactly(text).map_err(|malformed| format!("\"{text}\": expected {}", malformed.why))?;
        match query.expression.queries()[0].span == (0..text.len()) {
            true => Ok(query),
            false => Err(format!("\"{text}\" is not one query")),
        }
    }

    /// Every type that its first query can select, by the catalogue.
    pub fn types(&self) -> BTreeSet<Type> {
        self.expression.queries().first().into_iter().flat_map(|query| self.types.all(query)).collect()
    }

    /// Whether the server leaves out what its first query asks for when that is false, 0 or an empty text.
    pub fn may_be_left_out(&self) -> bool {
        self.expression.queries().first().is_some_and(|query| self.types.may_be_left_out(query))
    }

    /// What of it would check nothing, by the catalogue: the place, why, and what to write instead.
    pub fn refusals(&self) -> Vec<String> {
        let told = |finding: &Finding| {
            let instead = finding.instead.as_ref();
            let instead = instead.map_or_else(String::new, |instead| format!("\n  write: {}", escape::line(instead)));
            format!("{}{}{instead}", caret(&self.expression.text, finding.at), finding.why)
        };
        self.types.findings.iter().filter(|finding| finding.is_refusal).map(told).collect()
    }

    /// The same, each in a line.
    pub fn told_refusals(&self) -> Vec<String> {
        self.told(true)
    }

    /// What may not have been meant, by the catalogue, each in a line.
    pub fn warnings(&self) -> Vec<String> {
        self.told(false)
    }

    fn told(&self, is_refusal: bool) -> Vec<String> {
        let told = |finding: &Finding| {
            let instead = finding.instead.as_ref();
            let instead = instead.map_or_else(String::new, |instead| format!("; did you mean `{instead}`?"));
            format!("`{}`: {}{instead}", self.expression.text, finding.why)
        };
        self.types.findings.iter().filter(|finding| finding.is_refusal == is_refusal).map(told).collect()
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
        let assertion = Self::exactly(body).map_err(|malformed| complain(malformed.at, &malformed.why))?;
        Ok(Self { label: label.into(), ..assertion })
    }
}

impl Assertion {
    /// Takes an expression as it is, without a label or white space around it, and lets both engines read it and each of
    /// its queries and parts.
    ///
    /// # Errors
    /// Where and why it is malformed, or which engine does not accept it.
    pub fn exactly(text: &str) -> Result<Self, Malformed> {
        let expression = Arc::new(parser::parse(text)?);
        let compiled = |at: usize, query: &str| {
            Compiled::new(query).map_err(|rejected| Malformed {
                at,
                why: format!("an expression that both engines accept; {}", rejected.why),
            })
        };
        let queries = expression.queries().into_iter();
        let queries = queries.map(|query| {
            let at = query.span.start;
            Ok((at, compiled(at, &expression.as_query(query))?))
        });
        let queries = queries.collect::<Result<_, Malformed>>()?;
        compiled(0, &expression.as_filter())?;
        let parts = expression.logic.basics().into_iter();
        let parts = parts.map(|part| Ok((part.span.start, compiled(part.span.start, &expression.as_part(part))?)));
        let parts = parts.collect::<Result<_, Malformed>>()?;
        Ok(Self {
            label: String::new(),
            enforcement: Enforcement::Mandatory,
            types: Arc::new(types::check(&expression, Subject::Deploy)),
            expression,
            queries,
            parts,
        })
    }
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
    let after: String = text[at..end].chars().take(80).collect();
    let shown: String = before.iter().rev().copied().chain(after.chars()).collect();
    format!("  {}\n  {}^ ", escape::line(&shown), " ".repeat(before.len()))
}
