//! An expression, and the forms in which the engines get it. Pure.

use std::ops::Range;

use serde_json::Value;

use super::truth::Truth;

/// A well-formed expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    /// As it was written.
    pub text: String,
    /// How it is joined of parts that are true, false or vacuous by themselves.
    pub logic: Logic,
    /// Every query of the document in it; those relative to a node inside a filter are part of the query around them.
    pub queries: Vec<Query>,
    /// The segments of those relative queries: they cost time and memory too.
    pub relative: Vec<Vec<Segment>>,
    /// Those of them that are compared with what may be a number that a double cannot tell from its neighbour.
    pub compared: Vec<Vec<Segment>>,
}

/// `||`, `&&` and `!` outside of filters, joined as SQL joins its three values.
#[derive(Clone, Debug, PartialEq)]
pub enum Logic {
    /// True if a side is.
    Or(Vec<Logic>),
    /// False if a side is.
    And(Vec<Logic>),
    /// The contrary.
    Not(Box<Logic>),
    /// A comparison, a test or a function: where it is in the text.
    Basic(Range<usize>),
}

impl Logic {
    /// The basic parts, in their order.
    pub fn parts(&self) -> Vec<&Range<usize>> {
        match self {
            Logic::Or(sides) | Logic::And(sides) => sides.iter().flat_map(Logic::parts).collect(),
            Logic::Not(side) => side.parts(),
            Logic::Basic(span) => vec![span],
        }
    }

    /// What the expression comes to, when each basic part of it comes to what `basic` says.
    ///
    /// # Errors
    /// The first of `basic`.
    pub fn join<E>(&self, basic: &mut impl FnMut(&Range<usize>) -> Result<Truth, E>) -> Result<Truth, E> {
        // Every side is asked for its value, so that none hides what is wrong with another.
        let mut all = |sides: &[Logic]| sides.iter().map(|side| side.join(basic)).collect::<Result<Vec<_>, E>>();
        let decides = |sides: Vec<Truth>, decisive: Truth, otherwise: Truth| {
            [decisive, Truth::Vacuous].into_iter().find(|truth| sides.contains(truth)).unwrap_or(otherwise)
        };
        Ok(match self {
            Logic::Or(sides) => decides(all(sides)?, Truth::True, Truth::False),
            Logic::And(sides) => decides(all(sides)?, Truth::False, Truth::True),
            Logic::Not(side) => match side.join(basic)? {
                Truth::True => Truth::False,
                Truth::False => Truth::True,
                other => other,
            },
            Logic::Basic(span) => basic(span)?,
        })
    }
}

/// A query of the document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// Where it is in the text.
    pub span: Range<usize>,
    /// Its segments in order.
    pub segments: Vec<Segment>,
    /// Whether it is only tested for existence.
    pub tested: bool,
    /// Whether what it selects is used as a regular expression.
    pub pattern: bool,
    /// The call of `count()` that it is the argument of.
    pub counted: Option<Range<usize>>,
    /// Whether it is the argument of `value()`, which takes one node.
    pub valued: bool,
    /// Whether its length is taken by `length()`.
    pub measured: bool,
    /// Whether it is the text of `match()` or `search()`.
    pub matched: bool,
    /// Whether it is compared with what may be a number that a double cannot tell from its neighbour.
    pub compared: bool,
    /// What a filter right behind the names and indexes that it begins with looks at in each element.
    pub looks: Vec<Vec<Segment>>,
}

/// One segment of a query.
#[derive(Clone, Debug, PartialEq)]
pub enum Segment {
    /// `.name`, `['name']`.
    Name(String),
    /// `[0]`, `[-1]`.
    Index(i64),
    /// Anything that can select several nodes, with how many selectors it has.
    Many(usize),
    /// The same, of the node and all below it: `..`.
    Below(usize),
}

impl Query {
    /// Whether it can select at most one node.
    pub fn is_singular(&self) -> bool {
        is_singular(&self.segments)
    }
}

