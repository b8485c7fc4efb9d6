//! An expression as a tree, and the forms in which the engines get it. Pure.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::Value;

use super::truth::Truth;

/// A well-formed expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    /// As it was written.
    pub text: String,
    /// What it says.
    pub logic: Logic,
}

/// `||`, `&&` and `!`: of a whole expression or of a filter.
#[derive(Clone, Debug, PartialEq)]
pub enum Logic {
    /// True if a side is.
    Or(Vec<Logic>),
    /// False if a side is.
    And(Vec<Logic>),
    /// The contrary.
    Not(Box<Logic>),
    /// What they join.
    Basic(Basic),
}

/// What is true or false by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Basic {
    /// Where it is in the text.
    pub span: Range<usize>,
    /// What it asks.
    pub asks: Asks,
}

/// What can be asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Asks {
    /// A query by itself: whether it selects something.
    Exists(Query),
    /// A comparison.
    Compare(Operand, Operator, Operand),
    /// `match()` or `search()`: a text and a pattern.
    Match(Operand, Operand),
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

/// One side of a comparison, or an argument.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// A text, a number, `true`, `false` or `null`.
    Literal(Range<usize>, Value),
    /// What a query selects.
    Query(Query),
    /// `length()`
    Length(Range<usize>, Box<Operand>),
    /// `count()`
    Count(Range<usize>, Query),
    /// `value()`
    Value(Range<usize>, Query),
}

/// What a query begins at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// `$`, and `@` outside of filters.
    Document,
    /// `@` inside of a filter.
    Node,
}

/// A query.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// Where it is in the text.
    pub span: Range<usize>,
    /// What it begins at.
    pub root: Root,
    /// Its segments in order.
    pub segments: Vec<Segment>,
}

/// One segment of a query.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// Where it is in the text.
    pub span: Range<usize>,
    /// Whether it selects from the node and all below it: `..`.
    pub is_below: bool,
    /// What it selects.
    pub selectors: Vec<Selector>,
}

/// One selector of a segment.
#[derive(Clone, Debug, PartialEq)]
pub enum Selector {
    /// `.name`, `['name']`.
    Name(String),
    /// `[0]`, `[-1]`.
    Index(i64),
    /// `[1:2]`
    Slice,
    /// `*`
    All,
    /// `[?…]`
    Filter(Logic),
}

impl Logic {
    /// The basic parts, in their order.
    pub fn basics(&self) -> Vec<&Basic> {
        self.signed_basics().into_iter().map(|(basic, _)| basic).collect()
    }

    /// The basic parts, in their order, and whether they are negated.
    pub fn signed_basics(&self) -> Vec<(&Basic, bool)> {
        match self {
            Logic::Or(sides) | Logic::And(sides) => sides.iter().flat_map(Logic::signed_basics).collect(),
            Logic::Not(side) => {
                side.signed_basics().into_iter().map(|(basic, is_negated)| (basic, !is_negated)).collect()
            }
            Logic::Basic(basic) => vec![(basic, false)],
        }
    }

    /// The basic parts, those inside of filters as well.
    pub fn all_basics(&self) -> Vec<&Basic> {
        let mut all = self.basics();
        let mut next = 0;
        while let Some(basic) = all.get(next).copied() {
            let filters = basic.asked().into_iter().flat_map(|asked| asked.query.filters());
            all.extend(filters.flat_map(Logic::basics));
            next += 1;
        }
        all
    }

    /// What it comes to when each basic part comes to what `basic` says, and the parts that decided.
    ///
    /// # Errors
    /// The first of `basic`.
    pub fn join<'l, E>(
        &'l self,
        basic: &mut impl FnMut(&'l Basic) -> Result<Truth, E>,
    ) -> Result<(Truth, Vec<&'l Basic>), E> {
        // Every side is asked for its value, so that none hides what is wrong with another.
        let mut all = |sides: &'l [Logic], decisive: Truth, otherwise: Truth| {
            let sides = sides.iter().map(|side| side.join(basic)).collect::<Result<Vec<_>, E>>()?;
            let is = |truth: Truth| sides.iter().any(|(side, _)| *side == truth);
            let truth = [decisive, Truth::Vacuous].into_iter().find(|truth| is(*truth)).unwrap_or(otherwise);
            let decided = sides.into_iter().filter(|(side, _)| *side == truth).flat_map(|(_, parts)| parts);
            Ok((truth, decided.collect()))
        };
        match self {
            Logic::Or(sides) => all(sides, Truth::True, Truth::False),
            Logic::And(sides) => all(sides, Truth::False, Truth::True),
            Logic::Not(side) => side.join(basic).map(|(truth, decided)| match truth {
                Truth::True => (Truth::False, decided),
                Truth::False => (Truth::True, decided),
                other => (other, decided),
            }),
            Logic::Basic(part) => Ok((basic(part)?, vec![part])),
        }
    }
}

