//! Whether what was compared could be compared: like with like, and in a filter at least one element. A comparison of
//! unlike things is always false, so its contrary is true of everything. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::engines::Compiled;
use super::kind::{Kind, likely};
use super::landing::{Landing, shown};
use super::node::{Node, all_below, elements, kind, member, select, within};
use super::pattern;
use super::syntax::{
    Asks, Basic, Logic, Operand, Operator, Query, Root, Segment, Selected, Selector, answers, nodes, written,
};
use super::truth::Truth;
use crate::judge::catalogue::{Member, Type};

/// What a query's filters came to.
#[derive(Default)]
pub struct Filtered {
    /// Why one of them checked nothing.
    pub missing: Option<String>,
    /// What could not be compared in some of the elements.
    pub note: Option<String>,
    /// Where the elements are of which a filter says nothing, since they could not be compared.
    doubtful: BTreeSet<usize>,
}

/// What a filter looks at.
#[derive(Clone, Copy)]
struct Scope<'s, 'd> {
    elements: &'s [Node<'d>],
    /// What they are, after their number.
    of: &'s str,
}

/// What a comparison came to at one element, or outside of filters.
enum Compared {
    /// Like with like.
    Like,
    /// A member that the API knows is absent, and that means what it says.
    Absent,
    /// The server leaves the member out when it is zero, and nothing compares otherwise than that does.
    Misled,
    /// Something that had to be there is not.
    Nothing,
    /// Two values that are never equal, in a few words.
    Unlike(String),
}

/// What one side of a comparison is.
enum Side<'d> {
    Value(&'d Value),
    Is(Kind),
    /// Nothing, and what the API knows of it.
    Nothing(Option<Member>),
}

impl Side<'_> {
    fn kind(&self) -> Option<Kind> {
        match self {
            Side::Value(value) => Some(Kind::of(value)),
            Side::Is(kind) => Some(*kind),
            Side::Nothing(_) => None,
        }
    }
}

/// The comparisons of an expression on a document.
pub struct Likeness<'a> {
    /// Where it is put.
    pub landing: Landing<'a>,
    /// What the queries of the document have selected.
    pub selected: &'a Selected<'a>,
}

