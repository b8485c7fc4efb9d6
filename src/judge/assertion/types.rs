//! What the catalogue says of an expression, before there is any document: which types its queries can select, and what
//! of it would check nothing. Pure.
//!
//! The catalogue is the union of what all servers answer, so what one of them can answer is not refused; a name or a word
//! that it does not know is only a warning, since servers grow.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::kind::{Kind, close, likely};
use super::parser::parse;
use super::syntax::{Asks, Basic, Expression, Logic, Operand, Operator, Query, Root, Segment, Selector};
use crate::judge::catalogue::{self, Subject, Type};

type Set = BTreeSet<Type>;

/// What the catalogue says of an expression.
#[derive(Clone, Debug, Default)]
pub struct Types {
    /// What the document is about.
    pub subject: Subject,
    /// What each query can select, by where it begins in the text.
    reach: BTreeMap<usize, Reach>,
    /// What is wrong, or may be.
    pub findings: Vec<Finding>,
}

/// What a query can select.
#[derive(Clone, Debug, Default)]
struct Reach {
    types: Set,
    /// Whether the server leaves the member out when it is false, 0 or an empty text.
    may_be_left_out: bool,
}

/// Something of an expression that would check nothing, or that may not have been meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where it is in the text.
    pub at: usize,
    /// Whether the types forbid it; else it is a warning.
    pub is_refusal: bool,
    /// What is wrong.
    pub why: String,
    /// An expression that does what was meant.
    pub instead: Option<String>,
}

/// Walks every query of an expression through the catalogue, from a document about this.
pub fn check(expression: &Expression, subject: Subject) -> Types {
    check_up_to(expression, subject, 3)
}

/// What is suggested is checked as well, so often: one mistake can stand behind another.
fn check_up_to(expression: &Expression, subject: Subject, suggestions: u8) -> Types {
    let mut walk = Walk { text: &expression.text, types: Types { subject, ..Types::default() } };
    walk.logic(&expression.logic, None);
    let better = |instead: String| {
        let suggested = check_up_to(&parse(&instead).ok()?, subject, suggestions.checked_sub(1)?);
        let refusal = suggested.findings.into_iter().find(|finding| finding.is_refusal);
        refusal.map_or(Some(instead), |refusal| refusal.instead)
    };
    for finding in &mut walk.types.findings {
        finding.instead = finding.instead.take().and_then(better);
    }
    walk.types
}

impl Types {
    /// What kinds of values a query can select; `None` if any.
    pub fn kinds(&self, query: &Query) -> Option<BTreeSet<Kind>> {
        self.reach.get(&query.span.start)?.types.iter().map(|is| Kind::of_type(*is)).collect()
    }

    /// Whether what a query asks for is a member that the server leaves out when it is false, 0 or an empty text.
    pub fn may_be_left_out(&self, query: &Query) -> bool {
        self.reach.get(&query.span.start).is_some_and(|reach| reach.may_be_left_out)
    }

    /// Every type that a query can select.
    pub fn all(&self, query: &Query) -> impl Iterator<Item = Type> {
        self.reach.get(&query.span.start).into_iter().flat_map(|reach| reach.types.iter().copied())
    }
}

struct Walk<'e> {
    text: &'e str,
    types: Types,
}

