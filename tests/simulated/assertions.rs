//! Random assertions, and what they come to: a reading of RFC 9535, of "it must land" and of "like with like" that shares
//! nothing with the gate. Both engines and the gate's own parser only ever see the text.

use std::fmt;

use fastrand::Rng;
use serde_json::Value;

use super::filters::Filter;
use super::types::{Comparison, DOCUMENT, Type};

/// A logical expression.
#[derive(Clone, Debug)]
pub enum Expression {
    Compare(Query, Comparison),
    Count(Query, Comparison),
    Exists(Query),
    Not(Box<Expression>),
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
    /// `--require no-failed-steps`.
    NoFailedSteps,
}

/// A query of the whole document.
#[derive(Clone, Debug)]
pub struct Query(Vec<Segment>);

#[derive(Clone, Debug)]
enum Segment {
    Name(&'static str),
    Index(i64),
    Wildcard,
    Filter(Filter),
}

/// What an assertion comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    True,
    False,
    Vacuous,
}

/// Which members of the document may be absent only since they could not be read: nothing can be said about those.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    Nothing,
    /// The workflow, and with it whether the deploy is a plan.
    Workflow,
    /// Whatever is absent.
    Anything,
}

const PATHS: [&[&str]; 21] = [
    &["plan_only"],
    &["install_deploy_type"],
    &["status_v2"],
    &["status_v2", "status"],
    &["status_v2", "state"],
    &["component_name"],
    &["component_id"],
    &["component_config_version"],
    &["component_build", "is_preview"],
    &["release_id"],
    &["relase_id"],
    // Newer than what the API says.
    &["brand_new"],
    &["outputs"],
    &["outputs", "url"],
    &["outputs", "count"],
    &["workflow", "plan_only"],
    &["workflow", "finished"],
    &["workflow", "status", "status"],
    &["workflow", "nothing", "here"],
    &["oci_artifact", "tag"],
    &["runner_jobs"],
];

/// What can never be there.
const IMPOSSIBLE: [&[&str]; 2] = [&["component_name", "length"], &["runner_jobs", "status"]];

impl Query {
    fn names(path: &[&'static str]) -> Self {
        Self(path.iter().map(|name| Segment::Name(name)).collect())
    }

    fn singular(dice: &mut Rng) -> Self {
        Self::names(dice.choice(PATHS).unwrap_or(&["plan_only"]))
    }

    /// What can be compared: one of the document, or of a step.
    fn comparable(dice: &mut Rng) -> Self {
        match dice.u8(0..24) {
            0 => Self::names(dice.choice(IMPOSSIBLE).unwrap_or(IMPOSSIBLE[0])),
            1..4 => {
                let name = dice.choice(["idx", "name", "retried", "status"]).unwrap_or("idx");
                let steps = Self::names(&["workflow", "steps"]);
                steps.with(Segment::Index(dice.i64(-2..4))).with(Segment::Name(name))
            }
            _ => Self::singular(dice),
        }
    }

    /// What is in a list, or below what takes any name.
    fn of_elements(dice: &mut Rng) -> Self {
        let (path, make, names): (&[_], fn(&mut Rng) -> Filter, _) = match dice.u8(0..8) {
            0 => (&["outputs"], Filter::of_values, ["kind", "kind"]),
            1 => (&["outputs", "mixed"], Filter::of_values, ["kind", "kind"]),
            2 => (&["outputs", "parts"], Filter::of_parts, ["kind", "size"]),
            _ => (&["workflow", "steps"], Filter::of_steps, ["name", "nmae"]),
        };
        let query = Self::names(path).with(match dice.u8(0..6) {
            0 => Segment::Wildcard,
            1 if path != ["outputs"] => Segment::Index(dice.i64(-2..4)),
            _ => Segment::Filter(Filter::random(make, dice)),
        });
        match dice.u8(0..8) {
            0..3 => query.with(Segment::Name(names[0])),
            3 => query.with(Segment::Name(names[1])),
            _ => query,
        }
    }

    fn with(mut self, segment: Segment) -> Self {
        self.0.push(segment);
        self
    }

    fn select<'d>(&self, document: &'d Value) -> Vec<&'d Value> {
        self.0.iter().fold(vec![document], |nodes, segment| segment.select(&nodes))
    }

    fn leading(&self) -> usize {
        self.0.iter().take_while(|segment| matches!(segment, Segment::Name(_) | Segment::Index(_))).count()
    }

    fn is_singular(&self) -> bool {
        self.leading() == self.0.len()
    }

    fn lands(&self, document: &Value, unread: Unread, only_its_parent: bool) -> bool {
        if let Segment::Name(name) = self.0[0] {
            let is_unread = match unread {
                Unread::Nothing => false,
                Unread::Workflow => matches!(name, "workflow" | "plan_only"),
                Unread::Anything => true,
            };
            if is_unread && document.get(name).is_none() {
                return false;
            }
        }
        let leading = self.leading();
        let needed = if self.is_singular() && only_its_parent { leading - 1 } else { leading };
        !Query(self.0[..needed].to_vec()).select(document).is_empty()
    }

    /// Whether each filter looked at something, if there was something, and each name is there or known.
    fn is_fair(&self, document: &Value) -> bool {
        let (mut nodes, mut of) = (vec![document], DOCUMENT);
        self.0.iter().all(|segment| {
            // What a name behind a filter is asked of is all that the filter looks at.
            let all = if matches!(segment, Segment::Filter(_)) { &Segment::Wildcard } else { segment };
            let selected = all.select(&nodes);
            let is_fair = match segment {
                Segment::Filter(filter) => selected.is_empty() || filter.is_fair(of.element(), &selected),
                // Only an object has names.
                Segment::Name(name) => {
                    let can_be = of.member(name).is_known() && nodes.iter().any(|node| node.is_object());
                    can_be || nodes.is_empty() || !selected.is_empty()
                }
                Segment::Index(_) | Segment::Wildcard => true,
            };
            (nodes, of) = (selected, segment.below(of));
            is_fair
        })
    }

    /// What the API says of what it selects.
    fn of(&self) -> Type {
        self.0.iter().fold(DOCUMENT, |of, segment| segment.below(of))
    }

    /// Its filters, with what the API says of the elements.
    fn filters(&self) -> impl Iterator<Item = (&Filter, Type)> {
        self.0
            .iter()
            .scan(DOCUMENT, |of, segment| {
                let of = std::mem::replace(of, segment.below(*of));
                Some((segment, of.element()))
            })
            .filter_map(|(segment, of)| match segment {
                Segment::Filter(filter) => Some((filter, of)),
                _ => None,
            })
    }
}