impl<'a> Likeness<'a> {
    /// Why a basic part outside of filters checked nothing although its queries landed: which query, and why.
    pub fn useless<'e>(&self, basic: &'e Basic) -> Option<(&'e Query, String)> {
        let sides = match &basic.asks {
            Asks::Exists(_) => return None,
            Asks::Compare(left, _, right) | Asks::Match(left, right) => [left, right],
        };
        if let Some(wrong) = sides.into_iter().find_map(|side| self.no_value(side)) {
            return Some(wrong);
        }
        let query = sides.into_iter().find_map(innermost)?;
        if let Asks::Match(text, pattern) = &basic.asks {
            return self.no_text(text).or_else(|| self.no_pattern(pattern));
        }
        let Asks::Compare(left, operator, right) = &basic.asks else { return None };
        match self.compared(left, *operator, right, None) {
            Compared::Unlike(what) => {
                let hint = self.meant(basic, None).unwrap_or_default();
                Some((query, format!("{} compared {what}{hint}", self.written(basic))))
            }
            _ => None,
        }
    }

    /// Why an operand has no value, if so: `value()` of several, `length()` of what has none.
    fn no_value<'e>(&self, operand: &'e Operand) -> Option<(&'e Query, String)> {
        match operand {
            Operand::Value(_, query) => {
                let count = self.nodes(query).len();
                let why =
                    format!("{} selects {count} values, and value() takes one", self.landing.path(&query.segments));
                (count != 1).then_some((query, why))
            }
            Operand::Count(_, query) if query.is_singular() => {
                let why = format!("count() of {} says nothing, which is one value", self.landing.path(&query.segments));
                Some((query, why))
            }
            Operand::Length(_, inner) => self.no_value(inner).or_else(|| {
                let query = innermost(inner)?;
                let node = self.nodes(query).first().filter(|node| !Kind::of(node).has_length());
                let node = node.filter(|_| inner.query().is_some())?;
                Some((query, self.is(query, node, "which has no length")))
            }),
            _ => None,
        }
    }

    fn no_text<'e>(&self, text: &'e Operand) -> Option<(&'e Query, String)> {
        let query = text.query()?;
        let node = self.nodes(query).first().filter(|node| !node.is_string())?;
        Some((query, self.is(query, node, "which is no text")))
    }

    fn no_pattern<'e>(&self, pattern: &'e Operand) -> Option<(&'e Query, String)> {
        let query = pattern.query()?;
        let is_wrong = |node: &&&Value| node.as_str().is_none_or(|pattern| pattern::check(pattern).is_err());
        let node = self.nodes(query).first().filter(is_wrong)?;
        Some((query, self.is(query, node, "which is not a regular expression (I-Regexp, RFC 9485)")))
    }

    fn is(&self, query: &Query, node: &Value, what: &str) -> String {
        format!("{} is {}, {what}", self.landing.path(&query.segments), shown(node, self.landing.document))
    }

    fn nodes(&self, query: &Query) -> &[&'a Value] {
        nodes(self.selected, query)
    }

    /// Compares the kinds of two operands; `element` is the node of the filter that they stand in.
    fn compared(&self, left: &Operand, operator: Operator, right: &Operand, element: Option<Node<'a>>) -> Compared {
        match (self.side(left, element), self.side(right, element)) {
            (Side::Nothing(Some(absent)), other) => compared_absent(absent, operator, &other, true),
            (other, Side::Nothing(Some(absent))) => compared_absent(absent, operator, &other, false),
            (first, second) => match (first.kind(), second.kind()) {
                (Some(first), Some(second)) if first.is_like(operator, second) => Compared::Like,
                (Some(first), Some(second)) => Compared::Unlike(format!("{} with {}", first.told(), second.told())),
                _ => Compared::Nothing,
            },
        }
    }

    fn side<'s>(&'s self, operand: &'s Operand, element: Option<Node<'a>>) -> Side<'s> {
        match operand {
            Operand::Literal(_, value) => Side::Value(value),
            Operand::Count(_, query) if query.is_singular() => Side::Nothing(None),
            Operand::Count(..) => Side::Is(Kind::Number),
            Operand::Length(_, inner) => match self.side(inner, element) {
                // The length of what is left out is that of what is empty.
                Side::Nothing(Some(absent)) if kind(absent).is_none_or(Kind::has_length) => {
                    Side::Nothing(Some(Member { is: Type::Number, may_be_left_out: true }))
                }
                side if side.kind().is_some_and(Kind::has_length) => Side::Is(Kind::Number),
                _ => Side::Nothing(None),
            },
            Operand::Query(query) | Operand::Value(_, query) => {
                let (nodes, from) = match (query.root, element) {
                    (Root::Node, Some(element)) => {
                        let step = |nodes: Vec<Node<'a>>, segment: &Segment| select(&within(&nodes, segment), segment);
                        let nodes = query.segments.iter().fold(vec![element], step);
                        (nodes.into_iter().map(|node| node.value).collect(), element.is)
                    }
                    _ => (self.nodes(query).to_vec(), Some(self.landing.document.is())),
                };
                match nodes.as_slice() {
                    [node] => Side::Value(node),
                    [] => Side::Nothing(member(from, query)),
                    _ => Side::Nothing(None),
                }
            }
        }
    }

    /// What the names and filters behind the beginning of a query of the document came to.
    ///
    /// # Errors
    /// How the engines disagree.
    pub fn filters(&self, query: &Query) -> Result<Filtered, String> {
        let mut filtered = Filtered::default();
        let mut nodes = vec![Node::document(self.landing.document)];
        let plural = query.leading().len();
        for (place, segment) in query.segments.iter().enumerate() {
            let within = within(&nodes, segment);
            let before = self.landing.expression.text[query.span.start..segment.span.start].trim_end();
            if place >= plural {
                let of = if segment.is_below { "values at and below" } else { "values of" };
                let scope = Scope { elements: &within, of: &format!("{of} {before}") };
                filtered.lacks(self.landing.unknown(segment, &within, &scope.lacks()));
            }
            if segment.filters().next().is_some() {
                let of = if segment.is_below { "values below" } else { "elements of" };
                let scope = Scope { elements: &elements(&within), of: &format!("{of} {before}") };
                segment.filters().try_for_each(|filter| self.filter(filter, scope, &mut filtered))?;
                let is_last = place + 1 == query.segments.len();
                if !is_last && !filtered.doubtful.is_empty() {
                    // With `..`, what is inside of one element can be inside of another.
                    if query.segments.iter().any(|segment| segment.is_below) {
                        filtered.lacks(filtered.note.clone());
                    }
                    let doubtful =
                        scope.elements.iter().filter(|element| filtered.doubtful.contains(&element.address()));
                    let inside = all_below(doubtful.copied().collect());
                    filtered.doubtful.extend(inside.iter().map(Node::address));
                }
            }
            nodes = select(&within, segment);
        }
        Ok(filtered)
    }

    /// Looks at every comparison of a filter in all of its elements. Those that cannot be compared are joined as SQL joins
    /// what it does not know.
    fn filter(&self, filter: &Logic, scope: Scope<'_, 'a>, filtered: &mut Filtered) -> Result<(), String> {
        let mut unlike = BTreeMap::new();
        for basic in filter.basics() {
            unlike.insert(basic.span.start, self.comparison(basic, scope, filtered));
            let is_test = matches!(basic.asks, Asks::Exists(_));
            for asked in basic.asked().into_iter().filter(|asked| asked.query.root == Root::Node) {
                // What is compared has been looked at already.
                if is_test || !asked.query.is_singular() {
                    self.inside(asked.query, scope, filtered)?;
                }
            }
        }
        let is_unlike = |basic: &Basic, element: &Node<'_>| unlike[&basic.span.start].contains(&element.address());
        for element in scope.elements {
            if !filter.basics().into_iter().any(|basic| is_unlike(basic, element)) {
                continue;
            }
            let (truth, _) = filter.join(&mut |basic| match is_unlike(basic, element) {
                true => Ok(Truth::Vacuous),
                false => self.holds(basic, element.value),
            })?;
            if truth == Truth::Vacuous {
                filtered.doubtful.insert(element.address());
            }
        }
        Ok(())
    }

    /// What a query of an element asks for must be there somewhere, and its own filters must land as well.
    fn inside(&self, query: &Query, scope: Scope<'_, 'a>, filtered: &mut Filtered) -> Result<(), String> {
        let mut nodes = scope.elements.to_vec();
        for segment in &query.segments {
            let within = within(&nodes, segment);
            filtered.lacks(self.landing.unknown(segment, &within, &scope.lacks()));
            let mut inner = Filtered::default();
            let of = Scope { elements: &elements(&within), ..scope };
            segment.filters().try_for_each(|filter| self.filter(filter, of, &mut inner))?;
            // Which of the outer elements hang on the inner ones is not traced back.
            filtered.lacks(inner.missing.or(inner.note));
            nodes = select(&within, segment);
        }
        Ok(())
    }

    /// Where the elements are in which a comparison compared unlike things.
    fn comparison(&self, basic: &Basic, scope: Scope<'_, 'a>, filtered: &mut Filtered) -> BTreeSet<usize> {
        let compare = |element: Node<'a>| match &basic.asks {
            Asks::Exists(_) => Compared::Like,
            Asks::Compare(left, operator, right) => self.compared(left, *operator, right, Some(element)),
            Asks::Match(text, _) => self.matched(text, element),
        };
        let (mut has_like, mut has_absent, mut misled, mut unlike) = (false, false, 0, Vec::new());
        for element in scope.elements {
            match compare(*element) {
                Compared::Like => has_like = true,
                Compared::Absent => has_absent = true,
                Compared::Nothing => {}
                Compared::Misled => misled += 1,
                Compared::Unlike(what) => unlike.push((*element, what)),
            }
        }
        let written = self.written(basic);
        if misled > 0 {
            let some = scope.some(misled);
            filtered.lacks(Some(format!(
                "{written} found nothing to compare in {some}: the server leaves out what is false, 0 or empty"
            )));
        }
        // Where all that is there is unlike, what is absent does not speak for the rest.
        let lands = has_like || has_absent && unlike.is_empty() || scope.elements.is_empty();
        match (unlike.first(), lands) {
            (None, true) => {}
            (None, false) => filtered.lacks(Some(self.nothing_there(basic, scope))),
            (Some((_, what)), true) => {
                let some = scope.some(unlike.len());
                filtered.note.get_or_insert(format!("{written} compared {what} in {some}"));
            }
            (Some((element, what)), false) => {
                let hint = self.meant(basic, Some(*element)).unwrap_or_default();
                filtered.lacks(Some(format!("{written} compared {what} in {}{hint}", scope.some(unlike.len()))));
            }
        }
        unlike.into_iter().map(|(element, _)| element.address()).collect()
    }

    /// Whether a basic part of a filter holds at an element, by both engines.
    fn holds(&self, basic: &Basic, element: &Value) -> Result<Truth, String> {
        let expression = self.landing.expression;
        let read = |text: &str| Compiled::new(text).map_err(|rejected| rejected.why);
        let mut selected = Selected::new();
        for asked in basic.asked() {
            let (at, written) = (asked.query.span.start, expression.written(asked.query));
            let nodes = match asked.query.root {
                Root::Document => self.nodes(asked.query).to_vec(),
                // The document is out of reach from here.
                Root::Node if written.contains('$') => return Ok(Truth::Vacuous),
                Root::Node => {
                    read(&format!("${}", &written[1..]))?.select(element, |nodes| format!("{} nodes", nodes.len()))?
                }
            };
            selected.insert(at, nodes);
        }
        let answers = answers(basic, &selected);
        let nodes = read(&expression.as_part(basic))?.select(&answers, |nodes| format!("{} nodes", nodes.len()))?;
        Ok(if nodes.is_empty() { Truth::False } else { Truth::True })
    }

    fn matched(&self, text: &Operand, element: Node<'a>) -> Compared {
        let side = self.side(text, Some(element));
        match (&side, side.kind()) {
            (_, Some(Kind::Text)) => Compared::Like,
            (_, Some(kind)) => Compared::Unlike(format!("{} with a pattern", kind.told())),
            (Side::Nothing(Some(absent)), _) if kind(*absent).is_none_or(|kind| kind == Kind::Text) => Compared::Absent,
            _ => Compared::Nothing,
        }
    }

    /// In a sentence: in none of the elements was there anything to be compared.
    fn nothing_there(&self, basic: &Basic, scope: Scope<'_, 'a>) -> String {
        let queries = basic.asked().into_iter().map(|asked| asked.query).filter(|query| query.root == Root::Node);
        for query in queries {
            let mut nodes = scope.elements.to_vec();
            for segment in &query.segments {
                let within = within(&nodes, segment);
                if let Some(why) = self.landing.unknown(segment, &within, &scope.lacks()) {
                    return why;
                }
                nodes = select(&within, segment);
            }
        }
        let all = scope.some(scope.elements.len());
        format!("{} found nothing to compare in {all}", self.written(basic))
    }

    /// As a question: the comparison that would do what was meant, if the object that was compared tells.
    fn meant(&self, basic: &Basic, element: Option<Node<'a>>) -> Option<String> {
        let Asks::Compare(left, _, right) = &basic.asks else { return None };
        let (query, node, wanted) = match (left, right, self.side(left, element), self.side(right, element)) {
            (Operand::Query(query), _, Side::Value(node), other) if node.is_object() => (query, node, other.kind()?),
            (_, Operand::Query(query), other, Side::Value(node)) if node.is_object() => (query, node, other.kind()?),
            _ => return None,
        };
        let object = node.as_object().filter(|_| !self.landing.document.hides(node))?;
        let fits = |(_, value): &(&String, &Value)| Kind::of(value) == wanted;
        let names: Vec<&str> = object.iter().filter(fits).map(|(name, _)| name.as_str()).collect();
        let (name, text) =
            (written(&Selector::Name(likely(&names, query.last_name())?.into())), &self.landing.expression.text);
        let (before, after) = (&text[basic.span.start..query.span.end], &text[query.span.end..basic.span.end]);
        Some(format!("; did you mean {before}{name}{after}?"))
    }

    fn written(&self, basic: &Basic) -> &'a str {
        &self.landing.expression.text[basic.span.clone()]
    }
}

