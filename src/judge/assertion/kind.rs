//! Kinds of values, and which of them can be compared. Pure.

use serde_json::Value;

use super::syntax::Operator;
use crate::judge::catalogue::Type;

/// What a value is, as far as comparing asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean,
    /// A number.
    Number,
    /// A text.
    Text,
    /// A list.
    List,
    /// An object.
    Object,
}

impl Kind {
    /// The kind of a value.
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Null => Kind::Null,
            Value::Bool(_) => Kind::Boolean,
            Value::Number(_) => Kind::Number,
            Value::String(_) => Kind::Text,
            Value::Array(_) => Kind::List,
            Value::Object(_) => Kind::Object,
        }
    }

    /// The kind of the values of a type; `None` if they can be of any.
    pub fn of_type(is: Type) -> Option<Self> {
        match is {
            Type::Any => None,
            Type::Text | Type::Word(_) => Some(Kind::Text),
            Type::Number => Some(Kind::Number),
            Type::Boolean => Some(Kind::Boolean),
            Type::Object(_) | Type::Free => Some(Kind::Object),
            Type::List(_) => Some(Kind::List),
        }
    }

    /// Whether comparing two values of these kinds says something about them: `null` is compared with anything, others
    /// with their like; and only numbers and texts have an order.
    pub fn is_like(self, operator: Operator, other: Self) -> bool {
        match operator {
            Operator::Equal | Operator::Unequal => self == other || self == Kind::Null || other == Kind::Null,
            _ => self == other && matches!(self, Kind::Number | Kind::Text),
        }
    }

    /// Whether `length()` makes something of it.
    pub fn has_length(self) -> bool {
        matches!(self, Kind::Text | Kind::List | Kind::Object)
    }

    /// In a sentence.
    pub fn told(self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Boolean => "a boolean",
            Kind::Number => "a number",
            Kind::Text => "a text",
            Kind::List => "a list",
            Kind::Object => "an object",
        }
    }
}

impl Operator {
    /// Whether it asks which of two is larger.
    pub fn is_order(self) -> bool {
        !matches!(self, Operator::Equal | Operator::Unequal)
    }

    /// As it is written.
    pub fn written(self) -> &'static str {
        match self {
            Operator::Equal => "==",
            Operator::Unequal => "!=",
            Operator::Less => "<",
            Operator::AtMost => "<=",
            Operator::Greater => ">",
            Operator::AtLeast => ">=",
        }
    }

    /// The one that is true where this is false.
    pub fn contrary(self) -> Self {
        match self {
            Operator::Equal => Operator::Unequal,
            Operator::Unequal => Operator::Equal,
            Operator::Less => Operator::AtLeast,
            Operator::AtMost => Operator::Greater,
            Operator::Greater => Operator::AtMost,
            Operator::AtLeast => Operator::Less,
        }
    }

    /// The one that says the same with the sides exchanged.
    pub fn turned(self) -> Self {
        match self {
            Operator::Less => Operator::Greater,
            Operator::AtMost => Operator::AtLeast,
            Operator::Greater => Operator::Less,
            Operator::AtLeast => Operator::AtMost,
            same => same,
        }
    }

    /// Whether it gives another answer for a value that is left out than for what that stands for. Of nothing, only that it
    /// is unequal is true.
    pub fn misleads(self, other: &Value, is_left: bool) -> bool {
        self.of_zero(other, is_left).is_some_and(|zero| zero != (self == Operator::Unequal))
    }

    /// What it comes to for the value that a member has when the server leaves it out (false, 0 or an empty text),
    /// compared with `other` of the same kind. `is_left`: that value stands on the left.
    fn of_zero(self, other: &Value, is_left: bool) -> Option<bool> {
        let order = match other {
            Value::Bool(other) => false.cmp(other),
            Value::Number(other) => 0.0.partial_cmp(&other.as_f64()?)?,
            Value::String(other) => "".cmp(other),
            _ => return None,
        };
        let order = if is_left { order } else { order.reverse() };
        Some(match self {
            Operator::Equal => order.is_eq(),
            Operator::Unequal => order.is_ne(),
            Operator::Less => order.is_lt(),
            Operator::AtMost => order.is_le(),
            Operator::Greater => order.is_gt(),
            Operator::AtLeast => order.is_ge(),
        })
    }
}

/// The name that is but a typing error away from the one that was written, if there is one.
pub fn close<'n>(wanted: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let most = wanted.chars().count().div_ceil(3).clamp(1, 2);
    let near = names.map(|name| (strsim::osa_distance(wanted, name), name)).filter(|(distance, _)| *distance <= most);
    near.min().map(|(_, name)| name)
}

/// Of the members of an object that could be compared, the one that is most likely meant.
pub fn likely<'n>(members: &[&'n str], last: &str) -> Option<&'n str> {
    let usual = [last, "status", "value"];
    let found = usual.into_iter().find_map(|usual| members.iter().find(|name| **name == usual));
    found.or(if let [only] = members { Some(only) } else { None }).copied()
}

/// The names that are most like the one that was written, the nearest first.
pub fn nearest<'n>(wanted: &str, names: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let mut names: Vec<(f64, &str)> =
        names.map(|name| (strsim::jaro_winkler(wanted, name), name)).filter(|(likeness, _)| *likeness > 0.75).collect();
    names.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    names.dedup();
    names.into_iter().take(3).map(|(_, name)| name).collect()
}
