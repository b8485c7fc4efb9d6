//! A value of the document together with what the catalogue says of it. Pure.

use serde_json::Value;

use super::kind::Kind;
use super::syntax::{Query, Segment, Selector, child};
use crate::judge::catalogue::{Member, Type};
use crate::judge::document::Document;

/// A value of the document.
#[derive(Clone, Copy)]
pub struct Node<'d> {
    /// The value.
    pub value: &'d Value,
    /// What the catalogue says of it; `None` if it stands under a name that no server answers.
    pub is: Option<Type>,
}

impl<'d> Node<'d> {
    /// The whole document.
    pub fn document(document: &'d Document) -> Self {
        Self { value: document.value(), is: Some(document.is()) }
    }

    /// What a name or an index selects.
    pub fn child(&self, selector: &Selector) -> Option<Self> {
        child(self.value, selector).map(|value| Self { value, is: below(self.is, selector) })
    }

    /// The elements of a list, or the members of an object.
    pub fn elements(&self) -> Vec<Self> {
        match self.value {
            Value::Array(elements) => {
                let is = self.is.and_then(Type::element);
                elements.iter().map(|value| Self { value, is }).collect()
            }
            Value::Object(members) => {
                let member = |name: &str| of_name(self.is, name);
                members.iter().map(|(name, value)| Self { value, is: member(name) }).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Whether a selector can select something of such a value at all: names of an object, indexes of a list.
    pub fn suits(&self, selector: &Selector) -> bool {
        match selector {
            Selector::Name(_) => self.value.is_object(),
            Selector::Index(_) | Selector::Slice => self.value.is_array(),
            Selector::All | Selector::Filter(_) => self.value.is_object() || self.value.is_array(),
        }
    }

    /// Whether a server answers a member of this name.
    pub fn knows(&self, name: &str) -> bool {
        self.is.is_some_and(|is| is.member(name).is_some())
    }

    /// Whether there can be members of any name.
    pub fn is_open(&self) -> bool {
        self.is.is_some_and(Type::is_open)
    }

    /// Where the value is, as a document stays where it is.
    pub fn address(&self) -> usize {
        std::ptr::from_ref(self.value).addr()
    }
}

fn of_name(is: Option<Type>, name: &str) -> Option<Type> {
    is?.member(name).map(|member| member.is).or_else(|| is.filter(|is| is.is_open()).map(|_| Type::Any))
}

fn below(is: Option<Type>, selector: &Selector) -> Option<Type> {
    match selector {
        Selector::Name(name) => of_name(is, name),
        _ => is?.element(),
    }
}

/// What the API knows of what a query of names and indexes asks for, from a value of this type; nothing where it knows no
/// names.
pub fn member(from: Option<Type>, query: &Query) -> Option<Member> {
    let first = Member { is: from?, may_be_left_out: false };
    query.segments.iter().try_fold(first, |at, segment| match segment.only()? {
        Selector::Name(name) => at.is.member(name),
        _ => at
            .is
            .element()
            .filter(|_| at.is != Type::Any && at.is != Type::Free)
            .map(|is| Member { is, may_be_left_out: false }),
    })
}

/// The kind of the values of a member; `None` if they can be of any.
pub fn kind(member: Member) -> Option<Kind> {
    Kind::of_type(member.is)
}

/// The nodes that a segment selects from: with `..` all below as well.
pub fn within<'d>(nodes: &[Node<'d>], segment: &Segment) -> Vec<Node<'d>> {
    if segment.is_below { all_below(nodes.to_vec()) } else { nodes.to_vec() }
}

/// These nodes and all below them.
pub fn all_below(mut nodes: Vec<Node<'_>>) -> Vec<Node<'_>> {
    let mut next = 0;
    while let Some(node) = nodes.get(next) {
        let inside = node.elements();
        nodes.extend(inside);
        next += 1;
    }
    nodes
}

/// What the selectors of a segment select; a filter or slice is taken for all.
pub fn select<'d>(within: &[Node<'d>], segment: &Segment) -> Vec<Node<'d>> {
    let of = |selector: &Selector| match selector {
        Selector::Name(_) | Selector::Index(_) => within.iter().filter_map(|node| node.child(selector)).collect(),
        Selector::Slice | Selector::All | Selector::Filter(_) => elements(within),
    };
    segment.selectors.iter().flat_map(of).collect()
}

/// The elements of lists and the members of objects.
pub fn elements<'d>(nodes: &[Node<'d>]) -> Vec<Node<'d>> {
    nodes.iter().flat_map(Node::elements).collect()
}