/// A query that a basic part asks, and what is put in its place when the engines get the part by itself.
pub struct Asked<'e> {
    /// The query.
    pub query: &'e Query,
    /// What is replaced: the query, or the call of `count()` around it.
    replaced: Range<usize>,
    is_counted: bool,
    is_tested: bool,
}

impl Basic {
    /// The queries that it asks itself, not those inside of their filters, in the order of the text.
    pub fn asked(&self) -> Vec<Asked<'_>> {
        let of = |query, replaced: &Range<usize>, is_counted, is_tested| Asked {
            query,
            replaced: replaced.clone(),
            is_counted,
            is_tested,
        };
        let mut operands = match &self.asks {
            Asks::Exists(query) => return vec![of(query, &query.span, false, true)],
            Asks::Compare(left, _, right) | Asks::Match(left, right) => vec![right, left],
        };
        let mut asked = Vec::new();
        while let Some(operand) = operands.pop() {
            match operand {
                Operand::Literal(..) => {}
                Operand::Length(_, inner) => operands.push(inner),
                Operand::Query(query) | Operand::Value(_, query) => asked.push(of(query, &query.span, false, false)),
                Operand::Count(call, query) => asked.push(of(query, call, true, false)),
            }
        }
        asked
    }
}

impl Operand {
    /// Where it is in the text.
    pub fn span(&self) -> &Range<usize> {
        match self {
            Operand::Query(query) => &query.span,
            Operand::Literal(span, _)
            | Operand::Length(span, _)
            | Operand::Count(span, _)
            | Operand::Value(span, _) => span,
        }
    }

    /// The query whose value it is: `value()` is seen through.
    pub fn query(&self) -> Option<&Query> {
        match self {
            Operand::Query(query) | Operand::Value(_, query) => Some(query),
            Operand::Literal(..) | Operand::Length(..) | Operand::Count(..) => None,
        }
    }

    /// What is written, if it is a literal.
    pub fn literal(&self) -> Option<&Value> {
        match self {
            Operand::Literal(_, value) => Some(value),
            _ => None,
        }
    }
}

impl Query {
    /// Whether it can select at most one node.
    pub fn is_singular(&self) -> bool {
        self.leading().len() == self.segments.len()
    }

    /// The names and indexes that it begins with.
    pub fn leading(&self) -> &[Segment] {
        let count = self.segments.iter().take_while(|segment| segment.only().is_some()).count();
        &self.segments[..count]
    }

    /// The name that it ends with, or `""`.
    pub fn last_name(&self) -> &str {
        match self.segments.last().and_then(Segment::only) {
            Some(Selector::Name(name)) => name,
            _ => "",
        }
    }

    /// The filters in it.
    pub fn filters(&self) -> impl Iterator<Item = &Logic> {
        self.segments.iter().flat_map(Segment::filters)
    }
}

impl Segment {
    /// The name or index, if it can select at most one node.
    pub fn only(&self) -> Option<&Selector> {
        match self.selectors.as_slice() {
            [only @ (Selector::Name(_) | Selector::Index(_))] if !self.is_below => Some(only),
            _ => None,
        }
    }

    /// The filters in it.
    pub fn filters(&self) -> impl Iterator<Item = &Logic> {
        self.selectors.iter().filter_map(|selector| match selector {
            Selector::Filter(logic) => Some(logic),
            _ => None,
        })
    }
}

