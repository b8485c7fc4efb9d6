//! Random assertions, and what they come to: a reading of RFC 9535 and of "it must land" that shares nothing with the
//! gate. Both engines and the gate's own parser only ever see the text.

use std::fmt;

use fastrand::Rng;
use serde_json::Value;

/// A logical expression.
#[derive(Clone, Debug)]
pub enum Expression {
    Compare(Query, &'static str, Value),
    Count(Query, &'static str, i64),
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
    /// `[?@.status.status == '…']`
    StatusIs(&'static str),
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

const PATHS: [&[&str]; 14] = [
    &["plan_only"],
    &["install_deploy_type"],
    &["status_v2", "status"],
    &["status_v2", "state"],
    &["component_name"],
    &["component_id"],
    &["release_id"],
    &["outputs", "url"],
    &["workflow", "plan_only"],
    &["workflow", "finished"],
    &["workflow", "status", "status"],
    &["workflow", "nothing", "here"],
    &["oci_artifact", "tag"],
    &["runner_jobs"],
];

impl Query {
    fn singular(dice: &mut Rng) -> Self {
        let path = dice.choice(PATHS).unwrap_or(&["plan_only"]);
        Self(path.iter().map(|name| Segment::Name(name)).collect())
    }

    fn of_steps(dice: &mut Rng) -> Self {
        let mut query = vec![Segment::Name("workflow"), Segment::Name("steps")];
        query.push(match dice.u8(0..4) {
            0 => Segment::Wildcard,
            1 => Segment::Index(dice.i64(-2..4)),
            2 => Segment::StatusIs("error"),
            _ => Segment::StatusIs("success"),
        });
        if dice.bool() {
            query.push(Segment::Name("name"));
        }
        Self(query)
    }

    fn select<'d>(&self, document: &'d Value) -> Vec<&'d Value> {
        self.0
            .iter()
            .fold(vec![document], |nodes, segment| nodes.into_iter().flat_map(|node| segment.select(node)).collect())
    }

    fn leading(&self) -> usize {
        self.0.iter().take_while(|segment| matches!(segment, Segment::Name(_) | Segment::Index(_))).count()
    }

    fn lands(&self, document: &Value, unread: Unread, only_existence: bool) -> bool {
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
        let is_singular = leading == self.0.len();
        let needed = if is_singular && only_existence { leading - 1 } else { leading };
        !Query(self.0[..needed].to_vec()).select(document).is_empty()
    }
}

impl Segment {
    fn select<'d>(&self, node: &'d Value) -> Vec<&'d Value> {
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
            Segment::StatusIs(word) => {
                children().into_iter().filter(|child| child["status"]["status"] == **word).collect()
            }
        }
    }
}