impl Segment {
    fn select<'d>(&self, nodes: &[&'d Value]) -> Vec<&'d Value> {
        nodes.iter().flat_map(|node| self.select_of(node)).collect()
    }

    fn select_of<'d>(&self, node: &'d Value) -> Vec<&'d Value> {
        let children = || match node {
            Value::Array(elements) => elements.iter().collect::<Vec<_>>(),
            Value::Object(members) => members.values().collect(),
            _ => Vec::new(),
        };
        match self {
            Segment::Name(name) => node.as_object().and_then(|members| members.get(*name)).into_iter().collect(),
            Segment::Index(index) => {
                let Some(elements) = node.as_array() else { return Vec::new() };
                let index = if *index < 0 { elements.len() as i64 + index } else { *index };
                usize::try_from(index).ok().and_then(|index| elements.get(index)).into_iter().collect()
            }
            Segment::Wildcard => children(),
            Segment::Filter(filter) => {
                children().into_iter().filter(|child| filter.keeps(child) == Some(true)).collect()
            }
        }
    }

    /// What the API says of what it selects, of what is of a type.
    fn below(&self, of: Type) -> Type {
        match self {
            Segment::Name(name) => of.member(name),
            Segment::Index(_) | Segment::Wildcard | Segment::Filter(_) => of.element(),
        }
    }
}

impl Expression {
    /// Any that is refused before the wait, or any that is not.
    pub fn random(is_refused: bool, dice: &mut Rng) -> Self {
        let mut all = std::iter::repeat_with(|| Self::any(dice, 2));
        all.find(|expression| expression.is_refused() == is_refused).expect("there are such")
    }

