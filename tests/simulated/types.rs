//! What the API says of the members that assertions here are about, by hand from `document-fields.json`, and which
//! values may be compared: a reading of the contract that shares nothing with the gate.

use std::fmt;

use serde_json::Value;

/// What the API says of a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Type {
    Boolean,
    Number,
    Text,
    /// One that is written even when it is false, 0 or empty: all others are left out then.
    Always(&'static Type),
    List(&'static Type),
    Object(&'static [(&'static str, Type)]),
    /// An object that takes any name.
    Free,
    /// What is below a free one.
    Any,
    /// What has a name that the API does not know.
    Unknown,
    /// A member of what can have none.
    Impossible,
}

use Type::{Always, Boolean, Free, List, Number, Object, Text};

const STATUS: Type = Object(&[("metadata", Free), ("status", Text), ("status_human_description", Text)]);

const STEP: Type = Object(&[
    ("group_retry_idx", Always(&Number)),
    ("idx", Number),
    ("name", Text),
    ("retried", Boolean),
    ("retryable", Boolean),
    ("status", STATUS),
]);

const WORKFLOW: Type = Object(&[
    ("finished", Boolean),
    ("plan_only", Always(&Boolean)),
    ("status", STATUS),
    ("steps", List(&STEP)),
    ("type", Text),
]);

pub const DOCUMENT: Type = Object(&[
    ("component_build", Object(&[("is_preview", Boolean)])),
    ("component_config_version", Number),
    ("component_id", Text),
    ("component_name", Text),
    ("install_deploy_type", Text),
    ("install_id", Always(&Text)),
    ("oci_artifact", Object(&[("tag", Text)])),
    ("outputs", Free),
    ("plan_only", Always(&Boolean)),
    ("release_id", Text),
    ("runner_jobs", List(&Object(&[("status", Text)]))),
    ("status_v2", STATUS),
    ("workflow", WORKFLOW),
]);

impl Type {
    pub fn member(self, name: &str) -> Self {
        match self {
            Object(members) => members.iter().find(|(other, _)| *other == name).map_or(Self::Unknown, |(_, of)| *of),
            Free | Self::Any => Self::Any,
            Self::Unknown => Self::Unknown,
            _ => Self::Impossible,
        }
    }

    pub fn element(self) -> Self {
        match self {
            List(of) => *of,
            Free | Self::Any => Self::Any,
            Self::Unknown => Self::Unknown,
            _ => Self::Impossible,
        }
    }

    /// Its kind, if it can only be of one.
    pub fn kind(self) -> Option<&'static str> {
        match self {
            Boolean => Some("boolean"),
            Number => Some("number"),
            Text => Some("text"),
            Always(of) => of.kind(),
            List(_) => Some("list"),
            Object(_) | Free => Some("object"),
            Self::Any | Self::Unknown | Self::Impossible => None,
        }
    }

    /// Whether the API knows it, or takes any name there.
    pub fn is_known(self) -> bool {
        !matches!(self, Self::Unknown | Self::Impossible)
    }

    /// Whether the server leaves it out when it has this value.
    fn leaves_out(self, value: &Value) -> bool {
        matches!((self, value), (Boolean, Value::Bool(false)))
            || (self == Number && value.as_f64() == Some(0.0))
            || (self == Text && value == "")
    }
}

/// The kind of a value. `null` has none: it compares with anything.
fn kind(value: &Value) -> Option<&'static str> {
    match value {
        Value::Null => None,
        Value::Bool(_) => Some("boolean"),
        Value::Number(_) => Some("number"),
        Value::String(_) => Some("text"),
        Value::Array(_) => Some("list"),
        Value::Object(_) => Some("object"),
    }
}

fn are_unlike(one: Option<&str>, other: Option<&str>) -> bool {
    one.is_some() && other.is_some() && one != other
}

/// How something is compared, and with what.
#[derive(Clone, Debug)]
pub struct Comparison(pub &'static str, pub Value);

impl Comparison {
    /// Whether it is refused before the wait, of what is of a type.
    pub fn is_refused(&self, of: Type, is_in_filter: bool) -> bool {
        let Self(operator, literal) = self;
        let is_with_zero = of.leaves_out(literal) && (*operator == "==" || (*operator == "!=" && is_in_filter));
        let orders = of.kind().is_some() && self.orders_the_orderless();
        of == Type::Impossible || are_unlike(of.kind(), kind(literal)) || is_with_zero || orders
    }

    /// Whether it asks for the order of a truth value or of nothing.
    pub fn orders_the_orderless(&self) -> bool {
        self.0.starts_with(['<', '>']) && !self.1.is_number() && !self.1.is_string()
    }

    /// Whether it compares like with like; only numbers and texts have an order.
    pub fn fits(&self, found: &Value) -> bool {
        let has_order = |value: &Value| value.is_number() || value.is_string();
        let orders = self.0.starts_with(['<', '>']);
        !are_unlike(kind(found), kind(&self.1)) && !(orders && !(has_order(found) && has_order(&self.1)))
    }

    /// Whether it can be told of one that is absent outside of a filter: a boolean that is left out is not true.
    pub fn can_do_without(&self, of: Type) -> bool {
        of == Boolean && self.1 == true && matches!(self.0, "==" | "!=")
    }

    /// Whether an element of a filter was looked at although it is absent: what takes any name knows none.
    pub fn looks_at_absent(&self, of: Type) -> bool {
        of.is_known() && of != Type::Any && !self.1.is_null() && !self.misleads(of)
    }

    /// Whether it gives another answer for what the server leaves out than for what that stands for. Texts with an order
    /// are times.
    pub fn misleads(&self, of: Type) -> bool {
        let zero: Value = match of {
            Boolean => false.into(),
            Number => 0.into(),
            Text if !self.0.starts_with(['<', '>']) => "".into(),
            _ => return false,
        };
        self.holds(Some(&zero)) != self.holds(None)
    }

    /// Whether it is true, as RFC 9535 says.
    pub fn holds(&self, found: Option<&Value>) -> bool {
        let Self(operator, literal) = self;
        let Some(found) = found else { return *operator == "!=" };
        let order = match (found, literal) {
            (Value::Number(a), Value::Number(b)) => a.as_f64().partial_cmp(&b.as_f64()),
            (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
            _ => None,
        };
        match *operator {
            "==" => found == literal,
            "!=" => found != literal,
            "<" => order.is_some_and(|order| order.is_lt()),
            ">" => order.is_some_and(|order| order.is_gt()),
            "<=" => found == literal || order.is_some_and(|order| order.is_lt()),
            _ => found == literal || order.is_some_and(|order| order.is_gt()),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, self.1)
    }
}
