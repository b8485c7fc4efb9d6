//! Reads a logical expression of RFC 9535, the language between `[?` and `]`, and says where a mistake is. Pure.
//!
//! The two engines do the judging. This parser finds what they cannot tell: where each query is and what it asks for.

use std::ops::Range;

use serde_json::Value;

use super::pattern;
use super::syntax::{Asks, Basic, Expression, Logic, Operand, Operator, Query, Root, Segment, Selector};

/// The longest expression, in bytes.
const LONGEST: usize = 4096;
/// The deepest nesting of brackets and parentheses: one engine takes twice the time for each level.
const DEEPEST: usize = 8;

/// 2^53 - 1, the largest whole number that RFC 9535 allows.
const LARGEST: u64 = 9_007_199_254_740_991;

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
    let mut parser = Parser { text, at: 0, depth: 0, filters: 0 };
    if text.len() > LONGEST {
        return parser.wrong(&format!("an expression of at most {LONGEST} bytes; this one has {}", text.len()));
    }
    let logic = parser.or()?;
    if parser.at < text.len() {
        return match text[parser.at..].trim_start() {
            "" => parser.wrong("no white space at the end"),
            _ => parser.wrong_word(parser.at, "the end, or an operator: == != < <= > >= && ||", IN_PLACE_OF_OPERATORS),
        };
    }
    let expression = Expression { text: text.into(), logic };
    if expression.queries().is_empty() {
        return Parser::refuse(0, "a query of the document, like $.plan_only: this says nothing about the deploy");
    }
    Ok(expression)
}

/// What people write who know another language, by what stands where the mistake is, and what it is here.
type Hints = &'static [(&'static str, &'static str)];

/// Where the end or an operator should stand.
const IN_PLACE_OF_OPERATORS: Hints = &[
    ("=~", "write match($.a, 'pattern') for the whole text, search() for a part of it"),
    ("=", "did you mean ==?"),
    ("~", "write match($.a, 'pattern') for the whole text, search() for a part of it"),
    ("and ", "write && for and"),
    ("or ", "write || for or"),
    ("& ", "write &&"),
    ("| length", "write length($.a)"),
    ("| ", "write ||"),
    ("not in ", "there is no in; write $.a != 'x' && $.a != 'y'"),
    ("in ", "there is no in; write $.a == 'x' || $.a == 'y'"),
    ("contains", "there is no contains; write search($.a, 'x') for a part of a text, $.a[?@ == 'x'] for an element"),
    ("is not ", "write !="),
    ("is ", "write =="),
    ("eq ", "write =="),
    ("ne ", "write !="),
    ("like ", "write search($.a, 'x')"),
    ("-", "a name with other characters than letters, digits and _ goes in brackets: $['a-b']"),
    ("(", "functions stand before what they look at: length($.a), count($.a[*]), match($.a, 'x')"),
    ("?.", "write . : what is not there makes the assertion vacuous"),
    (";", "leave it out"),
    ("#", "a comment has a line of its own"),
];

/// Where a query, a literal or a function should stand.
const IN_PLACE_OF_TERMS: Hints = &[
    ("=", "write == between two values; repeat the query, as in $.a != 'x' && $.a != 'y'"),
    (">", "write != for <>"),
    ("&&", "each line is an assertion of its own"),
    ("||", "each line is an assertion of its own"),
    ("not", "write ! for not"),
    ("contains", "there is no contains; write search($.a, 'x') for a part of a text, $.a[?@ == 'x'] for an element"),
    ("startswith", "write match($.a, 'x.*')"),
    ("starts_with", "write match($.a, 'x.*')"),
    ("endswith", "write match($.a, '.*x')"),
    ("exists", "a query by itself asks whether something is there: write $.a, or !$.a"),
    ("defined", "a query by itself asks whether something is there: write $.a, or !$.a"),
    ("all", "for all elements write !$.a[?@.b != 'x']: there is none that is otherwise"),
    ("any", "for any element write $.a[?@.b == 'x']"),
    ("none", "for no element write !$.a[?@.b == 'x']"),
    ("len", "write length($.a)"),
    ("size", "write length($.a)"),
    ("empty", "write !$.a[*]"),
    ("matches", "write match($.a, 'pattern')"),
    ("test", "write match($.a, 'pattern')"),
    ("True", "write true"),
    ("False", "write false"),
    ("None", "write null"),
    ("nil", "write null"),
    ("[?", "an assertion is what stands between [? and ]"),
    ("[", "lists are not compared; write $.a[?@ == 'x'] for an element, !$.a[*] for an empty list"),
    ("{", "objects are not compared; write $.a.b == 'x'"),
    ("`", "texts stand in ' or \""),
    ("\u{2018}", "texts stand in ' or \""),
    ("\u{201c}", "texts stand in ' or \""),
];

