//! What the catalogue says of an expression, before there is any document: which types its queries can select, and what
//! of it would check nothing. Pure.
//!
//! The catalogue is the union of what all servers answer, so what one of them can answer is not refused; a name or a word
//! that it does not know is only a warning, since servers grow.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::kind::{Kind, likely, nearest};
use super::parser::parse;
use super::syntax::{Asks, Basic, Expression, Logic, Operand, Operator, Query, Root, Segment, Selector};
use crate::judge::catalogue::{self, Type};

type Set = BTreeSet<Type>;

/// What the catalogue says of an expression.
#[derive(Clone, Debug, Default)]
pub struct Types {
    /// What each query can select, by where it begins in the text.
    reach: BTreeMap<usize, Reach>,
    /// Of each name in a query: by where its segment begins, and which of its selectors it is.
    names: BTreeMap<(usize, usize), Knowledge>,
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

/// Whether there can be a member of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Knowledge {
    /// A server can answer it.
    Known,
    /// Any name can be there.
    Open,
    /// No server that is known answers it; the nearest names that are known.
    Unknown(Vec<&'static str>),
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

/// Walks every query of an expression through the catalogue.
pub fn check(expression: &Expression) -> Types {
    check_up_to(expression, 3)
}

/// What is suggested is checked as well, so often: one mistake can stand behind another.
fn check_up_to(expression: &Expression, suggestions: u8) -> Types {
    let mut walk = Walk { text: &expression.text, types: Types::default() };
    walk.logic(&expression.logic, None);
    let better = |instead: String| {
        let suggested = check_up_to(&parse(&instead).ok()?, suggestions.checked_sub(1)?);
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

    /// What is known of a name.
    pub fn of_name(&self, segment: &Segment, selector: usize) -> &Knowledge {
        self.names.get(&(segment.span.start, selector)).unwrap_or(&Knowledge::Open)
    }

    /// Whether every name of a query is known.
    pub fn knows(&self, query: &Query) -> bool {
        let is_known = |segment: &Segment, selector: usize| *self.of_name(segment, selector) == Knowledge::Known;
        query.segments.iter().all(|segment| {
            let names = segment.selectors.iter().enumerate().filter(|(_, one)| matches!(one, Selector::Name(_)));
            names.map(|(selector, _)| selector).all(|selector| is_known(segment, selector))
        })
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
        for basic in logic.basics() {
            for asked in basic.asked() {
                self.query(asked.query, basic, node);
            }
            match &basic.asks {
                Asks::Exists(query) => self.existence(query),
                Asks::Compare(left, operator, right) => {
                    self.operand(left);
                    self.operand(right);
                    self.comparison(basic, left, *operator, right, node.is_some());
                }
                Asks::Match(text, pattern) => {
                    self.operand(text);
                    self.operand(pattern);
                    self.is_text(text);
                    self.is_text(pattern);
                }
            }
        }
    }

    fn query(&mut self, query: &Query, basic: &Basic, node: Option<&Set>) {
        let document = Set::from([catalogue::document()]);
        let mut types = match (query.root, node) {
            (Root::Node, Some(node)) => node.clone(),
            _ => document,
        };
        let mut may_be_left_out = false;
        for segment in &query.segments {
            let before = if segment.is_below { below(types) } else { types };
            may_be_left_out = match segment.only() {
                Some(Selector::Name(name)) => {
                    before.iter().all(|is| is.member(name).is_some_and(|it| it.may_be_left_out))
                }
                _ => false,
            };
            types = self.segment(query, segment, &before, basic);
        }
        let is_scalar = |is: &Type| matches!(is, Type::Text | Type::Word(_) | Type::Number | Type::Boolean);
        let may_be_left_out = may_be_left_out && types.iter().all(is_scalar);
        self.types.reach.insert(query.span.start, Reach { types, may_be_left_out });
    }

    fn segment(&mut self, query: &Query, segment: &Segment, before: &Set, basic: &Basic) -> Set {
        let mut after = Set::new();
        for (place, selector) in segment.selectors.iter().enumerate() {
            let selected: Set = match selector {
                Selector::Name(name) => {
                    let member = |is: &Type| {
                        is.member(name).map(|member| member.is).or_else(|| is.is_open().then_some(Type::Any))
                    };
                    let knowledge = knowledge(name, before);
                    if let Knowledge::Unknown(nearest) = &knowledge {
                        self.unknown(query, segment, name, nearest, before, basic);
                    }
                    self.types.names.insert((segment.span.start, place), knowledge);
                    before.iter().filter_map(member).collect()
                }
                Selector::Index(_) | Selector::Slice => before.iter().filter_map(|is| is.element()).collect(),
                Selector::All | Selector::Filter(_) => before.iter().flat_map(|is| children(*is)).collect(),
            };
            let is_name = matches!(selector, Selector::Name(_));
            if selected.is_empty() && !before.is_empty() && !is_name {
                let what = self.subject(query, segment);
                self.refuse(segment.span.start, format!("{what} is {}, which has no elements", told(before)), None);
            }
            if let Selector::Filter(filter) = selector {
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

    fn unknown(
        &mut self,
        query: &Query,
        segment: &Segment,
        name: &str,
        nearest: &[&'static str],
        before: &Set,
        basic: &Basic,
    ) {
        let at = segment.span.start;
        let what = self.subject(query, segment);
        if before.iter().any(|is| matches!(is, Type::Object(_))) {
            let hint = nearest.first().map(|near| self.replaced(&segment.span, &format!("{}{near}", dots(segment))));
            let of = if segment.is_below { "anything below " } else { "" };
            let why = format!("{name:?} is no known member of {of}{what}");
            self.warn(at, why, hint.filter(|_| segment.selectors.len() == 1));
            return;
        }
        let is_length = matches!(name, "length" | "size" | "count");
        let rest = &self.text[segment.span.start..];
        let instead = match before.iter().next() {
            Some(Type::List(_) | Type::Text | Type::Word(_)) if is_length => {
                Some(self.replaced(&query.span, &format!("length({what})")))
            }
            Some(Type::List(_)) => match &basic.asks {
                Asks::Exists(_) => Some(self.replaced(&(at..at), "[*]")),
                Asks::Compare(Operand::Query(left), ..) if left == query => {
                    let filter = format!("{what}[?@{}]", &rest[..basic.span.end - at]);
                    Some(self.replaced(&basic.span, &filter))
                }
                _ => None,
            },
            _ => None,
        };
        self.refuse(at, format!("{what} is {}, which has no {name:?}", told(before)), instead);
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
                let is_list = self.types.all(query).any(|is| matches!(is, Type::List(_) | Type::Any));
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
        let (Some(first), Some(second)) = (self.kinds(left), self.kinds(right)) else {
            return self.date(left, operator, right);
        };
        let is_like = first.iter().any(|first| second.iter().any(|second| first.is_like(operator, *second)));
        if !is_like {
            let named = |operand: &Operand, kinds: &BTreeSet<Kind>| match operand.literal() {
                Some(_) => one_of(kinds),
                None => format!("{} ({})", one_of(kinds), self.written(operand)),
            };
            let compared = format!("this compares {} with {}", named(left, &first), named(right, &second));
            let could_be_equal =
                first.iter().any(|first| second.iter().any(|second| first.is_like(Operator::Equal, *second)));
            let why = match (could_be_equal, operator.is_order()) {
                (true, _) => format!("{compared}, and only numbers and texts have an order"),
                (false, true) => format!("{compared}, and only like things have an order"),
                (false, false) => format!("{compared}, which are never equal"),
            };
            let instead = self.like(left, right).or_else(|| self.like(right, left));
            return self.refuse(basic.span.start, why, instead);
        }
        for (is_left, member, other) in [(true, left, right), (false, right, left)] {
            if let (Operand::Query(query), Some(literal)) = (member, other.literal()) {
                self.zero(basic, query, operator, literal, is_left, is_filter);
                self.word(query, operator, other, literal);
            }
        }
        self.date(left, operator, right);
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
        let misleads = operator.of_zero(literal, is_left).is_some_and(|zero| zero != operator.of_nothing());
        if !misleads || !self.types.may_be_left_out(query) {
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

    fn word(&mut self, query: &Query, operator: Operator, other: &Operand, literal: &Value) {
        let Value::String(word) = literal else { return };
        let lists: Option<Vec<_>> = self.types.all(query).map(Type::words).collect();
        let Some(lists) = lists.filter(|lists| !lists.is_empty() && !operator.is_order() && !word.is_empty()) else {
            return;
        };
        if lists.iter().any(|words| words.contains(word.as_str())) {
            return;
        }
        let known = lists.iter().flat_map(|words| words.iter().copied());
        let instead =
            nearest(&word.to_lowercase(), known).first().map(|near| self.replaced(other.span(), &format!("'{near}'")));
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
        let last = match query.segments.last().and_then(Segment::only) {
            Some(Selector::Name(name)) => name.as_str(),
            _ => "",
        };
        let name = named.or_else(|| likely(&names, last))?;
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
        self.types.findings.push(Finding { at, is_refusal: true, why, instead });
    }

    fn warn(&mut self, at: usize, why: String, instead: Option<String>) {
        self.types.findings.push(Finding { at, is_refusal: false, why, instead });
    }
}

/// What is known of a name at values of these types. That some of them take any name must not excuse a typing error.
fn knowledge(name: &str, before: &Set) -> Knowledge {
    if before.iter().any(|is| is.member(name).is_some()) {
        return Knowledge::Known;
    }
    let has_closed = before.iter().any(|is| matches!(is, Type::Object(_)) && !is.is_open());
    if before.iter().any(|is| is.is_open()) && !has_closed {
        return Knowledge::Open;
    }
    Knowledge::Unknown(nearest(name, before.iter().flat_map(|is| is.members()).map(|(name, _)| name)))
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

/// The dots that a segment begins with.
fn dots(segment: &Segment) -> &'static str {
    if segment.is_below { ".." } else { "." }
}

fn told(types: &Set) -> String {
    let mut told: Vec<String> = types.iter().map(|is| is.told()).collect();
    told.dedup();
    told.join(" or ")
}

fn one_of(kinds: &BTreeSet<Kind>) -> String {
    kinds.iter().map(|kind| kind.told()).collect::<Vec<_>>().join(" or ")
}