impl Expression {
    /// Any expression, not too deep.
    pub fn random(dice: &mut Rng, depth: u8) -> Self {
        let sub = |dice: &mut Rng| Box::new(Self::random(dice, depth - 1));
        match dice.u8(0..if depth == 0 { 5 } else { 8 }) {
            0 | 1 => {
                let operator = dice.choice(["==", "!=", "<", "<=", ">", ">="]).unwrap_or("==");
                Self::Compare(Query::singular(dice), operator, literal(dice))
            }
            // What people write, and what mostly holds.
            2 => {
                let (path, value): (&[&'static str], Value) = match dice.u8(0..4) {
                    0 => (&["plan_only"], false.into()),
                    1 => (&["status_v2", "status"], "active".into()),
                    2 => (&["component_name"], "api".into()),
                    _ => (&["install_deploy_type"], "apply".into()),
                };
                Self::Compare(Query(path.iter().map(|name| Segment::Name(name)).collect()), "==", value)
            }
            3 => Self::Exists(if dice.bool() { Query::singular(dice) } else { Query::of_steps(dice) }),
            4 => {
                let mut query = Query::of_steps(dice);
                // A count of a singular query is a matter of taste between engines, and not asked for here.
                query.0[2] = if dice.bool() { Segment::Wildcard } else { Segment::StatusIs("error") };
                Self::Count(query, dice.choice(["==", ">", "<="]).unwrap_or("=="), dice.i64(0..4))
            }
            5 => Self::Not(sub(dice)),
            6 => Self::And(sub(dice), sub(dice)),
            _ => Self::Or(sub(dice), sub(dice)),
        }
    }

    /// What it comes to: joined as SQL joins true, false and unknown, which here are 2, 0 and 1.
    pub fn judge(&self, document: &Value, unread: Unread) -> Truth {
        [Truth::False, Truth::Vacuous, Truth::True][usize::from(self.worth(document, unread))]
    }

    fn worth(&self, document: &Value, unread: Unread) -> u8 {
        let basic = |landed: bool| if landed { 2 * u8::from(self.holds(document)) } else { 1 };
        match self {
            Self::Compare(query, ..) | Self::Count(query, ..) => basic(query.lands(document, unread, false)),
            Self::Exists(query) => basic(query.lands(document, unread, true)),
            Self::NoFailedSteps => basic(document["workflow"].get("steps").is_some()),
            Self::Not(inner) => 2 - inner.worth(document, unread),
            Self::And(a, b) => a.worth(document, unread).min(b.worth(document, unread)),
            Self::Or(a, b) => a.worth(document, unread).max(b.worth(document, unread)),
        }
    }

    /// Whether it asks for the order of a truth value or of nothing.
    pub fn orders_what_has_no_order(&self) -> bool {
        match self {
            Self::Compare(_, operator, literal) => {
                operator.starts_with(['<', '>']) && !literal.is_number() && !literal.is_string()
            }
            Self::Not(inner) => inner.orders_what_has_no_order(),
            Self::And(a, b) | Self::Or(a, b) => a.orders_what_has_no_order() || b.orders_what_has_no_order(),
            Self::Count(..) | Self::Exists(_) | Self::NoFailedSteps => false,
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
            Self::Compare(query, operator, literal) => {
                compare(query.select(document).first().copied(), operator, literal)
            }
            Self::Count(query, operator, number) => {
                compare(Some(&query.select(document).len().into()), operator, &(*number).into())
            }
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

fn compare(found: Option<&Value>, operator: &str, literal: &Value) -> bool {
    let Some(found) = found else { return operator == "!=" };
    let order = match (found, literal) {
        (Value::Number(a), Value::Number(b)) => a.as_f64().partial_cmp(&b.as_f64()),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        _ => None,
    };
    match operator {
        "==" => found == literal,
        "!=" => found != literal,
        "<" => order.is_some_and(|order| order.is_lt()),
        ">" => order.is_some_and(|order| order.is_gt()),
        "<=" => found == literal || order.is_some_and(|order| order.is_lt()),
        _ => found == literal || order.is_some_and(|order| order.is_gt()),
    }
}

fn literal(dice: &mut Rng) -> Value {
    match dice.u8(0..5) {
        0 => Value::Bool(dice.bool()),
        1 => Value::Null,
        2 => dice.i64(-1..3).into(),
        _ => dice.choice(["active", "api", "apply", "success", "", "v1"]).unwrap_or("").into(),
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("$")?;
        self.0.iter().try_for_each(|segment| match segment {
            Segment::Name(name) => write!(f, ".{name}"),
            Segment::Index(index) => write!(f, "[{index}]"),
            Segment::Wildcard => f.write_str("[*]"),
            Segment::StatusIs(word) => write!(f, "[?@.status.status == '{word}']"),
        })
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare(query, operator, literal) => write!(f, "{query} {operator} {literal}"),
            Self::Count(query, operator, number) => write!(f, "count({query}) {operator} {number}"),
            Self::Exists(query) => write!(f, "{query}"),
            Self::Not(inner) => write!(f, "!({inner})"),
            Self::And(a, b) => write!(f, "({a}) && ({b})"),
            Self::Or(a, b) => write!(f, "({a}) || ({b})"),
            Self::NoFailedSteps => f.write_str("no-failed-steps"),
        }
    }
}
