//! Reads a logical expression of RFC 9535, the language between `[?` and `]`, and says where a mistake is. Pure.
//!
//! The two engines do the judging. This parser finds what they cannot tell: where each query is and what it asks for.

use super::expression::{Expression, Logic, Query, Segment, is_singular};

/// The longest expression, in bytes.
const LONGEST: usize = 4096;
/// The deepest nesting of brackets and parentheses: one engine takes twice the time for each level.
const DEEPEST: usize = 8;

/// What is wrong with an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Byte offset in the text.
    pub at: usize,
    /// What was expected.
    pub why: String,
}

type Parsed<T> = Result<T, Malformed>;

/// Reads an expression; white space around it is not part of the language.
///
/// # Errors
/// Where the first mistake is, and what was expected there.
pub fn parse(text: &str) -> Parsed<Expression> {
    let mut parser = Parser::new(text);
    if text.len() > LONGEST {
        return parser.wrong(&format!("an expression of at most {LONGEST} bytes; this one has {}", text.len()));
    }
    let logic = parser.or()?;
    if parser.at < text.len() {
        let hint = match text[parser.at..].trim_start() {
            "" => "no white space at the end",
            rest if rest.starts_with('=') => "the end, or an operator: == != < <= > >= && || (did you mean ==?)",
            _ => "the end, or an operator: == != < <= > >= && ||",
        };
        return parser.wrong(hint);
    }
    if parser.queries.is_empty() {
        return parser.wrong_at(0, "a query of the document, like $.plan_only: this says nothing about the deploy");
    }
    let Parser { queries, relative, compared, .. } = parser;
    Ok(Expression { text: text.into(), logic, queries, relative, compared })
}

/// What an operand is, as far as the grammar asks.
enum Operand {
    Literal,
    /// A number that a double may not tell from its neighbour.
    Vast,
    /// A query of the document, or one relative to a node of a filter: index into `queries` or `relative`.
    Query {
        index: Result<usize, usize>,
        singular: bool,
    },
    Function(Kind),
}