impl Filtered {
    /// Whether a node that the query selected counts: not if the filter says nothing of it.
    pub fn counts(&self, node: &Value) -> bool {
        !self.doubtful.contains(&std::ptr::from_ref(node).addr())
    }

    /// The first that is wrong is told.
    fn lacks(&mut self, why: Option<String>) {
        self.missing = self.missing.take().or(why);
    }
}

impl Scope<'_, '_> {
    fn only(&self) -> String {
        format!("the only {}", self.of.replacen("elements", "element", 1).replacen("values", "value", 1))
    }

    fn lacks(&self) -> String {
        match self.elements.len() {
            1 => format!("{} has no", self.only()),
            all => format!("none of the {all} {} has", self.of),
        }
    }

    fn some(&self, some: usize) -> String {
        match (some, self.elements.len()) {
            (_, 1) => self.only(),
            (some, all) if some == all => format!("all {all} {}", self.of),
            (some, all) => format!("{some} of the {all} {}", self.of),
        }
    }
}

/// The query that an operand asks for, through the functions around it.
fn innermost(operand: &Operand) -> Option<&Query> {
    match operand {
        Operand::Literal(..) => None,
        Operand::Query(query) | Operand::Count(_, query) | Operand::Value(_, query) => Some(query),
        Operand::Length(_, inner) => innermost(inner),
    }
}