/// What a name or index selects at a node.
pub fn child<'d>(node: &'d Value, selector: &Selector) -> Option<&'d Value> {
    match (selector, node) {
        (Selector::Name(name), Value::Object(members)) => members.get(name),
        (Selector::Index(index), Value::Array(elements)) => {
            let index = if *index < 0 {
                elements.len().checked_add_signed(isize::try_from(*index).ok()?)?
            } else {
                usize::try_from(*index).ok()?
            };
            elements.get(index)
        }
        _ => None,
    }
}

/// Names and indexes as they are written behind `root`; what else there is, as it stands in the text.
pub fn path(root: &str, segments: &[Segment], text: &str) -> String {
    let mut path = String::from(root);
    for segment in segments {
        match segment.only() {
            Some(selector) => path.push_str(&written(selector)),
            None => path.push_str(&text[segment.span.clone()]),
        }
    }
    path
}

/// A name or an index as a segment.
pub fn written(selector: &Selector) -> String {
    match selector {
        Selector::Name(name) if is_plain(name) => format!(".{name}"),
        Selector::Name(name) => format!("['{}']", name.escape_default()),
        Selector::Index(index) => format!("[{index}]"),
        Selector::Slice | Selector::All | Selector::Filter(_) => String::from("[*]"),
    }
}

/// Whether a name can stand behind a dot.
fn is_plain(name: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(is_word)
}

/// What the queries of a document select, by where they begin in the text.
pub type Selected<'d> = BTreeMap<usize, Vec<&'d Value>>;

/// What one of them selects.
pub fn nodes<'s, 'd>(selected: &'s Selected<'d>, query: &Query) -> &'s [&'d Value] {
    selected.get(&query.span.start).map(Vec::as_slice).unwrap_or_default()
}

impl Expression {
    /// Every query of the document in it, those inside of filters as well, in the order of the text.
    pub fn queries(&self) -> Vec<&Query> {
        self.queries_from(Root::Document)
    }

    /// Every query that begins at the document, or every one that begins at a node of a filter.
    pub fn queries_from(&self, root: Root) -> Vec<&Query> {
        let asked = self.logic.all_basics().into_iter().flat_map(Basic::asked);
        let mut queries: Vec<&Query> = asked.map(|asked| asked.query).filter(|query| query.root == root).collect();
        queries.sort_by_key(|query| query.span.start);
        queries
    }

    /// A query as it was written.
    pub fn written(&self, query: &Query) -> &str {
        &self.text[query.span.clone()]
    }

    /// The whole expression as a query, for the engines to accept or not.
    pub fn as_filter(&self) -> String {
        format!("$[?{}]", self.rooted(0..self.text.len()))
    }

    /// One of its queries by itself, with the document found at `[0]` of the root.
    pub fn as_query(&self, query: &Query) -> String {
        self.rooted(query.span.clone())
    }

    /// A part of the text, with the document found at `[0]` of the root.
    fn rooted(&self, part: Range<usize>) -> String {
        let mut text = String::new();
        let mut done = part.start;
        for query in self.queries().into_iter().filter(|query| part.contains(&query.span.start)) {
            text.push_str(&self.text[done..query.span.start]);
            text.push_str("$[0]");
            done = query.span.start + 1;
        }
        text.push_str(&self.text[done..part.end]);
        text
    }

    /// A basic part as a query over what `answers` gives: it selects something if the part holds. So its paths are only followed
    /// where both engines could be compared.
    pub fn as_part(&self, part: &Basic) -> String {
        let mut text = String::from("$[?");
        let mut done = part.span.start;
        for Asked { query, replaced, is_counted, .. } in part.asked() {
            let all = if is_counted || query.is_singular() { "" } else { "[*]" };
            text.push_str(&self.text[done..replaced.start]);
            text.push_str(&format!("$[0].q{}{all}", query.span.start));
            done = replaced.end;
        }
        text.push_str(&self.text[done..part.span.end]);
        text.push(']');
        text
    }
}

/// What the queries of a part have selected, as the document that [`Expression::as_part`] asks.
pub fn answers(part: &Basic, selected: &Selected<'_>) -> Value {
    let mut members = serde_json::Map::new();
    for Asked { query, is_counted, is_tested, .. } in part.asked() {
        let answer = match nodes(selected, query) {
            nodes if is_counted => Some(nodes.len().into()),
            [node] if query.is_singular() => Some((*node).clone()),
            _ if query.is_singular() => None,
            // That there are some is all that is asked; a copy of each could be many times the document.
            nodes if is_tested => Some(vec![Value::Null; nodes.len()].into()),
            nodes => Some(nodes.iter().copied().cloned().collect()),
        };
        members.extend(answer.map(|answer| (format!("q{}", query.span.start), answer)));
    }
    Value::Array(vec![Value::Object(members)])
}