    /// Any expression, not too deep.
    fn any(dice: &mut Rng, depth: u8) -> Self {
        let sub = |dice: &mut Rng| Box::new(Self::any(dice, depth - 1));
        match dice.u8(0..if depth == 0 { 6 } else { 9 }) {
            0 | 1 => {
                let operator = dice.choice(["==", "==", "!=", "!=", "<", "<=", ">", ">="]).unwrap_or("==");
                let query = Query::comparable(dice);
                let kind = if dice.u8(0..4) > 0 { query.of().kind() } else { None };
                Self::Compare(query, Comparison(operator, literal_of(kind, dice)))
            }
            // What people write, and what mostly holds.
            2 => {
                let (path, operator, value): (&[_], _, Value) = match dice.u8(0..5) {
                    0 => (&["plan_only"], "==", false.into()),
                    1 => (&["status_v2", "status"], "==", "active".into()),
                    2 => (&["component_name"], "==", "api".into()),
                    3 => (&["workflow", "finished"], "!=", true.into()),
                    _ => (&["install_deploy_type"], "==", "apply".into()),
                };
                Self::Compare(Query::names(path), Comparison(operator, value))
            }
            3 => Self::Exists(if dice.bool() { Query::singular(dice) } else { Query::of_elements(dice) }),
            4 | 5 => {
                let query = if dice.u8(0..30) == 0 { Query::singular(dice) } else { Query::of_elements(dice) };
                let operator = dice.choice(["==", ">", "<="]).unwrap_or("==");
                Self::Count(query, Comparison(operator, dice.i64(0..4).into()))
            }
            6 => Self::Not(sub(dice)),
            7 => Self::And(sub(dice), sub(dice)),
            _ => Self::Or(sub(dice), sub(dice)),
        }
    }

    /// What it comes to: joined as SQL joins true, false and unknown, which here are 2, 0 and 1.
    pub fn judge(&self, document: &Value, unread: Unread) -> Truth {
        [Truth::False, Truth::Vacuous, Truth::True][usize::from(self.worth(document, unread))]
    }

    fn worth(&self, document: &Value, unread: Unread) -> u8 {
        let is_sound = |query: &Query, only_its_parent: bool| {
            query.lands(document, unread, only_its_parent) && query.is_fair(document)
        };
        let judged = |is_sound: bool| if is_sound { 2 * u8::from(self.holds(document)) } else { 1 };
        match self {
            Self::Compare(query, comparison) => {
                let is_like = query.select(document).iter().all(|found| comparison.fits(found));
                judged(is_like && is_sound(query, comparison.can_do_without(query.of())))
            }
            Self::Count(query, _) => judged(!query.is_singular() && is_sound(query, false)),
            Self::Exists(query) => judged(is_sound(query, true)),
            Self::NoFailedSteps => judged(document["workflow"].get("steps").is_some()),
            Self::Not(inner) => 2 - inner.worth(document, unread),
            Self::And(a, b) => a.worth(document, unread).min(b.worth(document, unread)),
            Self::Or(a, b) => a.worth(document, unread).max(b.worth(document, unread)),
        }
    }

    /// Whether the gate has to refuse it before the wait: each comparison is looked at, whatever joins them.
    pub fn is_refused(&self) -> bool {
        let has_refused = |query: &Query| query.filters().any(|(filter, of)| filter.is_refused(of));
        match self {
            Self::Compare(query, comparison) => comparison.is_refused(query.of(), false),
            Self::Count(query, _) => query.is_singular() || has_refused(query),
            Self::Exists(query) => has_refused(query),
            Self::Not(inner) => inner.is_refused(),
            Self::And(a, b) | Self::Or(a, b) => a.is_refused() || b.is_refused(),
            Self::NoFailedSteps => false,
        }
    }

    /// Whether it asks for the order of a truth value or of nothing, where the two engines may differ.
    pub fn orders_the_orderless(&self) -> bool {
        match self {
            Self::Compare(_, comparison) => comparison.orders_the_orderless(),
            Self::Count(query, _) | Self::Exists(query) => {
                query.filters().any(|(filter, _)| filter.orders_the_orderless())
            }
            Self::Not(inner) => inner.orders_the_orderless(),
            Self::And(a, b) | Self::Or(a, b) => a.orders_the_orderless() || b.orders_the_orderless(),
            Self::NoFailedSteps => false,
        }
    }

    /// Whether it looks at the workflow.
    pub fn looks_at_the_workflow(&self) -> bool {
        match self {
            Self::Compare(query, ..) | Self::Count(query, ..) | Self::Exists(query) => {
                matches!(query.0[0], Segment::Name("workflow"))
            }
            Self::Not(inner) => inner.looks_at_the_workflow(),
            Self::And(a, b) | Self::Or(a, b) => a.looks_at_the_workflow() || b.looks_at_the_workflow(),
            Self::NoFailedSteps => true,
        }
    }