/// Whether segments can select at most one node.
pub fn is_singular(segments: &[Segment]) -> bool {
    segments.iter().all(|segment| matches!(segment, Segment::Name(_) | Segment::Index(_)))
}

/// The names and indexes that a query begins with.
pub fn leading(segments: &[Segment]) -> &[Segment] {
    let count = segments.iter().take_while(|segment| matches!(segment, Segment::Name(_) | Segment::Index(_))).count();
    &segments[..count]
}

/// What a name or index selects at a node.
pub fn child<'d>(node: &'d Value, segment: &Segment) -> Option<&'d Value> {
    match (segment, node) {
        (Segment::Name(name), Value::Object(members)) => members.get(name),
        (Segment::Index(index), Value::Array(elements)) => {
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

/// Segments as they are written.
pub fn path(segments: &[Segment]) -> String {
    let mut path = String::from("$");
    for segment in segments {
        match segment {
            Segment::Name(name) if name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') => {
                path.push('.');
                path.push_str(name);
            }
            Segment::Name(name) => path.push_str(&format!("['{}']", name.escape_default())),
            Segment::Index(index) => path.push_str(&format!("[{index}]")),
            Segment::Many(_) => path.push_str("[…]"),
            Segment::Below(_) => path.push_str("..…"),
        }
    }
    path
}

impl Expression {
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
        let mut starts: Vec<usize> =
            self.queries.iter().map(|query| query.span.start).filter(|at| part.contains(at)).collect();
        starts.sort_unstable();
        let mut text = String::new();
        let mut done = part.start;
        for start in starts {
            text.push_str(&self.text[done..start]);
            text.push_str("$[0]");
            done = start + 1;
        }
        text.push_str(&self.text[done..part.end]);
        text
    }

    /// A basic part of the expression as a query over [`Expression::answers`]: it selects something if the part holds. So
    /// its paths are only followed where both engines could be compared.
    pub fn as_part(&self, part: &Range<usize>) -> String {
        let mut text = String::from("$[?");
        let mut done = part.start;
        for (index, query) in self.outer_queries_of(part) {
            let is_one = query.counted.is_some() || query.is_singular();
            let span = query.counted.as_ref().unwrap_or(&query.span);
            text.push_str(&self.text[done..span.start]);
            text.push_str(&format!("$[0].q{index}{}", if is_one { "" } else { "[*]" }));
            done = span.end;
        }
        text.push_str(&self.text[done..part.end]);
        text.push(']');
        text
    }

    /// What the queries of a part have selected, as the document that [`Expression::as_part`] asks.
    pub fn answers(&self, part: &Range<usize>, selected: &[Vec<&Value>]) -> Value {
        let mut members = serde_json::Map::new();
        for (index, query) in self.outer_queries_of(part) {
            let nodes = selected.get(index).map(Vec::as_slice).unwrap_or_default();
            let answer = match nodes {
                nodes if query.counted.is_some() => Some(nodes.len().into()),
                [node] if query.is_singular() => Some((*node).clone()),
                _ if query.is_singular() => None,
                // That there are some is all that is asked; a copy of each could be many times the document.
                nodes if query.tested => Some(vec![Value::Null; nodes.len()].into()),
                nodes => Some(nodes.iter().copied().cloned().collect()),
            };
            members.extend(answer.map(|answer| (format!("q{index}"), answer)));
        }
        Value::Array(vec![Value::Object(members)])
    }

    /// The queries of a part in their order, but for those inside a filter of another, which are followed with it.
    fn outer_queries_of(&self, part: &Range<usize>) -> Vec<(usize, &Query)> {
        let mut queries: Vec<(usize, &Query)> = self.queries_of(part).collect();
        queries.sort_by_key(|(_, query)| query.span.start);
        let mut end = part.start;
        queries.retain(|(_, query)| {
            let is_outer = query.span.start >= end;
            if is_outer {
                end = query.counted.as_ref().unwrap_or(&query.span).end;
            }
            is_outer
        });
        queries
    }

    /// The queries that stand in a part of the text, with their places among all.
    pub fn queries_of(&self, part: &Range<usize>) -> impl Iterator<Item = (usize, &Query)> {
        self.queries.iter().enumerate().filter(move |(_, query)| part.contains(&query.span.start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The queries of an expression as `text kind segments`.
    fn queries(text: &str) -> Vec<String> {
        let expression = super::super::parser::parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        let show = |query: &Query| {
            let segments = query.segments.iter().map(|segment| match segment {
                Segment::Name(name) => format!(".{name}"),
                Segment::Index(index) => format!("[{index}]"),
                Segment::Many(count) => format!("*{count}"),
                Segment::Below(count) => format!("..{count}"),
            });
            format!(
                "{} -> {}{}",
                &text[query.span.clone()],
                segments.collect::<String>(),
                if query.tested { " tested" } else { "" }
            )
        };
        expression.queries.iter().map(show).collect()
    }

    #[test]
    fn queries_are_found_wherever_they_stand() {
        let cases: &[(&str, &[&str])] = &[
            ("$.plan_only == false", &["$.plan_only -> .plan_only"]),
            ("!$.release_id", &["$.release_id -> .release_id tested"]),
            ("@['a b'][0].c[-1]", &["@['a b'][0].c[-1] -> .a b[0].c[-1] tested"]),
            ("@ .a [ 0 ] && $.b", &["@ .a [ 0 ] -> .a[0] tested", "$.b -> .b tested"]),
            (
                "count($.steps[?@.status == $.want]) == 0 || !(1 < $.x)",
                &["$.steps[?@.status == $.want] -> .steps*1", "$.want -> .want", "$.x -> .x"],
            ),
            (
                "match($.tag, 'v[0-9]+') && $..a['b', 'c'][1:2]",
                &["$.tag -> .tag", "$..a['b', 'c'][1:2] -> ..1*2*1 tested"],
            ),
            ("'\\u0041\\'' == $['\\ud83d\\ude00']", &["$['\\ud83d\\ude00'] -> .😀"]),
            ("$['\\b\\f\\n\\r\\t\\/\\\\\\'']", &["$['\\b\\f\\n\\r\\t\\/\\\\\\''] -> .\u{8}\u{c}\n\r\t/\\' tested"]),
            ("$..['a', 'b']..c..[*]..*", &["$..['a', 'b']..c..[*]..* -> ..2..1..1..1 tested"]),
        ];
        for (text, want) in cases {
            assert_eq!(queries(text), *want, "{text}");
        }
    }

    #[test]
    fn the_document_is_the_only_element_of_the_root() {
        let expression = super::super::parser::parse("count(@.s[?@.a == $.b]) == 1 && @.c").expect("parses");
        assert_eq!(expression.as_filter(), "$[?count($[0].s[?@.a == $[0].b]) == 1 && $[0].c]");
        assert_eq!(expression.as_query(&expression.queries[0]), "$[0].s[?@.a == $[0].b]");
        assert_eq!(expression.as_query(&expression.queries[2]), "$[0].c");
    }

    #[test]
    fn an_expression_is_put_to_what_its_queries_selected() {
        let expression =
            super::super::parser::parse("count(@.s[?@.a == $.b]) == 1 && @.c && !$.d[*] && $.e != 2").expect("parses");
        let value = Value::from(5);
        let whole = 0..expression.text.len();
        assert_eq!(expression.as_part(&whole), "$[?$[0].q0 == 1 && $[0].q2 && !$[0].q3[*] && $[0].q4 != 2]");
        let answers = expression.answers(&whole, &[vec![&value, &value], vec![], vec![&value], vec![], vec![]]);
        assert_eq!(answers.to_string(), r#"[{"q0":2,"q2":5,"q3":[]}]"#);
    }
}