/// What it says that one side is absent: something where the API knows the member, it could have been compared, and had it
/// been written as false, 0 or an empty text, the answer would be the same.
fn compared_absent(absent: Member, operator: Operator, other: &Side<'_>, is_left: bool) -> Compared {
    let value = match other {
        // Two that are left out are equal as false is to false, and 0 to 0.
        Side::Nothing(Some(other)) => {
            let is_zero = |kind: Option<Kind>| matches!(kind, Some(Kind::Boolean | Kind::Number));
            return match is_zero(kind(absent)) && kind(absent) == kind(*other) {
                true => Compared::Absent,
                false => Compared::Unlike("nothing with nothing".into()),
            };
        }
        Side::Nothing(None) => return Compared::Nothing,
        Side::Is(other) => {
            let could_be = kind(absent).is_none_or(|kind| kind.is_like(operator, *other));
            return if could_be { Compared::Absent } else { Compared::Nothing };
        }
        Side::Value(value) => value,
    };
    if !kind(absent).is_none_or(|kind| kind.is_like(operator, Kind::of(value))) {
        return Compared::Nothing;
    }
    // The server writes no null: it leaves the member out.
    let misleads = value.is_null() || operator.misleads(value, is_left);
    // Texts that are compared by their order are times and the like, which are not empty.
    let is_time = operator.is_order() && value.is_string();
    match misleads && absent.may_be_left_out && !is_time {
        true => Compared::Misled,
        false => Compared::Absent,
    }
}
