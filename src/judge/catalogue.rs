//! The catalogue: which members a document can have, and of which types. Pure.
//!
//! It is `schema/document.v1.json`, the union of what all servers answer; `schema/document.py` makes it. A type is read
//! when it is first asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{LazyLock, OnceLock};

use crate::nuon::{deploy, workflow};

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Type {
    /// Nothing is known of it: any value, with members of any name.
    Any,
    /// An object with members of any name.
    Free,
    /// A text.
    Text,
    /// A text of which the usual words are known.
    Word(Named),
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// An object with known members.
    Object(Named),
    /// A list.
    List(Element),
}

/// A type that has a name: its place in the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named(usize);

/// The type of the elements of a list, which is no list itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Element {
    /// Anything.
    Any,
    /// A text.
    Text,
    /// A number.
    Number,
    /// An object or a word.
    Named(Named),
}

/// A member of an object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Member {
    /// What it is.
    pub is: Type,
    /// Whether the server leaves it out when it is false, 0 or an empty text.
    pub may_be_left_out: bool,
}

/// A type as it was read.
enum Entry {
    Object {
        members: BTreeMap<&'static str, Member>,
        /// Whether there may be members of other names.
        is_open: bool,
    },
    Words(BTreeSet<&'static str>),
}

struct Catalogue {
    /// What a deploy document is, and what that of a workflow is.
    roots: [&'static str; 2],
    /// Which answer fills in which members of the document.
    answers: BTreeMap<&'static str, &'static str>,
    /// By name, in order.
    types: Vec<(&'static str, &'static str, OnceLock<Entry>)>,
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let lines = include_str!("../../schema/document.v1.json").lines();
    let pairs = lines.filter_map(|line| line.trim_end_matches(',').strip_prefix('"')?.split_once("\":"));
    let (mut roots, mut answers, mut types) = ([""; 2], BTreeMap::new(), Vec::new());
    for (name, value) in pairs {
        match name {
            "root" => roots[0] = value.trim_matches('"'),
            "workflow" => roots[1] = value.trim_matches('"'),
            "answers" => answers = object(value),
            "types" => {}
            _ => types.push((name, value, OnceLock::new())),
        }
    }
    Catalogue { roots, answers, types }
});

/// A line's value: texts by their names.
fn object(text: &'static str) -> BTreeMap<&'static str, &'static str> {
    serde_json::from_str(text).unwrap_or_default()
}

/// The type of a whole document about this.
pub fn document(subject: Subject) -> Type {
    named(CATALOGUE.roots[usize::from(subject == Subject::Workflow)])
}

/// What a document is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Subject {
    /// A deploy of a component.
    #[default]
    Deploy,
    /// A workflow as a whole.
    Workflow,
}

fn named(name: &str) -> Type {
    match CATALOGUE.types.binary_search_by_key(&name, |(name, ..)| name) {
        Ok(place) if CATALOGUE.types[place].1.starts_with("{\"words\"") => Type::Word(Named(place)),
        Ok(place) => Type::Object(Named(place)),
        Err(_) => Type::Any,
    }
}

/// A type as the catalogue writes it.
fn kind(text: &str) -> Type {
    match text {
        "text" => Type::Text,
        "number" => Type::Number,
        "boolean" => Type::Boolean,
        "free" => Type::Free,
        _ => match text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
            Some(element) => Type::List(match kind(element) {
                Type::Text => Element::Text,
                Type::Number => Element::Number,
                Type::Object(named) | Type::Word(named) => Element::Named(named),
                Type::Any | Type::Free | Type::Boolean | Type::List(_) => Element::Any,
            }),
            None => named(text),
        },
    }
}

impl Named {
    /// The name of the type.
    pub fn name(self) -> &'static str {
        CATALOGUE.types[self.0].0
    }

    fn entry(self) -> &'static Entry {
        let (name, text, entry) = &CATALOGUE.types[self.0];
        entry.get_or_init(|| {
            let mut kinds = object(text);
            if let Some(words) = kinds.get("words") {
                return Entry::Words(words.split(' ').chain(more_words(name)).collect());
            }
            let always: BTreeSet<&str> = kinds.remove("always").unwrap_or_default().split(' ').collect();
            let mut members = BTreeMap::new();
            for (is, names) in kinds {
                let member = |name| Member { is: kind(is), may_be_left_out: !always.contains(name) };
                members.extend(names.split(' ').map(|name| (name, member(name))));
            }
            let is_open = members.remove("*").is_some();
            Entry::Object { members, is_open }
        })
    }
}

/// The words of the gate's own tables, which know more than the API tells.
fn more_words(name: &str) -> Vec<&'static str> {
    let deploys = deploy::TABLE.iter().map(|row| row.status);
    let workflows = workflow::TABLE.iter().map(|row| row.workflow);
    match name {
        "Status" | "StatusOfRun" => deploys.chain(workflows).filter(|word| !word.is_empty()).collect(),
        _ => Vec::new(),
    }
}

impl Type {
    /// The members that are known of it, by their names.
    pub fn members(self) -> impl Iterator<Item = (&'static str, Member)> {
        let members = match self {
            Type::Object(named) => match named.entry() {
                Entry::Object { members, .. } => Some(members),
                Entry::Words(_) => None,
            },
            _ => None,
        };
        members.into_iter().flatten().map(|(name, member)| (*name, *member))
    }

    /// A member of it.
    pub fn member(self, name: &str) -> Option<Member> {
        match self {
            Type::Object(named) => match named.entry() {
                Entry::Object { members, .. } => members.get(name).copied(),
                Entry::Words(_) => None,
            },
            _ => None,
        }
    }