    fn holds(&self, document: &Value) -> bool {
        match self {
            Self::Compare(query, comparison) => comparison.holds(query.select(document).first().copied()),
            Self::Count(query, comparison) => comparison.holds(Some(&query.select(document).len().into())),
            Self::Exists(query) => !query.select(document).is_empty(),
            Self::Not(_) | Self::And(..) | Self::Or(..) => unreachable!("they are joined of others"),
            Self::NoFailedSteps => {
                let steps = document["workflow"]["steps"].as_array().map(Vec::as_slice).unwrap_or_default();
                !steps.is_empty() && !steps.iter().any(has_failed)
            }
        }
    }
}

fn has_failed(step: &Value) -> bool {
    let word = step["status"]["status"].as_str().unwrap_or_default();
    let skipped = ["auto-skipped", "user-skipped", "discarded", "approval-retry"];
    let is_well = ["success", "approved", "no-drift", "drifted", "warning"].contains(&word) || skipped.contains(&word);
    let metadata = &step["status"]["metadata"];
    !is_well && step["retried"] != true && metadata["auto_retried"] != true && metadata["skipped_on_failure"] != true
}

/// Any literal.
pub fn literal(dice: &mut Rng) -> Value {
    let kind = dice.choice([Some("boolean"), Some("number"), Some("text"), Some("text"), None]).flatten();
    kind.map_or(Value::Null, |kind| literal_of(Some(kind), dice))
}

/// One of a kind, or any if there is no such literal.
fn literal_of(kind: Option<&str>, dice: &mut Rng) -> Value {
    match kind {
        Some("boolean") => dice.bool().into(),
        Some("number") => dice.i64(-1..3).into(),
        Some("text") => dice.choice(["active", "api", "apply", "success", "", "v1"]).unwrap_or("").into(),
        _ => literal(dice),
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("$")?;
        self.0.iter().try_for_each(|segment| match segment {
            Segment::Name(name) => write!(f, ".{name}"),
            Segment::Index(index) => write!(f, "[{index}]"),
            Segment::Wildcard => f.write_str("[*]"),
            Segment::Filter(filter) => write!(f, "[?{filter}]"),
        })
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare(query, comparison) => write!(f, "{query} {comparison}"),
            Self::Count(query, comparison) => write!(f, "count({query}) {comparison}"),
            Self::Exists(query) => write!(f, "{query}"),
            Self::Not(inner) => write!(f, "!({inner})"),
            Self::And(a, b) => write!(f, "({a}) && ({b})"),
            Self::Or(a, b) => write!(f, "({a}) || ({b})"),
            Self::NoFailedSteps => f.write_str("no-failed-steps"),
        }
    }
}