/// What a function gives.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Value,
    Logical,
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    /// How many filters the parser is inside of: there, `@` is a node, not the document.
    filters: usize,
    queries: Vec<Query>,
    relative: Vec<Vec<Segment>>,
    compared: Vec<Vec<Segment>>,
    /// Those of the filter that is being read, but not of filters inside of it.
    looks: Vec<Vec<Segment>>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Self {
        let (queries, relative, compared, looks) = Default::default();
        Self { text, at: 0, depth: 0, filters: 0, queries, relative, compared, looks }
    }

    fn wrong<T>(&self, expected: &str) -> Parsed<T> {
        self.wrong_at(self.at, expected)
    }

    fn wrong_at<T>(&self, at: usize, expected: &str) -> Parsed<T> {
        Err(Malformed { at, why: expected.into() })
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.text[self.at..].starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.at += 1;
        }
    }

    /// Eats blanks and `token`, or nothing at all.
    fn eat_after_blanks(&mut self, token: &str) -> bool {
        let start = self.at;
        self.blanks();
        let found = self.eat(token);
        if !found {
            self.at = start;
        }
        found
    }

    fn nest(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return self.wrong(&format!("at most {DEEPEST} levels of brackets and parentheses"));
        }
        Ok(())
    }

    fn or(&mut self) -> Parsed<Logic> {
        let mut sides = vec![self.and()?];
        while self.eat_after_blanks("||") {
            self.blanks();
            sides.push(self.and()?);
        }
        Ok(if sides.len() == 1 { sides.remove(0) } else { Logic::Or(sides) })
    }

    fn and(&mut self) -> Parsed<Logic> {
        let mut sides = vec![self.basic()?];
        while self.eat_after_blanks("&&") {
            self.blanks();
            sides.push(self.basic()?);
        }
        Ok(if sides.len() == 1 { sides.remove(0) } else { Logic::And(sides) })
    }

    fn basic(&mut self) -> Parsed<Logic> {
        let start = self.at;
        let negated = self.eat("!");
        if negated {
            self.blanks();
        }
        let side = if self.eat("(") { self.group()? } else { self.test_or_comparison(start, negated)? };
        Ok(if negated { Logic::Not(Box::new(side)) } else { side })
    }

    fn group(&mut self) -> Parsed<Logic> {
        self.nest()?;
        self.blanks();
        let group = self.or()?;
        if !self.eat_after_blanks(")") {
            return self.wrong("\")\"");
        }
        self.depth -= 1;
        Ok(group)
    }

    /// `start` is where the `!` before it is, if there is one.
    fn test_or_comparison(&mut self, start: usize, negated: bool) -> Parsed<Logic> {
        let left_at = self.at;
        let left = self.operand()?;
        let read = match self.comparison() {
            true if negated => self.wrong_at(start, "parentheses around a comparison that is negated: !(…)"),
            true => {
                self.comparable(&left, left_at)?;
                self.blanks();
                let right_at = self.at;
                let right = self.operand()?;
                self.comparable(&right, right_at)?;
                self.compare(&left, &right);
                self.compare(&right, &left);
                Ok(())
            }
            false => match left {
                Operand::Literal | Operand::Vast => self.wrong("a comparison: == != < <= > >="),
                Operand::Function(Kind::Value) => {
                    self.wrong("a comparison: this function gives a value, not true or false")
                }
                Operand::Function(Kind::Logical) => Ok(()),
                Operand::Query { index: Ok(index), .. }
                    if self.filters == 0 && self.queries[index].segments.is_empty() =>
                {
                    self.wrong("a path: the document itself is always there, so this says nothing about the deploy")
                }
                Operand::Query { index, .. } => {
                    if let Ok(index) = index {
                        self.queries[index].tested = true;
                    }
                    Ok(())
                }
            },
        };
        read.map(|()| Logic::Basic(left_at..self.at))
    }

    /// Eats a comparison operator, if there is one.
    fn comparison(&mut self) -> bool {
        // The longer operators first.
        ["==", "!=", "<=", ">=", "<", ">"].iter().any(|operator| self.eat_after_blanks(operator))
    }

    /// Takes note of a query whose value is compared with what may be a number of any size.
    fn compare(&mut self, operand: &Operand, other: &Operand) {
        match (operand, other) {
            (_, Operand::Literal) => {}
            (Operand::Query { index: Ok(index), .. }, _) => self.queries[*index].compared = true,
            (Operand::Query { index: Err(index), .. }, _) => self.compared.push(self.relative[*index].clone()),
            _ => {}
        }
    }

    fn comparable(&self, operand: &Operand, at: usize) -> Parsed<()> {
        match operand {
            Operand::Query { singular: false, .. } => {
                self.wrong_at(at, "a query that selects at most one value, since it is compared; count(…) counts several, !… tests that there is none")
            }
            Operand::Function(Kind::Logical) => {
                self.wrong_at(at, "a value: match() and search() give true or false by themselves and are not compared")
            }
            _ => Ok(()),
        }
    }

    fn operand(&mut self) -> Parsed<Operand> {
        match self.peek() {
            Some('$' | '@') => self.query(),
            Some('\'' | '"') => self.string().map(|_| Operand::Literal),
            Some('-' | '0'..='9') => self.number(),
            Some('a'..='z') => self.word(),
            Some('.') => self
                .wrong("$ or @ before the path; if there was one, a shell or CI system ate it: write @ in place of $"),
            _ => self.wrong("a query ($.… or @.…), a literal, a function, \"!\" or \"(\""),
        }
    }

    /// `true`, `false`, `null` or a function.
    fn word(&mut self) -> Parsed<Operand> {
        let start = self.at;
        while matches!(self.peek(), Some('a'..='z' | '0'..='9' | '_')) {
            self.at += 1;
        }
        let word = &self.text[start..self.at];
        if matches!(word, "true" | "false" | "null") {
            return Ok(Operand::Literal);
        }
        let (kind, arguments) = match word {
            "length" | "count" | "value" => (Kind::Value, 1),
            "match" | "search" => (Kind::Logical, 2),
            _ => {
                return self.wrong_at(
                    start,
                    "$, @, a literal (strings need quotes) or one of the functions length, count, value, match, search",
                );
            }
        };
        if !self.eat("(") {
            return self.wrong("\"(\"");
        }
        self.nest()?;
        for argument in 0..arguments {
            self.blanks();
            if argument > 0 && !self.eat(",") {
                return self.wrong(&format!("\",\": {word}() takes {arguments} arguments"));
            }
            self.blanks();
            self.argument(word, start, argument)?;
        }
        self.blanks();
        if !self.eat(")") {
            return self.wrong(&format!(
                "\")\": {word}() takes {arguments} argument{}",
                if arguments == 1 { "" } else { "s" }
            ));
        }
        self.depth -= 1;
        let call = start..self.at;
        let counted = self.queries.iter_mut().find(|query| query.counted.as_ref().is_some_and(|of| of.start == start));
        if let Some(query) = counted {
            query.counted = Some(call);
        }
        Ok(Operand::Function(kind))
    }

    /// Reads an argument of the function whose name begins at `call`.
    fn argument(&mut self, function: &str, call: usize, position: usize) -> Parsed<()> {
        let start = self.at;
        let wants_nodes = matches!(function, "count" | "value");
        let operand = self.operand()?;
        let fits = match operand {
            Operand::Literal | Operand::Vast => !wants_nodes,
            Operand::Query { singular, .. } => wants_nodes || singular,
            Operand::Function(kind) => !wants_nodes && kind == Kind::Value,
        };
        if !fits {
            let wanted = if wants_nodes {
                format!("a query: {function}() takes the nodes that one selects")
            } else {
                format!("a value: {function}() takes a literal, or a query that selects at most one")
            };
            return self.wrong_at(start, &wanted);
        }
        let is_pattern = matches!(function, "match" | "search") && position == 1;
        if let Operand::Literal = operand
            && is_pattern
        {
            return self.written_pattern(start);
        }
        let Some(query) = self.asked_for(&operand, start) else {
            return if is_pattern { self.no_pattern(start) } else { Ok(()) };
        };
        match function {
            // Where the call ends is known when it has.
            "count" => query.counted = Some(call..call),
            // What it gives may be compared.
            "value" => (query.valued, query.compared) = (true, true),
            "length" => query.measured = true,
            _ if is_pattern => query.pattern = true,
            _ => query.matched = true,
        }
        Ok(())
    }

    /// The query of the document that an operand is, or the value of: `value()` is seen through.
    fn asked_for(&mut self, operand: &Operand, start: usize) -> Option<&mut Query> {
        match operand {
            Operand::Query { index: Ok(index), .. } => self.queries.get_mut(*index),
            Operand::Function(_) => {
                let text = self.text;
                let is_argument = |query: &&mut Query| {
                    let before = text.get(start..query.span.start).and_then(|call| call.strip_prefix("value("));
                    query.valued && before.is_some_and(|blanks| blanks.trim().is_empty())
                };
                self.queries.iter_mut().find(is_argument)
            }
            _ => None,
        }
    }

    /// A pattern that does not compile is called false by both engines in silence, so it is looked at here.
    fn written_pattern(&mut self, start: usize) -> Parsed<()> {
        if !self.text[start..].starts_with(['\'', '"']) {
            return self.no_pattern(start);
        }
        let pattern = Parser { at: start, ..Parser::new(self.text) }.string()?;
        let wrong = |why| Malformed { at: start, why: format!("a regular expression (I-Regexp, RFC 9485): {why}") };
        super::pattern::check(&pattern).map_err(wrong)
    }

    fn no_pattern(&self, start: usize) -> Parsed<()> {
        self.wrong_at(
            start,
            "a pattern in quotes, or a query from $ (or value() of one): one that differs by node cannot be checked",
        )
    }

    fn query(&mut self) -> Parsed<Operand> {
        let start = self.at;
        let of_document = self.eat("$") || {
            self.at += 1;
            self.filters == 0
        };
        // Its place in the list is before the queries inside its filters.
        let index = self.queries.len();
        if of_document {
            self.queries.push(Query { span: start..start, ..Query::default() });
        }
        let mut segments = Vec::new();
        let is_outermost = self.filters == 0;
        while let Some(segment) = self.segment(!of_document && segments.is_empty())? {
            let looks = if is_outermost { std::mem::take(&mut self.looks) } else { Vec::new() };
            if of_document && is_singular(&segments) && matches!(segment, Segment::Many(_)) {
                self.queries[index].looks = looks;
            }
            segments.push(segment);
        }
        let singular = is_singular(&segments);
        let index = if of_document {
            self.queries[index].span = start..self.at;
            self.queries[index].segments = segments;
            Ok(index)
        } else {
            if self.filters == 1 {
                self.looks.push(segments.clone());
            }
            self.relative.push(segments);
            Err(self.relative.len() - 1)
        };
        Ok(Operand::Query { index, singular })
    }

    /// The next segment, or `None` at the end of the query. `first_of_node`: it would be the first of a query of a node.
    fn segment(&mut self, first_of_node: bool) -> Parsed<Option<Segment>> {
        let start = self.at;
        self.blanks();
        if self.eat("..") {
            return match self.peek() {
                Some('[') => self.bracket().map(|segment| Some(Segment::Below(selectors(&segment)))),
                Some('*') => {
                    self.at += 1;
                    Ok(Some(Segment::Below(1)))
                }
                _ => self.name().map(|_| Some(Segment::Below(1))),
            };
        }
        if self.eat(".") {
            return match self.peek() {
                Some('*') => {
                    self.at += 1;
                    Ok(Some(Segment::Many(1)))
                }
                _ => self.name().map(|name| Some(Segment::Name(name))),
            };
        }
        if self.peek() == Some('[') {
            let at = self.at;
            let segment = self.bracket()?;
            if first_of_node && self.text[at + 1..].trim_start().starts_with('?') {
                return self.wrong_at(
                    at,
                    "a name or index first: one of the two engines is known to answer a filter directly on @ wrongly; write @.*[?…] or @.name[?…]",
                );
            }
            return Ok(Some(segment));
        }
        self.at = start;
        Ok(None)
    }

    fn name(&mut self) -> Parsed<String> {
        let start = self.at;
        while let Some(c) = self.peek() {
            let first = c.is_ascii_alphabetic() || c == '_' || !c.is_ascii();
            if !(first || self.at > start && c.is_ascii_digit()) {
                break;
            }
            self.at += c.len_utf8();
        }
        if start == self.at {
            return self
                .wrong("a name, \"*\" or \"[\" after the dot (a name with other characters goes in brackets: ['…'])");
        }
        Ok(self.text[start..self.at].into())
    }

    fn bracket(&mut self) -> Parsed<Segment> {
        self.at += 1;
        self.nest()?;
        let mut selectors = Vec::new();
        loop {
            self.blanks();
            selectors.push(self.selector()?);
            self.blanks();
            if self.eat("]") {
                break;
            }
            if !self.eat(",") {
                return self.wrong("\",\" or \"]\"");
            }
        }
        self.depth -= 1;
        Ok(match (selectors.len(), selectors.pop()) {
            (1, Some(segment)) => segment,
            (several, _) => Segment::Many(several),
        })
    }

    fn selector(&mut self) -> Parsed<Segment> {
        match self.peek() {
            Some('\'' | '"') => self.string().map(Segment::Name),
            Some('*') => {
                self.at += 1;
                Ok(Segment::Many(1))
            }
            Some('?') => {
                self.at += 1;
                self.blanks();
                self.filters += 1;
                self.or()?;
                self.filters -= 1;
                Ok(Segment::Many(1))
            }
            Some('-' | '0'..='9' | ':') => self.index_or_slice(),
            _ => self.wrong("a name in quotes, an index, a slice, \"*\" or \"?\""),
        }
    }

    fn index_or_slice(&mut self) -> Parsed<Segment> {
        let first = if self.peek() == Some(':') { None } else { Some(self.integer()?) };
        if !self.eat_after_blanks(":") {
            return match first {
                Some(index) => Ok(Segment::Index(index)),
                None => self.wrong("an index or a slice"),
            };
        }
        for part in 0..2 {
            if part == 1 && !self.eat_after_blanks(":") {
                break;
            }
            let start = self.at;
            self.blanks();
            if matches!(self.peek(), Some('-' | '0'..='9')) {
                self.integer()?;
            } else {
                self.at = start;
            }
        }
        Ok(Segment::Many(1))
    }

    fn integer(&mut self) -> Parsed<i64> {
        /// 2^53 - 1, the largest that RFC 9535 allows.
        const LARGEST: i64 = 9_007_199_254_740_991;
        let start = self.at;
        let negative = self.eat("-");
        let digits = self.at;
        while matches!(self.peek(), Some('0'..='9')) {
            self.at += 1;
        }
        let number = &self.text[digits..self.at];
        let plain = !number.is_empty() && (number == "0" && !negative || !number.starts_with('0'));
        match self.text[start..self.at].parse::<i64>() {
            Ok(value) if plain && value.abs() <= LARGEST => Ok(value),
            _ => self.wrong_at(start, "a whole number without leading zeros, up to 2^53 - 1"),
        }
    }

    fn number(&mut self) -> Parsed<Operand> {
        let start = self.at;
        let digits = |parser: &mut Self| {
            let start = parser.at;
            while matches!(parser.peek(), Some('0'..='9')) {
                parser.at += 1;
            }
            parser.at - start
        };
        self.eat("-");
        let whole = self.at;
        let count = digits(self);
        let mut right = count == 1 || (count > 1 && !self.text[whole..].starts_with('0'));
        if self.eat(".") {
            right &= digits(self) > 0;
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            self.at += 1;
            if !self.eat("-") {
                self.eat("+");
            }
            right &= digits(self) > 0;
        }
        match self.text[start..self.at].parse::<f64>() {
            Ok(number) if right && number.abs() < 9_007_199_254_740_992.0 => Ok(Operand::Literal),
            Ok(number) if right && number.is_finite() => Ok(Operand::Vast),
            _ => self.wrong_at(start, "a number as JSON writes it"),
        }
    }

    /// A string literal, unescaped.
    fn string(&mut self) -> Parsed<String> {
        let start = self.at;
        let quote = self.peek().unwrap_or_default();
        self.at += 1;
        let mut string = String::new();
        loop {
            let at = self.at;
            let Some(c) = self.peek() else {
                return self.wrong_at(start, &format!("a closing {quote}"));
            };
            self.at += c.len_utf8();
            match c {
                _ if c == quote => return Ok(string),
                '\\' => string.push(self.escape(quote)?),
                '\0'..='\u{1f}' => return self.wrong_at(at, "no control character inside a string; write \\u00XX"),
                _ => string.push(c),
            }
        }
    }

    fn escape(&mut self, quote: char) -> Parsed<char> {
        let at = self.at - 1;
        let Some(c) = self.peek() else { return self.wrong_at(at, "an escape") };
        self.at += c.len_utf8();
        Ok(match c {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            '/' | '\\' => c,
            _ if c == quote => c,
            'u' => {
                let first = self.hex(at)?;
                let code = match first {
                    0xd800..=0xdbff if self.eat("\\u") => {
                        let second = self.hex(at)?;
                        if !(0xdc00..=0xdfff).contains(&second) {
                            return self.wrong_at(at, "a low surrogate after a high one");
                        }
                        0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
                    }
                    code => code,
                };
                match char::from_u32(code) {
                    Some(c) => c,
                    None => return self.wrong_at(at, "no lone surrogate"),
                }
            }
            _ => {
                return self
                    .wrong_at(at, "one of the escapes \\b \\f \\n \\r \\t \\/ \\\\ \\uXXXX, or the escaped quote");
            }
        })
    }

    fn hex(&mut self, at: usize) -> Parsed<u32> {
        let digits =
            self.text.get(self.at..self.at + 4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let Some(code) = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) else {
            return self.wrong_at(at, "four hexadecimal digits after \\u");
        };
        self.at += 4;
        Ok(code)
    }
}

