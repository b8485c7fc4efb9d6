//! Random filters, which elements they keep, and whether they looked at anything.

use std::fmt;

use fastrand::Rng;
use serde_json::Value;

use super::assertions::literal;
use super::types::{Comparison, Type};

/// The names below an element.
pub type Names = &'static [&'static str];

/// What a filter asks of each element.
#[derive(Clone, Debug)]
pub enum Filter {
    Compare(Names, Comparison),
    Has(Names),
    Not(Box<Filter>),
    And(Box<Filter>, Box<Filter>),
}

impl Filter {
    /// One, or some that are joined, of those that are made here.
    pub fn random(make: fn(&mut Rng) -> Self, dice: &mut Rng) -> Self {
        match dice.u8(0..6) {
            0 => Self::Not(Box::new(make(dice))),
            1 => Self::And(Box::new(make(dice)), Box::new(make(dice))),
            _ => make(dice),
        }
    }

    /// Of the steps of a workflow.
    pub fn of_steps(dice: &mut Rng) -> Self {
        let word = dice.choice(["error", "success", "success", "pending"]).unwrap_or("error");
        let is_or_not = dice.choice(["==", "!="]).unwrap_or("==");
        let (names, operator, literal): (Names, _, Value) = match dice.u8(0..11) {
            0..3 => (&["status", "status"], is_or_not, word.into()),
            3 => (&["status"], is_or_not, word.into()),
            4 => (&["retried"], is_or_not, true.into()),
            5 => (&["retried"], is_or_not, false.into()),
            6 => (&["nmae"], is_or_not, word.into()),
            7 => (&["idx"], dice.choice(["==", "!=", ">", "<="]).unwrap_or(">"), dice.i64(0..3).into()),
            8 => (&["group_retry_idx"], is_or_not, dice.i64(0..2).into()),
            9 => (&["name"], is_or_not, if dice.bool() { "apply api".into() } else { dice.i64(0..2).into() }),
            _ => return Self::Has(dice.choice([&["name"], &["retried"], &["nmae"]]).unwrap_or(&["name"])),
        };
        Self::Compare(names, Comparison(operator, literal))
    }

    /// Of values of any kind.
    pub fn of_values(dice: &mut Rng) -> Self {
        let operator = dice.choice(["==", "!=", "!=", "<", ">="]).unwrap_or("==");
        Self::Compare(&[], Comparison(operator, literal(dice)))
    }

    /// Of objects with any members.
    pub fn of_parts(dice: &mut Rng) -> Self {
        let names: Names = if dice.bool() { &["kind"] } else { &["size"] };
        let literal = dice.choice([Value::Null, true.into(), 1.into(), "api".into(), "v1".into()]).unwrap_or_default();
        match dice.u8(0..4) {
            0 => Self::Has(names),
            1 if !literal.is_null() && literal != true => Self::Compare(names, Comparison(">=", literal)),
            _ => Self::Compare(names, Comparison(dice.choice(["==", "!="]).unwrap_or("=="), literal)),
        }
    }

    /// Whether it keeps an element. What only unlike comparisons could say is not known, and the element not kept.
    pub fn keeps(&self, element: &Value) -> Option<bool> {
        match self {
            Self::Compare(names, comparison) => {
                let found = at(element, names);
                found.is_none_or(|found| comparison.fits(found)).then(|| comparison.holds(found))
            }
            Self::Has(names) => Some(at(element, names).is_some()),
            Self::Not(inner) => inner.keeps(element).map(|keeps| !keeps),
            Self::And(a, b) => match (a.keeps(element), b.keeps(element)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
        }
    }

    /// Whether each of its parts looked at one of the elements at least. `of` is what the API says of them.
    pub fn is_fair(&self, of: Type, elements: &[&Value]) -> bool {
        match self {
            Self::Compare(names, comparison) => {
                let of = below(of, names);
                let is_absent = |element: &&Value| at(element, names).is_none();
                let misleads = comparison.misleads(of) && elements.iter().any(is_absent);
                let there: Vec<&Value> = elements.iter().filter_map(|element| at(element, names)).collect();
                let looked = match there.as_slice() {
                    [] => comparison.looks_at_absent(of),
                    there => there.iter().any(|found| comparison.fits(found)),
                };
                looked && !misleads
            }
            Self::Has(names) => {
                below(of, names).is_known() || elements.iter().any(|element| at(element, names).is_some())
            }
            Self::Not(inner) => inner.is_fair(of, elements),
            Self::And(a, b) => a.is_fair(of, elements) && b.is_fair(of, elements),
        }
    }

    /// Whether the types forbid one of its comparisons.
    pub fn is_refused(&self, of: Type) -> bool {
        self.comparisons().iter().any(|(names, comparison)| comparison.is_refused(below(of, names), true))
    }

    /// Whether it asks for the order of a truth value or of nothing.
    pub fn orders_the_orderless(&self) -> bool {
        self.comparisons().iter().any(|(_, comparison)| comparison.orders_the_orderless())
    }

    fn comparisons(&self) -> Vec<(Names, &Comparison)> {
        match self {
            Self::Compare(names, comparison) => vec![(names, comparison)],
            Self::Has(_) => Vec::new(),
            Self::Not(inner) => inner.comparisons(),
            Self::And(a, b) => [a.comparisons(), b.comparisons()].concat(),
        }
    }
}

fn at(element: &Value, names: Names) -> Option<&Value> {
    names.iter().try_fold(element, |value, name| value.get(*name))
}

fn below(of: Type, names: Names) -> Type {
    names.iter().fold(of, |of, name| of.member(name))
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = |names: Names| names.iter().fold("@".to_owned(), |path, name| path + "." + name);
        match self {
            Self::Compare(names, comparison) => write!(f, "{} {comparison}", path(names)),
            Self::Has(names) => f.write_str(&path(names)),
            Self::Not(inner) => write!(f, "!({inner})"),
            Self::And(a, b) => write!(f, "({a}) && ({b})"),
        }
    }
}