/// Some by hand, with what they come to about one document: that an oracle is right is not to be taken on trust.
#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::filters::Names;
    use super::*;

    fn document() -> Value {
        json!({
            "plan_only": false,
            "component_name": "api",
            "status_v2": {"status": "active"},
            "component_build": {},
            "brand_new": "v1",
            "outputs": {"mixed": ["api", "v1", 1, null, {}], "unlike": [1, true], "none": [], "url": "v1"},
            "runner_jobs": [],
            "workflow": {
                "plan_only": false,
                "status": {"status": "success"},
                "steps": [
                    {"name": "plan", "group_retry_idx": 0, "status": {"status": "success"}},
                    {"name": "apply", "idx": 1, "group_retry_idx": 0, "status": {"status": "error"}, "retried": true},
                ],
            },
        })
    }

    fn query(path: &'static str) -> Query {
        Query(path.split('.').map(Segment::Name).collect())
    }

    fn those(path: &'static str, filter: Filter) -> Query {
        query(path).with(Segment::Filter(filter))
    }

    fn is(names: Names, operator: &'static str, literal: impl Into<Value>) -> Filter {
        Filter::Compare(names, Comparison(operator, literal.into()))
    }

    fn not(filter: Filter) -> Filter {
        Filter::Not(filter.into())
    }

    fn compare(query: Query, operator: &'static str, literal: impl Into<Value>) -> Expression {
        Expression::Compare(query, Comparison(operator, literal.into()))
    }

    fn count(query: Query, number: i64) -> Expression {
        Expression::Count(query, Comparison("==", number.into()))
    }

    #[test]
    fn what_is_refused_and_what_the_rest_comes_to() {
        use Truth::{False, True, Vacuous};
        let has = Expression::Exists;
        let steps = "workflow.steps";
        // Whether it is refused, and what it comes to if that is only warned of.
        let cases: Vec<(Expression, bool, Truth)> = vec![
            // Like with like, and unlike.
            (compare(query("component_name"), "==", "api"), false, True),
            (compare(query("component_name"), "!=", 1), true, Vacuous),
            (compare(query("component_name"), "!=", Value::Null), false, True),
            (compare(query("component_name"), "<", Value::Null), true, Vacuous),
            (compare(query("plan_only"), "!=", "no"), true, Vacuous),
            (compare(query("plan_only"), "<=", false), true, Vacuous),
            (compare(query("workflow.status"), "!=", "error"), true, Vacuous),
            (compare(query("component_name.length"), "==", 3), true, Vacuous),
            (compare(query("outputs.url"), "!=", 1), false, Vacuous),
            // Zero is absent.
            (compare(query("plan_only"), "==", false), false, True),
            (compare(query("release_id"), "==", ""), true, Vacuous),
            (compare(query("release_id"), "!=", ""), false, Vacuous),
            (compare(query("workflow.finished"), "==", false), true, Vacuous),
            (compare(query("workflow.finished"), "!=", false), false, Vacuous),
            (compare(query("workflow.finished"), "!=", true), false, True),
            (compare(query("workflow.finished"), "==", true), false, False),
            (compare(query("component_build.is_preview"), "!=", true), false, True),
            (compare(query("oci_artifact.is_new"), "!=", true), false, Vacuous),
            // Names that are not known.
            (compare(query("brand_new"), "==", "v1"), false, True),
            (has(query("release_id")), false, False),
            (has(query("relase_id")), false, Vacuous),
            (has(query("brand_new")), false, True),
            (has(query("outputs.port")), false, False),
            (has(query("outputs.port.number")), false, Vacuous),
            (has(query(steps).with(Segment::Wildcard).with(Segment::Name("nmae"))), false, Vacuous),
            (has(query("runner_jobs").with(Segment::Wildcard).with(Segment::Name("nmae"))), false, False),
            // Filters.
            (count(query(steps), 1), true, Vacuous),
            (count(those(steps, is(&["status", "status"], "==", "error")), 1), false, True),
            (count(those(steps, is(&["status"], "==", "error")), 0), true, Vacuous),
            (count(those(steps, is(&["status"], "!=", Value::Null)), 2), false, True),
            (count(those(steps, is(&["retried"], "==", true)), 1), false, True),
            (count(those(steps, is(&["retried"], "!=", true)), 1), false, True),
            (count(those(steps, is(&["retried"], "==", false)), 0), true, Vacuous),
            (count(those(steps, is(&["retried"], "!=", false)), 2), true, Vacuous),
            (count(those(steps, is(&["retryable"], "==", true)), 0), false, True),
            (count(those(steps, is(&["nmae"], "!=", "plan")), 2), false, Vacuous),
            (count(those(steps, is(&["idx"], ">", 0)), 1), false, True),
            (count(those(steps, is(&["idx"], "==", 0)), 0), true, Vacuous),
            (count(those(steps, is(&["idx"], "<", 1)), 0), false, Vacuous),
            (count(those(steps, is(&["group_retry_idx"], "==", 0)), 2), false, True),
            (has(those(steps, not(Filter::Has(&["nmae"])))), false, Vacuous),
            (has(those(steps, Filter::Has(&["retried"]))), false, True),
            (has(those("runner_jobs", is(&["nmae"], "==", "plan"))), false, False),
            (has(those("runner_jobs", is(&["status"], "==", 1))), true, False),
            // Lists of unlike things.
            (count(those("outputs.mixed", is(&[], "!=", "v1")), 2), false, True),
            (count(those("outputs.mixed", not(is(&[], "==", "v1"))), 2), false, True),
            (count(those("outputs.unlike", is(&[], "!=", "v1")), 2), false, Vacuous),
            (count(those("outputs.none", is(&[], "!=", "v1")), 0), false, True),
            (count(those("outputs.nothing", is(&[], "!=", "v1")), 0), false, Vacuous),
            (has(those("outputs.mixed", is(&[], "<", true))), false, Vacuous),
        ];
        for (expression, is_refused, truth) in cases {
            assert_eq!(expression.is_refused(), is_refused, "{expression}");
            assert_eq!(expression.judge(&document(), Unread::Nothing), truth, "{expression}");
            let either = Expression::Or(expression.clone().into(), has(query("component_name")).into());
            assert_eq!(either.is_refused(), is_refused, "{either}");
        }
    }
}