fn selectors(segment: &Segment) -> usize {
    match segment {
        Segment::Many(count) | Segment::Below(count) => *count,
        Segment::Name(_) | Segment::Index(_) => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_shown_where_it_is() {
        let cases: &[(&str, usize, &str)] = &[
            ("", 0, "a query"),
            ("$.a = 1", 3, "did you mean =="),
            ("$.a === 1", 6, "a query"),
            ("$.a b", 3, "an operator"),
            ("$.a == ", 7, "a query"),
            ("$.a ", 3, "no white space"),
            (".plan_only == false", 0, "ate it"),
            ("$. == false", 2, "a name"),
            ("$.a == foo", 7, "strings need quotes"),
            ("$.a == 'x", 7, "closing '"),
            ("$.a[*] == 1", 0, "at most one value"),
            ("!$.a == 1", 0, "parentheses"),
            ("($.a", 4, "\")\""),
            ("$", 1, "always there"),
            ("!@", 2, "always there"),
            ("1 == 1", 0, "says nothing about the deploy"),
            ("match($.a, '[x') ", 11, "regular expression"),
            ("match($.a, '(?i)x')", 11, "regular expression"),
            ("!match($.a, 5)", 12, "a pattern in quotes"),
            ("!$.a[?match(@.b, true)]", 17, "a pattern in quotes"),
            ("!match($.a, length($.b))", 12, "a pattern in quotes"),
            ("$.a[?match(@.b, value(@.c[?@.d == $.e]))]", 16, "a pattern in quotes"),
            ("match($.a)", 9, "takes 2 arguments"),
            ("match($.a, 'x') == true", 0, "not compared"),
            ("count($.a)", 10, "a comparison"),
            ("$.a[?match(@.b, @.c)]", 16, "differs by node"),
            ("$.a[?@[?@.b]]", 6, "wrongly"),
            ("$.a[01] == 1", 4, "leading zeros"),
            ("((((((((($.a)))))))))", 9, "at most 8 levels"),
        ];
        for (text, at, why) in cases {
            let error = parse(text).expect_err(text);
            assert_eq!(error.at, *at, "{text}: {}", error.why);
            assert!(error.why.contains(why), "{text}: {}", error.why);
        }
        assert!(parse(&format!("$.{}", "a".repeat(4095))).is_err());
        assert!(parse(&format!("$.{}", "a".repeat(4094))).is_ok());
    }

    #[test]
    fn numbers_and_strings_are_those_of_json() {
        for good in ["0", "-0", "12", "1.5", "1.5e-3", "1E+2", "-1e2", "'a\"b'", "\"a'b\"", "'\\u00e4'", "\"\\\"\""] {
            parse(&format!("$.a == {good}")).unwrap_or_else(|error| panic!("{good}: {error:?}"));
        }
        for (bad, at) in [
            ("01", 7),
            ("-01", 7),
            ("1.", 7),
            ("1.e5", 7),
            ("1e", 7),
            ("1e+", 7),
            ("-", 7),
            ("1e999", 7),
            ("'a\nb'", 9),
            ("'\u{1f}'", 8),
            ("'ab\\x'", 10),
            ("'\\\"'", 8),
            ("'\\u12'", 8),
            ("'\\ud800'", 8),
            ("'\\ud800\\u0041'", 8),
        ] {
            let error = parse(&format!("$.a == {bad}")).expect_err(bad);
            assert_eq!(error.at, at, "{bad}: {}", error.why);
        }
        assert_eq!(parse("$.1a").expect_err("a name begins with a letter").at, 2);
    }

    #[test]
    fn what_stands_beside_each_other_is_not_nested() {
        for part in ["($.a == 1)", "count($.a[*]) == 1", "$.a[0][1][2]", "$.a[?@.b[?@.c == 1]]"] {
            let text = vec![part; 20].join(" || ");
            parse(&text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        }
    }
}