/// What a function gives.
#[derive(Clone, Copy, PartialEq)]
enum Gives {
    Value,
    Truth,
}

/// The functions of RFC 9535: what each gives, and how many arguments it takes.
const FUNCTIONS: [(&str, Gives, usize); 5] = [
    ("length", Gives::Value, 1),
    ("count", Gives::Value, 1),
    ("value", Gives::Value, 1),
    ("match", Gives::Truth, 2),
    ("search", Gives::Truth, 2),
];

/// What can stand on either side of an operator, or alone.
enum Term {
    Value(Operand),
    /// `match()` or `search()`.
    Truth(Asks),
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    /// How many filters the parser is inside of: there, `@` is a node, not the document.
    filters: usize,
}

impl Parser<'_> {
    fn wrong<T>(&self, expected: &str) -> Parsed<T> {
        Self::refuse(self.at, expected)
    }

    /// Something else stands here, which other languages may have.
    fn wrong_word<T>(&self, at: usize, expected: &str, hints: Hints) -> Parsed<T> {
        let rest = self.text[at..].trim_start();
        let is_variable = self.text[..at].ends_with('$') && rest.starts_with(|c: char| c.is_ascii_alphabetic());
        let hint = match is_variable {
            true => Some("if it is a variable of the shell, it was not filled in"),
            false => hints.iter().find(|(other, _)| rest.starts_with(other)).map(|(_, hint)| *hint),
        };
        let hint = hint.map_or_else(String::new, |hint| format!(" ({hint})"));
        Self::refuse(at, &format!("{expected}{hint}"))
    }

    /// A mistake in something that is whole.
    fn refuse<T>(at: usize, why: &str) -> Parsed<T> {
        Err(Malformed { at, why: why.into() })
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
            return Self::refuse(self.at, &format!("at most {DEEPEST} levels of brackets and parentheses"));
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
        let is_negated = self.eat("!");
        if is_negated {
            self.blanks();
        }
        if self.eat("(") {
            let group = self.group()?;
            return Ok(if is_negated { Logic::Not(Box::new(group)) } else { group });
        }
        let from = self.at;
        let asks = self.test_or_comparison()?;
        let is_comparison = matches!(asks, Asks::Compare(..));
        let basic = Logic::Basic(Basic { span: from..self.at, asks });
        match is_negated {
            true if is_comparison => Self::refuse(start, "parentheses around a comparison that is negated: !(…)"),
            true => Ok(Logic::Not(Box::new(basic))),
            false => Ok(basic),
        }
    }

    fn group(&mut self) -> Parsed<Logic> {
        self.nest()?;
        self.blanks();
        let group = self.or()?;
        if !self.eat_after_blanks(")") {
            return self.wrong_word(self.at, "\")\"", IN_PLACE_OF_OPERATORS);
        }
        self.depth -= 1;
        Ok(group)
    }

    fn test_or_comparison(&mut self) -> Parsed<Asks> {
        let start = self.at;
        let left = self.term()?;
        let Some(operator) = self.operator() else { return self.test(left) };
        let left = Self::comparable(start, left)?;
        self.blanks();
        let start = self.at;
        let right = self.term()?;
        Ok(Asks::Compare(left, operator, Self::comparable(start, right)?))
    }

    /// A term that is not compared.
    fn test(&self, term: Term) -> Parsed<Asks> {
        match term {
            Term::Truth(asks) => Ok(asks),
            Term::Value(Operand::Literal(..)) => self.wrong("a comparison: == != < <= > >="),
            Term::Value(Operand::Query(query)) if query.root == Root::Document && query.segments.is_empty() => {
                self.wrong("a path: the document itself is always there, so this says nothing about the deploy")
            }
            Term::Value(Operand::Query(query)) => Ok(Asks::Exists(query)),
            Term::Value(_) => self.wrong("a comparison: this function gives a value, not true or false"),
        }
    }

    /// Eats a comparison operator, if there is one.
    fn operator(&mut self) -> Option<Operator> {
        // The longer ones first.
        let all = [
            ("==", Operator::Equal),
            ("!=", Operator::Unequal),
            ("<=", Operator::AtMost),
            (">=", Operator::AtLeast),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        all.into_iter().find(|(token, _)| self.eat_after_blanks(token)).map(|(_, operator)| operator)
    }

    fn comparable(at: usize, term: Term) -> Parsed<Operand> {
        match term {
            Term::Value(Operand::Query(query)) if !query.is_singular() => Self::refuse(
                at,
                "a query that selects at most one value, since it is compared; for any of several write $.a[?@.b == 'x'], for all !$.a[?@.b != 'x'], for one of them value($.a[?…].b) == 'x'",
            ),
            Term::Truth(_) => {
                Self::refuse(at, "a value: match() and search() give true or false by themselves and are not compared")
            }
            Term::Value(operand) => Ok(operand),
        }
    }

    fn term(&mut self) -> Parsed<Term> {
        let start = self.at;
        let literal = |parser: &Self, value| Ok(Term::Value(Operand::Literal(start..parser.at, value)));
        match self.peek() {
            Some('$' | '@') => Ok(Term::Value(Operand::Query(self.query()?))),
            Some('\'' | '"') => {
                let text = self.string()?;
                literal(self, text.into())
            }
            Some('-' | '0'..='9') => {
                let number = self.number()?;
                literal(self, number)
            }
            Some('a'..='z') => self.word(),
            Some('.') => self
                .wrong("$ or @ before the path; if there was one, a shell or CI system ate it: write @ in place of $"),
            _ => {
                let expected = "a query ($.… or @.…), a literal, a function, \"!\" or \"(\"";
                self.wrong_word(self.at, expected, IN_PLACE_OF_TERMS)
            }
        }
    }

    /// `true`, `false`, `null` or a function.
    fn word(&mut self) -> Parsed<Term> {
        let start = self.at;
        while matches!(self.peek(), Some('a'..='z' | '0'..='9' | '_')) {
            self.at += 1;
        }
        let word = &self.text[start..self.at];
        let literal = match word {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            "null" => Some(Value::Null),
            _ => None,
        };
        if let Some(value) = literal {
            return Ok(Term::Value(Operand::Literal(start..self.at, value)));
        }
        let Some(&(name, gives, count)) = FUNCTIONS.iter().find(|(name, ..)| *name == word) else {
            let expected =
                "$, @, a literal (strings need quotes) or one of the functions length, count, value, match, search";
            return self.wrong_word(start, expected, IN_PLACE_OF_TERMS);
        };
        let arguments = self.arguments(name, count)?;
        self.call(name, gives, start..self.at, arguments)
    }

    /// The arguments of a function, with where each begins.
    fn arguments(&mut self, name: &str, count: usize) -> Parsed<Vec<(usize, Term)>> {
        if !self.eat("(") {
            return self.wrong("\"(\"");
        }
        self.nest()?;
        let s = if count == 1 { "" } else { "s" };
        let mut arguments = Vec::new();
        for argument in 0..count {
            self.blanks();
            if argument > 0 && !self.eat(",") {
                return self.wrong(&format!("\",\": {name}() takes {count} argument{s}"));
            }
            self.blanks();
            arguments.push((self.at, self.term()?));
        }
        self.blanks();
        if !self.eat(")") {
            return self.wrong(&format!("\")\": {name}() takes {count} argument{s}"));
        }
        self.depth -= 1;
        Ok(arguments)
    }

    /// A call of a function with these arguments.
    fn call(&self, name: &str, gives: Gives, span: Range<usize>, arguments: Vec<(usize, Term)>) -> Parsed<Term> {
        let mut values = Vec::new();
        for (at, argument) in arguments {
            let takes_nodes = matches!(name, "count" | "value");
            let value = match argument {
                Term::Value(Operand::Query(query)) if takes_nodes || query.is_singular() => Operand::Query(query),
                Term::Value(operand) if !takes_nodes && !matches!(operand, Operand::Query(_)) => operand,
                _ if takes_nodes => {
                    return Self::refuse(at, &format!("a query: {name}() takes the nodes that one selects"));
                }
                _ => {
                    let wanted = format!("a value: {name}() takes a literal, or a query that selects at most one");
                    return Self::refuse(at, &wanted);
                }
            };
            values.push((at, value));
        }
        let last = values.pop();
        match (gives, name, values.pop(), last) {
            (Gives::Truth, _, Some((_, text)), Some((at, pattern))) => {
                Self::pattern(at, &pattern)?;
                Ok(Term::Truth(Asks::Match(text, pattern)))
            }
            (_, "count", _, Some((_, Operand::Query(query)))) => Ok(Term::Value(Operand::Count(span, query))),
            (_, "value", _, Some((_, Operand::Query(query)))) => Ok(Term::Value(Operand::Value(span, query))),
            (_, _, _, Some((_, operand))) => Ok(Term::Value(Operand::Length(span, Box::new(operand)))),
            _ => self.wrong("an argument"),
        }
    }

    /// A pattern that does not compile is called false by both engines in silence, so it is looked at here.
    fn pattern(at: usize, pattern: &Operand) -> Parsed<()> {
        match (pattern.literal(), pattern.query()) {
            (Some(Value::String(text)), _) => pattern::check(text)
                .or_else(|why| Self::refuse(at, &format!("a regular expression (I-Regexp, RFC 9485): {why}"))),
            (_, Some(query)) if query.root == Root::Document => Ok(()),
            _ => Self::refuse(
                at,
                "a pattern in quotes, or a query from $ (or value() of one): one that differs by node cannot be checked",
            ),
        }
    }

    fn query(&mut self) -> Parsed<Query> {
        let start = self.at;
        let root = match self.eat("$") {
            true => Root::Document,
            false => {
                self.at += 1;
                if self.filters == 0 { Root::Document } else { Root::Node }
            }
        };
        let mut segments = Vec::new();
        while let Some(segment) = self.segment(root == Root::Node && segments.is_empty())? {
            segments.push(segment);
        }
        Ok(Query { span: start..self.at, root, segments })
    }

    /// The next segment, or `None` at the end of the query. `first_of_node`: it would be the first of a query of a node.
    fn segment(&mut self, first_of_node: bool) -> Parsed<Option<Segment>> {
        let before = self.at;
        self.blanks();
        let start = self.at;
        let is_below = self.eat("..");
        let has_dot = is_below || self.eat(".");
        let selectors = match self.peek() {
            Some('[') if is_below || !has_dot => {
                let selectors = self.bracket()?;
                if first_of_node && !is_below && matches!(selectors.first(), Some(Selector::Filter(_))) {
                    return Self::refuse(
                        start,
                        "a name or index first: one of the two engines is known to answer a filter directly on @ wrongly; write @.*[?…] or @.name[?…]",
                    );
                }
                selectors
            }
            Some('*') if has_dot => {
                self.at += 1;
                vec![Selector::All]
            }
            _ if has_dot => vec![Selector::Name(self.name()?)],
            _ => {
                self.at = before;
                return Ok(None);
            }
        };
        Ok(Some(Segment { span: start..self.at, is_below, selectors }))
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
            return match self.peek() {
                Some('0'..='9') => self.wrong("a name after the dot; an element is written [0], the last one [-1]"),
                _ => self.wrong(
                    "a name, \"*\" or \"[\" after the dot (a name with other characters goes in brackets: ['…'])",
                ),
            };
        }
        Ok(self.text[start..self.at].into())
    }

    fn bracket(&mut self) -> Parsed<Vec<Selector>> {
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
                return self.wrong_word(self.at, "\",\" or \"]\"", IN_PLACE_OF_OPERATORS);
            }
        }
        self.depth -= 1;
        Ok(selectors)
    }

    fn selector(&mut self) -> Parsed<Selector> {
        match self.peek() {
            Some('\'' | '"') => self.string().map(Selector::Name),
            Some('*') => {
                self.at += 1;
                Ok(Selector::All)
            }
            Some('?') => {
                self.at += 1;
                self.blanks();
                self.filters += 1;
                let filter = self.or()?;
                self.filters -= 1;
                Ok(Selector::Filter(filter))
            }
            Some('-' | '0'..='9' | ':') => self.index_or_slice(),
            _ => self.wrong("a name in quotes, an index ([0], or [-1] for the last), a slice, \"*\" or \"?\""),
        }
    }

    fn index_or_slice(&mut self) -> Parsed<Selector> {
        let first = if self.peek() == Some(':') { None } else { Some(self.integer()?) };
        if !self.eat_after_blanks(":") {
            return match first {
                Some(index) => Ok(Selector::Index(index)),
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
        Ok(Selector::Slice)
    }

    fn integer(&mut self) -> Parsed<i64> {
        let start = self.at;
        let negative = self.eat("-");
        let digits = self.at;
        while matches!(self.peek(), Some('0'..='9')) {
            self.at += 1;
        }
        let number = &self.text[digits..self.at];
        let plain = !number.is_empty() && (number == "0" && !negative || !number.starts_with('0'));
        match self.text[start..self.at].parse::<i64>() {
            Ok(value) if plain && value.unsigned_abs() <= LARGEST => Ok(value),
            _ => Self::refuse(start, "a whole number without leading zeros, up to 2^53 - 1"),
        }
    }

    fn number(&mut self) -> Parsed<Value> {
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
        match serde_json::from_str::<Value>(&self.text[start..self.at]) {
            // One engine takes no larger ones, written as whole numbers.
            Ok(number) if right && number.as_i64().is_some_and(|number| number.unsigned_abs() > LARGEST) => {
                Self::refuse(start, "a number up to 2^53 - 1")
            }
            Ok(number) if right && number.as_f64().is_some_and(f64::is_finite) => Ok(number),
            _ => Self::refuse(start, "a number as JSON writes it"),
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
                return Self::refuse(start, &format!("a closing {quote}"));
            };
            self.at += c.len_utf8();
            match c {
                _ if c == quote => return Ok(string),
                '\\' => string.push(self.escape(quote)?),
                '\0'..='\u{1f}' => return Self::refuse(at, "no control character inside a string; write \\u00XX"),
                _ => string.push(c),
            }
        }
    }

    fn escape(&mut self, quote: char) -> Parsed<char> {
        let at = self.at - 1;
        let Some(c) = self.peek() else { return Self::refuse(at, "an escape") };
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
                            return Self::refuse(at, "a low surrogate after a high one");
                        }
                        0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
                    }
                    code => code,
                };
                match char::from_u32(code) {
                    Some(c) => c,
                    None => return Self::refuse(at, "no lone surrogate"),
                }
            }
            _ => {
                return Self::refuse(
                    at,
                    "one of the escapes \\b \\f \\n \\r \\t \\/ \\\\ \\uXXXX, or the escaped quote; a pattern needs two backslashes, as in '\\\\d'",
                );
            }
        })
    }

    fn hex(&mut self, at: usize) -> Parsed<u32> {
        let digits =
            self.text.get(self.at..self.at + 4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let Some(code) = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) else {
            return Self::refuse(at, "four hexadecimal digits after \\u");
        };
        self.at += 4;
        Ok(code)
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