#[cfg(test)]
mod tests {
    use super::super::parser::parse;
    use super::*;

    /// The queries of an expression as `text segments`; a segment is `name`, `index` or how many selectors it has.
    fn queries(text: &str) -> Vec<String> {
        let expression = parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        let show = |segment: &Segment| match segment.only() {
            Some(Selector::Name(name)) => format!(".{name}"),
            Some(selector) => written(selector),
            None => format!("{}{}", if segment.is_below { ".." } else { "*" }, segment.selectors.len()),
        };
        let show = |query: &Query| {
            let segments: String = query.segments.iter().map(show).collect();
            format!("{} -> {segments}", expression.written(query))
        };
        expression.queries().into_iter().map(show).collect()
    }

    #[test]
    fn queries_are_found_wherever_they_stand() {
        let cases: &[(&str, &[&str])] = &[
            ("$.plan_only == false", &["$.plan_only -> .plan_only"]),
            ("!$.release_id", &["$.release_id -> .release_id"]),
            ("@['a b'][0].c[-1]", &["@['a b'][0].c[-1] -> .a b[0].c[-1]"]),
            ("@ .a [ 0 ] && $.b", &["@ .a [ 0 ] -> .a[0]", "$.b -> .b"]),
            (
                "count($.steps[?@.status == $.want]) == 0 || !(1 < $.x)",
                &["$.steps[?@.status == $.want] -> .steps*1", "$.want -> .want", "$.x -> .x"],
            ),
            ("match($.tag, 'v[0-9]+') && $..a['b', 'c'][1:2]", &["$.tag -> .tag", "$..a['b', 'c'][1:2] -> ..1*2*1"]),
            ("'\\u0041\\'' == $['\\ud83d\\ude00']", &["$['\\ud83d\\ude00'] -> .😀"]),
            ("$['\\b\\f\\n\\r\\t\\/\\\\\\'']", &["$['\\b\\f\\n\\r\\t\\/\\\\\\''] -> .\u{8}\u{c}\n\r\t/\\'"]),
            ("$..['a', 'b']..c..[*]..*", &["$..['a', 'b']..c..[*]..* -> ..2..1..1..1"]),
            ("length(value($.a[*])) == count($.b)", &["$.a[*] -> .a*1", "$.b -> .b"]),
        ];
        for (text, want) in cases {
            assert_eq!(queries(text), *want, "{text}");
        }
    }

    #[test]
    fn the_document_is_the_only_element_of_the_root() {
        let expression = parse("count(@.s[?@.a == $.b]) == 1 && @.c").expect("parses");
        let queries = expression.queries();
        assert_eq!(expression.as_filter(), "$[?count($[0].s[?@.a == $[0].b]) == 1 && $[0].c]");
        assert_eq!(expression.as_query(queries[0]), "$[0].s[?@.a == $[0].b]");
        assert_eq!(expression.as_query(queries[2]), "$[0].c");
    }

    #[test]
    fn a_part_is_put_to_what_its_queries_selected() {
        let expression = parse("count(@.s[?@.a == $.b]) == 1 && !$.d[*] && $.e != value($.f[*])").expect("parses");
        let value = Value::from(5);
        let parts = expression.logic.basics();
        let texts: Vec<String> = parts.iter().map(|part| expression.as_part(part)).collect();
        assert_eq!(texts, ["$[?$[0].q6 == 1]", "$[?$[0].q33[*]]", "$[?$[0].q43 != value($[0].q56[*])]"]);
        let selected =
            Selected::from([(6, vec![&value, &value]), (33, vec![&value]), (43, vec![]), (56, vec![&value])]);
        let answers: Vec<String> = parts.iter().map(|part| answers(part, &selected).to_string()).collect();
        assert_eq!(answers, [r#"[{"q6":2}]"#, r#"[{"q33":[null]}]"#, r#"[{"q56":[5]}]"#]);
    }
}