    /// Whether it can have members of any name.
    pub fn is_open(self) -> bool {
        match self {
            Type::Any | Type::Free => true,
            Type::Object(named) => matches!(named.entry(), Entry::Object { is_open: true, .. }),
            _ => false,
        }
    }

    /// What its elements are, if it can be a list.
    pub fn element(self) -> Option<Type> {
        match self {
            // What is free is judged by the document alone.
            Type::Any | Type::Free | Type::List(Element::Any) => Some(Type::Any),
            Type::List(Element::Text) => Some(Type::Text),
            Type::List(Element::Number) => Some(Type::Number),
            Type::List(Element::Named(named)) => Some(match named.entry() {
                Entry::Object { .. } => Type::Object(named),
                Entry::Words(_) => Type::Word(named),
            }),
            _ => None,
        }
    }

    /// Whether it is a text, a number or a boolean.
    pub fn is_scalar(self) -> bool {
        matches!(self, Type::Text | Type::Word(_) | Type::Number | Type::Boolean)
    }

    /// The words that are known of it.
    pub fn words(self) -> Option<&'static BTreeSet<&'static str>> {
        match self {
            Type::Word(named) => match named.entry() {
                Entry::Words(words) => Some(words),
                Entry::Object { .. } => None,
            },
            _ => None,
        }
    }

    /// What it is, in a few words.
    pub fn told(self) -> String {
        match self {
            Type::Any => "anything".into(),
            Type::Text => "a text".into(),
            Type::Word(_) => "a word".into(),
            Type::Number => "a number".into(),
            Type::Boolean => "true or false".into(),
            Type::Object(_) => "an object".into(),
            Type::Free => "an object with any members".into(),
            Type::List(_) => match self.element() {
                Some(Type::Object(_)) => "a list of objects".into(),
                Some(Type::Text | Type::Word(_)) => "a list of texts".into(),
                Some(Type::Number) => "a list of numbers".into(),
                _ => "a list".into(),
            },
        }
    }
}

/// Which answer of the server a member of the document is first found in.
pub fn answer(member: &str, subject: Subject) -> &'static str {
    match (subject, member) {
        (Subject::Deploy, _) => {}
        (Subject::Workflow, "deploys") => return "deploys/{id}",
        (Subject::Workflow, "install") => return "installs/{id}",
        (Subject::Workflow, _) => return "workflows/{id}",
    }
    let of = |names: &&str| names.split(' ').any(|name| name == member);
    CATALOGUE.answers.iter().find(|(_, names)| of(names)).map_or("deploys/latest", |(answer, _)| answer)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use super::*;

    /// Every path of a value whose type the catalogue does not know, or knows otherwise.
    fn unknown(value: &Value, is: Type, path: &str, found: &mut Vec<String>) {
        match (value, is) {
            (_, Type::Any) | (Value::Object(_), Type::Free) => {}
            (Value::String(text), _) if text == "any" => {}
            (Value::Object(members), Type::Object(_)) => {
                for (name, value) in members {
                    match is.member(name) {
                        Some(member) => unknown(value, member.is, &format!("{path}.{name}"), found),
                        None if is.is_open() => {}
                        None => found.push(format!("{path}.{name}")),
                    }
                }
            }
            (Value::Array(elements), Type::List(_)) => {
                let element = is.element().expect("a list has elements");
                elements.iter().for_each(|value| unknown(value, element, &format!("{path}[]"), found));
            }
            (Value::String(text), is) => {
                let fits = match text.as_str() {
                    "text" => matches!(is, Type::Text | Type::Word(_)),
                    "number" => is == Type::Number,
                    _ => is == Type::Boolean,
                };
                if !fits {
                    found.push(format!("{path} is {text}"));
                }
            }
            _ => found.push(format!("{path} is {}", is.told())),
        }
    }

    /// Names and types only: the example that the public page of the endpoint shows.
    #[test]
    fn every_member_of_the_public_page_is_known() {
        let page = std::fs::read_to_string("tests/data/public-page.json").expect("a file");
        let page: Value = serde_json::from_str(&page).expect("JSON");
        let mut found = Vec::new();
        unknown(&page, document(Subject::Deploy), "$", &mut found);
        assert_eq!(found, [""; 0], "the catalogue does not know them");
        unknown(
            &serde_json::json!({"plan_onyl": "text", "plan_only": "number"}),
            document(Subject::Deploy),
            "$",
            &mut found,
        );
        assert_eq!(found, ["$.plan_onyl", "$.plan_only is number"], "the test finds what is not known");
    }

    #[test]
    fn the_file_is_json_and_whole() {
        let file: BTreeMap<String, Value> =
            serde_json::from_str(include_str!("../../schema/document.v1.json")).expect("JSON");
        let types = file["types"].as_object().expect("types");
        assert_eq!(types.len(), CATALOGUE.types.len());
        let mut members = 0;
        for (name, ..) in &CATALOGUE.types {
            assert_ne!(named(name), Type::Any, "{name}");
            for (member, is) in named(name).members() {
                let of =
                    |kind: &str| types[*name][kind].as_str().unwrap_or_default().split(' ').any(|name| name == member);
                let is_open = of("any");
                assert_eq!(is.is == Type::Any, is_open, "{name}.{member}: its type is in the catalogue");
                members += 1;
            }
        }
        assert!(members > 900, "{members} members");
    }

    #[test]
    fn words_are_those_of_the_api_and_of_the_gate() {
        let status = document(Subject::Deploy)
            .member("status_v2")
            .and_then(|member| member.is.member("status"))
            .expect("a member");
        let words = status.is.words().expect("words");
        assert!(words.contains("success") && words.contains("syncing") && words.contains("failed-pending-retry"));
        assert!(!words.contains(""));
    }
}