impl Walk<'_> {
    /// `node`: in a filter, the types of its elements.
    fn logic(&mut self, logic: &Logic, node: Option<&Set>) {
        for (basic, is_negated) in logic.signed_basics() {
            for asked in basic.asked() {
                self.query(asked.query, (basic, is_negated), node);
            }
            if basic.asked().is_empty() && node.is_none() {
                let why = "this says nothing about the deploy".into();
                self.refuse(basic.span.start, why, None);
            }
            match &basic.asks {
                Asks::Exists(query) => self.existence(query),
                Asks::Compare(left, operator, right) => {
                    self.operand(left);
                    self.operand(right);
                    self.comparison(basic, left, *operator, right, node.is_some());
                }
                Asks::Match(text, pattern) => {
                    if let (Some(_), Some(_)) = (text.literal(), pattern.query()) {
                        let why = "the text comes first, then the pattern";
                        self.warn(text.span().start, why.into(), None);
                    }
                    self.operand(text);
                    self.operand(pattern);
                    self.is_text(text);
                    self.is_text(pattern);
                }
            }
        }
    }

    fn query(&mut self, query: &Query, basic: (&Basic, bool), node: Option<&Set>) {
        let document = Set::from([catalogue::document(self.types.subject)]);
        let mut types = match (query.root, node) {
            (Root::Node, Some(node)) => node.clone(),
            _ => document,
        };
        let mut may_be_left_out = false;
        for segment in &query.segments {
            let before = if segment.is_below { below(types) } else { types };
            may_be_left_out = match segment.only() {
                Some(Selector::Name(name)) => is_left_out(name, &before),
                _ => false,
            };
            types = self.segment(query, segment, &before, basic);
        }
        self.types.reach.insert(query.span.start, Reach { types, may_be_left_out });
    }

    fn segment(&mut self, query: &Query, segment: &Segment, before: &Set, basic: (&Basic, bool)) -> Set {
        let mut after = Set::new();
        for selector in &segment.selectors {
            let selected: Set = match selector {
                Selector::Name(name) => {
                    self.name(query, segment, name, before, basic);
                    let any = |is: &Type| is.is_open().then_some(Type::Any);
                    before.iter().filter_map(|is| is.member(name).map(|member| member.is).or_else(|| any(is))).collect()
                }
                Selector::Index(_) | Selector::Slice => before.iter().filter_map(|is| is.element()).collect(),
                Selector::All | Selector::Filter(_) => before.iter().flat_map(|is| children(*is)).collect(),
            };
            if selected.is_empty() && !before.is_empty() && !matches!(selector, Selector::Name(_)) {
                let (what, is) = (self.subject(query, segment), told(before));
                let why = match selector {
                    Selector::Index(_) | Selector::Slice => format!("{what} is {is}, which is no list"),
                    _ => format!("{what} is {is}, which has no elements"),
                };
                self.refuse(segment.span.start, why, None);
            }
            if let Selector::Filter(filter) = selector {
                let is_of_element = |basic: &Basic| basic.asked().iter().any(|asked| asked.query.root == Root::Node);
                if !filter.basics().into_iter().any(is_of_element) {
                    let why = "this filter says nothing about the elements: inside of it, @ is the element".into();
                    self.warn(segment.span.start, why, None);
                }
                self.logic(filter, Some(if selected.is_empty() { before } else { &selected }));
            }
            after.extend(selected);
        }
        // What is not known is judged by the document alone.
        if after.is_empty() { Set::from([Type::Any]) } else { after }
    }

    /// A query up to a segment, as it was written.
    fn subject(&self, query: &Query, segment: &Segment) -> String {
        self.text[query.span.start..segment.span.start].trim_end().to_owned()
    }

    /// A name that is asked of values of these types.
    fn name(&mut self, query: &Query, segment: &Segment, name: &str, before: &Set, basic: (&Basic, bool)) {
        let is_known = before.iter().any(|is| is.member(name).is_some());
        let has_closed = before.iter().any(|is| matches!(is, Type::Object(_)) && !is.is_open());
        // That some of them take any name does not excuse a typing error.
        if is_known || !has_closed && before.iter().any(|is| is.is_open()) {
            return;
        }
        let (at, what, is_alone) = (segment.span.start, self.subject(query, segment), segment.selectors.len() == 1);
        if has_closed {
            let near = close(name, before.iter().flat_map(|is| is.members()).map(|(name, _)| name));
            let dots = if segment.is_below { ".." } else { "." };
            let instead = near.filter(|_| is_alone).map(|near| self.replaced(&segment.span, &format!("{dots}{near}")));
            let of = if segment.is_below { "anything below " } else { "" };
            return self.warn(at, format!("{name:?} is no known member of {of}{what}"), instead);
        }
        let instead = is_alone.then(|| self.of_list(query, segment, name, before, basic)).flatten();
        self.refuse(at, format!("{what} is {}, which has no {name:?}", told(before)), instead);
    }

    /// The expression that asks the elements of a list, where a name was asked of the list.
    fn of_list(
        &self,
        query: &Query,
        segment: &Segment,
        name: &str,
        before: &Set,
        (basic, is_negated): (&Basic, bool),
    ) -> Option<String> {
        let (at, what) = (segment.span.start, self.subject(query, segment));
        let has_length = |is: &Type| matches!(is, Type::List(_) | Type::Text | Type::Word(_));
        if matches!(name, "length" | "size" | "count") && before.iter().all(has_length) {
            return Some(self.replaced(&query.span, &format!("length({what})")));
        }
        if !before.iter().all(|is| matches!(is, Type::List(_))) {
            return None;
        }
        if name.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(self.replaced(&segment.span, &format!("[{name}]")));
        }
        match &basic.asks {
            Asks::Exists(_) => Some(self.replaced(&(at..at), "[*]")),
            // That all are so: that there is none that is not; that it is not that one is so: that there is none.
            Asks::Compare(Operand::Query(left), operator, right) if left == query => {
                let operator = if is_negated { *operator } else { operator.contrary() };
                let (rest, right) = (&self.text[at..query.span.end], self.written(right));
                let there_is = format!("{what}[?@{rest} {} {right}]", operator.written());
                let there_is = if is_negated { there_is } else { format!("!{there_is}") };
                Some(self.replaced(&basic.span, &there_is))
            }
            _ => None,
        }
    }

    /// A query by itself asks only whether something is there, and what is written even when it is false always is.
    fn existence(&mut self, query: &Query) {
        let is_boolean = self.types.kinds(query) == Some(BTreeSet::from([Kind::Boolean]));
        if is_boolean && query.is_singular() && !self.types.may_be_left_out(query) {
            let written = &self.text[query.span.clone()];
            let why = format!("this only asks whether {written} is there, and it always is");
            let instead = self.replaced(&query.span, &format!("{written} == true"));
            // In place of a test that is negated the comparison needs parentheses.
            let is_negated = self.text[..query.span.start].trim_end().ends_with('!');
            self.warn(query.span.start, why, Some(instead).filter(|_| !is_negated));
        }
    }

    fn operand(&mut self, operand: &Operand) {
        match operand {
            Operand::Count(call, query) if query.is_singular() => {
                let written = &self.text[query.span.clone()];
                let all = format!("count({written}[*])");
                let is_list = self.types.all(query).all(|is| matches!(is, Type::List(_)));
                let instead = is_list.then(|| self.replaced(call, &all));
                self.refuse(call.start, format!("{written} is one value, so count() of it says nothing"), instead);
            }
            Operand::Length(call, inner) => {
                let kinds = self.kinds(inner);
                let of_query = kinds.filter(|_| inner.query().is_some());
                if let Some(kinds) = of_query.filter(|kinds| !kinds.iter().any(|kind| kind.has_length())) {
                    let why = format!("{} is {}, which has no length", self.written(inner), one_of(&kinds));
                    self.refuse(call.start, why, None);
                }
                self.operand(inner);
            }
            _ => {}
        }
    }

    fn is_text(&mut self, operand: &Operand) {
        let kinds = self.kinds(operand).unwrap_or_else(|| BTreeSet::from([Kind::Text]));
        if let Some(query) = operand.query().filter(|_| !kinds.contains(&Kind::Text)) {
            let instead = self.member(query, Kind::Text, None);
            let why =
                format!("{} is {}, and match() and search() look at texts", self.written(operand), one_of(&kinds));
            self.refuse(operand.span().start, why, instead);
        }
    }

    fn comparison(&mut self, basic: &Basic, left: &Operand, operator: Operator, right: &Operand, is_filter: bool) {
        if let (Some(first), Some(second)) = (self.kinds(left), self.kinds(right)) {
            let is_like = first.iter().any(|first| second.iter().any(|second| first.is_like(operator, *second)));
            if !is_like {
                return self.unlike(basic, (left, &first), operator, (right, &second));
            }
        }
        for (is_left, member, other) in [(true, left, right), (false, right, left)] {
            let Some(literal) = other.literal() else { continue };
            match member {
                Operand::Query(query) if literal.is_null() => self.null(basic, query, operator),
                Operand::Query(query) => {
                    self.zero(basic, query, operator, literal, is_left, is_filter);
                    self.word(query, operator, other, literal);
                }
                Operand::Count(..) | Operand::Length(..) => {
                    self.count(basic, member, operator, literal, is_left, is_filter)
                }
                _ => {}
            }
        }
        if matches!(left, Operand::Query(_)) && self.written(left) == self.written(right) {
            let why = format!("this compares {} with itself", self.written(left));
            self.find(Finding { at: basic.span.start, is_refusal: !is_filter, why, instead: None });
        }
        self.date(left, operator, right);
    }

    fn unlike(
        &mut self,
        basic: &Basic,
        (left, first): (&Operand, &BTreeSet<Kind>),
        operator: Operator,
        (right, second): (&Operand, &BTreeSet<Kind>),
    ) {
        let named = |operand: &Operand, kinds: &BTreeSet<Kind>| match operand.literal() {
            Some(_) => one_of(kinds),
            None => format!("{} ({})", one_of(kinds), self.written(operand)),
        };
        let compared = format!("this compares {} with {}", named(left, first), named(right, second));
        let could_be_equal =
            first.iter().any(|first| second.iter().any(|second| first.is_like(Operator::Equal, *second)));
        let why = match (could_be_equal, operator.is_order()) {
            (true, _) => format!("{compared}, and only numbers and texts have an order"),
            (false, true) => format!("{compared}, and only like things have an order"),
            (false, false) => format!("{compared}, which are never equal"),
        };
        let instead = self.like(left, right).or_else(|| self.like(right, left));
        self.refuse(basic.span.start, why, instead);
    }

    /// The server leaves out what is false, 0 or an empty text, and comparing nothing gives another answer than
    /// comparing that.
    fn zero(
        &mut self,
        basic: &Basic,
        query: &Query,
        operator: Operator,
        literal: &Value,
        is_left: bool,
        is_filter: bool,
    ) {
        let misleads = operator.misleads(literal, is_left);
        let is_of_kind = self.types.all(query).any(|is| Kind::of_type(is) == Some(Kind::of(literal)));
        if !misleads || !is_of_kind || !self.types.may_be_left_out(query) {
            return;
        }
        let written = &self.text[query.span.clone()];
        let is_number = literal.is_number();
        let (left_out, instead) = match (literal, operator) {
            (Value::Bool(_), Operator::Equal) => ("false", Some(format!("{written} != true"))),
            (Value::Bool(_), _) => ("false", Some(format!("{written} == true"))),
            (_, Operator::Equal) => (if is_number { "0" } else { "empty" }, Some(format!("!{written}"))),
            (_, Operator::Unequal) => (if is_number { "0" } else { "empty" }, Some(written.to_owned())),
            // Texts that are compared by their order are times and the like, which are not empty.
            _ if !is_number => return,
            _ => ("0", None),
        };
        let instead = instead.map(|instead| self.replaced(&basic.span, &instead));
        let why = format!(
            "the server leaves {written} out when it is {left_out}, and nothing compares with what is not there"
        );
        let is_refusal = operator == Operator::Equal || is_filter && operator == Operator::Unequal;
        match is_refusal {
            true => self.refuse(basic.span.start, why, instead),
            false if is_filter => self.warn(basic.span.start, why, instead),
            // Outside of filters it has to be there.
            false => {}
        }
    }

    /// The server writes no null.
    fn null(&mut self, basic: &Basic, query: &Query, operator: Operator) {
        if operator.is_order() || self.types.all(query).any(|is| is == Type::Any) {
            return;
        }
        let written = &self.text[query.span.clone()];
        let instead = if operator == Operator::Equal { format!("!{written}") } else { written.to_owned() };
        let instead = self.replaced(&basic.span, &instead);
        let why = format!("the server writes no null: it leaves {written} out");
        self.warn(basic.span.start, why, Some(instead));
    }

    /// A count or a length, which is a whole number from 0 on, compared with a number.
    fn count(
        &mut self,
        basic: &Basic,
        counted: &Operand,
        operator: Operator,
        literal: &Value,
        is_left: bool,
        is_filter: bool,
    ) {
        let Some(number) = literal.as_f64() else { return };
        let operator = if is_left { operator } else { operator.turned() };
        let always = match operator {
            Operator::AtLeast | Operator::Less => number <= 0.0,
            Operator::Greater | Operator::AtMost => number < 0.0,
            Operator::Equal | Operator::Unequal => number < 0.0 || number.fract() != 0.0,
        };
        let written = self.written(counted);
        if always {
            let is = matches!(operator, Operator::AtLeast | Operator::Greater | Operator::Unequal);
            let why = format!("{written} is a whole number from 0 on, so this is always {is}");
            return self.refuse(basic.span.start, why, None);
        }
        let misleads = operator.misleads(literal, true);
        if is_filter && misleads && matches!(counted, Operand::Length(..)) {
            let why = format!(
                "the server leaves out what is empty, and {written} of what is not there compares with nothing"
            );
            self.warn(basic.span.start, why, None);
        }
    }

    fn word(&mut self, query: &Query, operator: Operator, other: &Operand, literal: &Value) {
        let Value::String(word) = literal else { return };
        let lists: Option<Vec<_>> = self.types.all(query).map(Type::words).collect();
        let Some(lists) = lists.filter(|lists| !lists.is_empty() && !operator.is_order() && !word.is_empty()) else {
            return;
        };
        if lists.iter().any(|words| words.contains(word.as_str())) {
            return;
        }
        let known = || lists.iter().flat_map(|words| words.iter().copied());
        let synonym = SYNONYMS.iter().find(|(other, _)| *other == word.to_lowercase()).map(|(_, word)| *word);
        let near = synonym.filter(|word| known().any(|known| known == *word));
        let near = near.or_else(|| close(&word.to_lowercase(), known()));
        let instead = near.map(|near| self.replaced(other.span(), &format!("'{near}'")));
        let written = &self.text[query.span.clone()];
        self.warn(other.span().start, format!("{word:?} is no word that {written} is known to be"), instead);
    }

    /// Times are texts, and texts are compared letter by letter.
    fn date(&mut self, left: &Operand, operator: Operator, right: &Operand) {
        let is_date = |operand: &Operand| {
            let text = operand.literal().and_then(Value::as_str).unwrap_or_default().as_bytes();
            text.len() >= 10 && text[4] == b'-' && text[7] == b'-' && text[..4].iter().all(u8::is_ascii_digit)
        };
        if let Some(date) = [left, right].into_iter().find(|operand| operator.is_order() && is_date(operand)) {
            let why = "times are compared as texts, letter by letter, and the server writes fractions of a second: \
                       2026-01-14T16:02:09.013Z is before 2026-01-14T16:02:09Z then; leave a second of room";
            self.warn(date.span().start, why.into(), None);
        }
    }

    /// The expression in which `operand` is like `other`, if it is clear what was meant.
    fn like(&self, operand: &Operand, other: &Operand) -> Option<String> {
        let wanted = self.kinds(other)?.into_iter().next()?;
        match operand {
            Operand::Query(query) => self.member(query, wanted, other.literal()),
            Operand::Literal(span, Value::String(text)) if matches!(wanted, Kind::Number | Kind::Boolean) => {
                let value: Value = serde_json::from_str(text).ok()?;
                (Kind::of(&value) == wanted).then(|| self.replaced(span, text))
            }
            Operand::Literal(span, Value::Number(_) | Value::Bool(_)) if wanted == Kind::Text => {
                Some(self.replaced(span, &format!("'{}'", &self.text[span.clone()])))
            }
            _ => None,
        }
    }

    /// The expression with a member of what a query selects in place of the whole.
    fn member(&self, query: &Query, wanted: Kind, literal: Option<&Value>) -> Option<String> {
        let members = self.types.all(query).flat_map(Type::members);
        let members: Vec<_> = members.filter(|(_, member)| Kind::of_type(member.is) == Some(wanted)).collect();
        let word = literal.and_then(Value::as_str).unwrap_or_default();
        let has_word = |is: Type| is.words().is_some_and(|words| words.contains(word));
        let named = members.iter().find(|(_, member)| has_word(member.is)).map(|(name, _)| *name);
        let names: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
        let name = named.or_else(|| likely(&names, query.last_name()))?;
        let end = query.span.end;
        Some(self.replaced(&(end..end), &format!(".{name}")))
    }

    fn kinds(&self, operand: &Operand) -> Option<BTreeSet<Kind>> {
        match operand {
            Operand::Literal(_, value) => Some(BTreeSet::from([Kind::of(value)])),
            Operand::Length(..) | Operand::Count(..) => Some(BTreeSet::from([Kind::Number])),
            Operand::Query(query) | Operand::Value(_, query) => self.types.kinds(query),
        }
    }

    fn written(&self, operand: &Operand) -> &str {
        &self.text[operand.span().clone()]
    }

    /// The whole expression with something in place of a part.
    fn replaced(&self, part: &std::ops::Range<usize>, with: &str) -> String {
        format!("{}{with}{}", &self.text[..part.start], &self.text[part.end..])
    }

    fn refuse(&mut self, at: usize, why: String, instead: Option<String>) {
        self.find(Finding { at, is_refusal: true, why, instead });
    }

    fn warn(&mut self, at: usize, why: String, instead: Option<String>) {
        self.find(Finding { at, is_refusal: false, why, instead });
    }

    /// One place is told once.
    fn find(&mut self, finding: Finding) {
        if !self.types.findings.iter().any(|known| known.at == finding.at && known.is_refusal) {
            self.types.findings.push(finding);
        }
    }
}

/// Words that people take for those of the server.
const SYNONYMS: [(&str, &str); 10] = [
    ("failed", "error"),
    ("failure", "error"),
    ("fail", "error"),
    ("succeeded", "success"),
    ("successful", "success"),
    ("passed", "success"),
    ("completed", "success"),
    ("done", "success"),
    ("running", "in-progress"),
    ("canceled", "cancelled"),
];

/// Whether the server leaves a member of this name out when it is false, 0 or an empty text, wherever it is known.
fn is_left_out(name: &str, before: &Set) -> bool {
    let members: Vec<_> = before.iter().filter_map(|is| is.member(name)).collect();
    !members.is_empty() && members.iter().all(|member| member.may_be_left_out && member.is.is_scalar())
}

/// The types of the elements of a list and of the members of an object.
fn children(is: Type) -> Vec<Type> {
    let members = is.members().map(|(_, member)| member.is);
    members.chain(is.element()).chain(is.is_open().then_some(Type::Any)).collect()
}

/// These types and all below them.
fn below(types: Set) -> Set {
    let mut waiting: Vec<Type> = types.iter().copied().collect();
    let mut all = types;
    while let Some(is) = waiting.pop() {
        waiting.extend(children(is).into_iter().filter(|child| all.insert(*child)));
    }
    all
}

fn told(types: &Set) -> String {
    let mut told: Vec<String> = types.iter().map(|is| is.told()).collect();
    told.dedup();
    told.join(" or ")
}

fn one_of(kinds: &BTreeSet<Kind>) -> String {
    kinds.iter().map(|kind| kind.told()).collect::<Vec<_>>().join(" or ")
}
