//! No secret leaves: what is sent to the server as a token, and what a server lets slip, is taken out of every text. It is
//! done twice, when an answer arrives (so that nothing later cuts a secret into pieces) and, last, before a byte is
//! written, on the text as it will be seen.
//!
//! A secret is found as it is, in the escapes of JSON, URLs and XML, in Base64 and hexadecimal, and with characters in
//! between that nobody sees. A `write_token` is found by that name, also before its value is known.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::{self, Write};
use std::sync::{Arc, LazyLock, RwLock};

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use regex::bytes::Regex;

use crate::base::source::{Fault, Response};

/// What stands in place of a secret.
const MARK: &str = "[token]";
/// The shortest secret that is looked for, as CI systems mask no shorter ones: it would be found inside of ordinary words.
const SHORTEST: usize = 8;
/// How many secrets are remembered: a server that makes them up must not fill the memory.
const MOST: usize = 1000;
/// The longest value behind a name that is looked for elsewhere, too.
const LONGEST: usize = 512;
/// How many backslashes or percent signs are read as one: text of JSON in JSON, five times over, has 31.
const DEPTH: usize = 32;

/// The secrets of a run. Copies share what they know.
#[derive(Clone, Default)]
pub struct Secrets(Arc<RwLock<Known>>);

#[derive(Default)]
struct Known {
    secrets: Vec<String>,
    /// Each of them, in each of its forms; in order, so that those that begin alike are beside each other.
    forms: Vec<Vec<u8>>,
    /// The first two bytes of each form.
    pairs: HashSet<[u8; 2]>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secrets]")
    }
}

impl Secrets {
    /// Takes note of a secret.
    pub fn add(&self, secret: &str) {
        let is_known = |known: &Known| known.secrets.len() >= MOST || known.secrets.iter().any(|known| known == secret);
        if secret.len() < SHORTEST || secret == MARK || self.0.read().is_ok_and(|known| is_known(&known)) {
            return;
        }
        if let Ok(mut known) = self.0.write()
            && !is_known(&known)
        {
            known.add(secret);
        }
    }

    /// The text without secrets.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.redacted(text.as_bytes()) {
            None => Cow::Borrowed(text),
            // Secrets are ASCII, so what is around them stays whole.
            Some(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }

    /// An answer without secrets, and takes note of those that it lets slip.
    ///
    /// # Errors
    /// The fault in its place.
    pub fn clean(&self, answer: Result<Response, Fault>) -> Result<Response, Fault> {
        let clean = |text: String| self.redact(&text).into_owned();
        match answer {
            Ok(Response { status, headers, body }) => {
                named(&body).filter(Named::is_token).for_each(|value| self.add(&value.secret));
                let headers = headers.into_iter().map(|(name, value)| (name, clean(value))).collect();
                // What is judged loses tokens, and nothing else: no text decides which other words are read. What only
                // stands behind a name is taken out last.
                let known = self.0.read().map(|known| known.spans(&body)).unwrap_or_default();
                let found = if status == 200 { without(&body, known) } else { self.redacted(&body) };
                let body = found.unwrap_or(body);
                Ok(Response { status, headers, body })
            }
            Err(Fault::Transient(why)) => Err(Fault::Transient(clean(why))),
            Err(Fault::Final(why)) => Err(Fault::Final(clean(why))),
            Err(other) => Err(other),
        }
    }

    /// `out`, to which no secret is written.
    pub fn guard<'w>(&self, out: &'w mut dyn Write) -> Guard<'w> {
        Guard { out, secrets: self.clone() }
    }

    /// The text without secrets, if there are any in it.
    fn redacted(&self, text: &[u8]) -> Option<Vec<u8>> {
        let mut spans: Vec<(usize, usize)> = named(text).map(|value| value.span).collect();
        if let Ok(known) = self.0.read() {
            spans.extend(known.spans(text));
        }
        without(text, spans)
    }
}

/// The text without these places, if there are any.
fn without(text: &[u8], mut spans: Vec<(usize, usize)>) -> Option<Vec<u8>> {
    if spans.is_empty() {
        return None;
    }
    spans.sort_unstable();
    let mut clean = Vec::with_capacity(text.len());
    let mut done = 0;
    for (start, end) in spans {
        // Secrets that touch are one: two marks in a row would be redacted again.
        if start > done || clean.is_empty() {
            clean.extend_from_slice(&text[done..start]);
            clean.extend_from_slice(MARK.as_bytes());
        }
        done = done.max(end);
    }
    clean.extend_from_slice(&text[done..]);
    Some(clean)
}

impl Known {
    fn add(&mut self, secret: &str) {
        self.secrets.push(secret.into());
        self.forms.extend(forms(secret));
        self.forms.sort_unstable();
        self.forms.dedup();
        self.pairs = self.forms.iter().filter_map(|form| form.first_chunk().copied()).collect();
    }

    /// Whether a secret can begin here: two bytes that can only be themselves have to be its first.
    fn may_begin(&self, text: &[u8]) -> bool {
        match text.first_chunk() {
            Some(pair) if pair.iter().all(|byte| byte.is_ascii_graphic() && !b"\\%&".contains(byte)) => {
                self.pairs.contains(pair)
            }
            _ => true,
        }
    }

    /// Where secrets are in a text.
    fn spans(&self, text: &[u8]) -> Vec<(usize, usize)> {
        let mut begins = [false; 256];
        for escape in b"\\%&" {
            begins[usize::from(*escape)] = !self.forms.is_empty();
        }
        self.forms.iter().for_each(|form| begins[usize::from(form[0])] = true);
        let mut spans = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let may_begin = begins[usize::from(text[at])] && self.may_begin(&text[at..]);
            let found = if may_begin { self.match_at(text, at) } else { None };
            at = match found {
                Some(end) => {
                    spans.push((at, end));
                    end
                }
                None => at + 1,
            };
        }
        spans
    }

    /// Where the longest secret that begins at `start` ends, whatever is in between that nobody sees. Each place is
    /// looked at once for all forms that go on there.
    fn match_at(&self, text: &[u8], start: usize) -> Option<usize> {
        let mut open = vec![(0..self.forms.len(), 0, start)];
        let mut seen = HashSet::new();
        let mut longest = None;
        while let Some((mut forms, read, at)) = open.pop() {
            if read > 0 && !seen.insert((forms.start, read, at)) {
                continue;
            }
            if self.forms[forms.start].len() == read {
                longest = longest.max(Some(at));
                forms.start += 1;
            }
            if forms.is_empty() {
                continue;
            }
            for (byte, length) in readings(text, at) {
                let before =
                    |form: &Vec<u8>, limit: fn(&u8, &u8) -> bool| form.get(read).is_none_or(|b| limit(b, &byte));
                let of = &self.forms[forms.clone()];
                let first = of.partition_point(|form| before(form, u8::lt));
                let last = of.partition_point(|form| before(form, u8::le));
                if first < last {
                    open.push((forms.start + first..forms.start + last, read + 1, at + length));
                }
            }
            if read > 0 {
                open.extend(unseen(text, at).map(|length| (forms.clone(), read, at + length)));
            }
        }
        longest
    }
}

/// A stream to which no secret is written.
pub struct Guard<'w> {
    out: &'w mut dyn Write,
    secrets: Secrets,
}

impl Write for Guard<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.secrets.redacted(bytes) {
            None => self.out.write_all(bytes)?,
            Some(clean) => self.out.write_all(&clean)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A secret as it is, in hexadecimal, and in Base64 by what stands before it: only what that does not change.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![secret.as_bytes().to_vec(), hex.to_uppercase().into_bytes(), hex.into_bytes()];
    for alphabet in [alphabet::STANDARD, alphabet::URL_SAFE] {
        let engine = GeneralPurpose::new(&alphabet, NO_PAD);
        for (before, touched) in [(0, 0), (1, 2), (2, 3)] {
            let text = engine.encode(format!("{}{secret}", "x".repeat(before)));
            let whole = (before + secret.len()) * 8 / 6;
            forms.push(text.as_bytes()[touched..whole].to_vec());
        }
    }
    forms
}

/// What may stand at a place: a byte, and how long it is written.
fn readings(text: &[u8], at: usize) -> impl Iterator<Item = (u8, usize)> {
    let rest = text.get(at..).unwrap_or_default();
    let itself = rest.first().map(|byte| (*byte, 1));
    itself.into_iter().chain(escaped(rest))
}

/// An escaped byte: `\u0041`, `\x41`, `%41`, `&#65;`, `&#x41;`, `&amp;`.
fn escaped(rest: &[u8]) -> Option<(u8, usize)> {
    let hex = |digits: &[u8]| {
        let digits = std::str::from_utf8(digits).ok()?;
        // Leading zeros are of no account.
        u32::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+')).and_then(|code| code.try_into().ok())
    };
    match rest.first()? {
        b'\\' => {
            // Text of JSON inside of JSON has more of them.
            let slashes = rest.iter().take(DEPTH).take_while(|byte| **byte == b'\\').count();
            let digits = rest.get(slashes + 1..)?;
            match rest.get(slashes)? {
                b'u' if digits.starts_with(b"{") => {
                    let end = digits.iter().take(10).position(|byte| *byte == b'}')?;
                    Some((hex(digits.get(1..end)?)?, slashes + 1 + end + 1))
                }
                b'u' => Some((hex(digits.get(..4)?)?, slashes + 5)),
                b'U' => Some((hex(digits.get(..8)?)?, slashes + 9)),
                b'x' => Some((hex(digits.get(..2)?)?, slashes + 3)),
                b'0'..=b'3' => {
                    let octal = std::str::from_utf8(rest.get(slashes..slashes + 3)?).ok()?;
                    Some((u8::from_str_radix(octal, 8).ok()?, slashes + 3))
                }
                _ => None,
            }
        }
        b'%' => {
            // What was encoded twice has %25 for its percent sign.
            let again = rest[1..].chunks(2).take(DEPTH).take_while(|two| *two == b"25").count();
            let start = 1 + 2 * again;
            let twice = rest.get(start..start + 2).and_then(hex).map(|byte| (byte, start + 2));
            twice.or_else(|| Some((hex(rest.get(1..3)?)?, 3)))
        }
        b'&' => {
            let end = rest.iter().take(20).position(|byte| *byte == b';')?;
            let byte = match &rest[1..end] {
                b"amp" => b'&',
                b"lt" => b'<',
                b"gt" => b'>',
                b"quot" => b'"',
                b"apos" => b'\'',
                [b'#', b'x' | b'X', digits @ ..] => hex(digits)?,
                [b'#', digits @ ..] => std::str::from_utf8(digits).ok()?.parse::<u32>().ok()?.try_into().ok()?,
                _ => return None,
            };
            Some((byte, end + 1))
        }
        _ => None,
    }
}

/// How long what nobody sees is at a place, in each way that it can be read: white space, control characters, what is
/// invisible, sequences of a terminal, and a backslash.
fn unseen(text: &[u8], at: usize) -> impl Iterator<Item = usize> {
    let rest = text.get(at..).unwrap_or_default();
    let mut lengths = Vec::new();
    let (byte, length) = match (rest.first(), escaped(rest)) {
        (_, Some((byte, length))) if byte.is_ascii_control() => (byte, length),
        (Some(byte), _) => (*byte, 1),
        (None, _) => return lengths.into_iter(),
    };
    match byte {
        0x1b => {
            lengths.push(length);
            let sequence = rest.get(length..).and_then(|rest| rest.strip_prefix(b"["));
            let end = sequence.and_then(|rest| rest.iter().position(|byte| (0x40..=0x7e).contains(byte)));
            lengths.extend(end.map(|end| length + 1 + end + 1));
        }
        b'\\' => {
            lengths.push(1);
            if matches!(rest.get(1), Some(b'n' | b'r' | b't' | b'b' | b'f')) {
                lengths.push(2);
            }
        }
        byte if byte.is_ascii_control() || byte == b' ' => lengths.push(length),
        // No token has one: it is there to hide it.
        byte if byte >= 0x80 => {
            lengths.push(1 + rest[1..].iter().take(3).take_while(|byte| (0x80..0xc0).contains(*byte)).count());
        }
        _ => {}
    }
    lengths.into_iter()
}

/// A value that stands behind the name of a secret.
struct Named {
    span: (usize, usize),
    secret: String,
}

impl Named {
    /// Whether it can be a token, which is to be found elsewhere, too: the server's own words and ids are none.
    fn is_token(&self) -> bool {
        let secret = self.secret.as_bytes();
        let is_id = secret.len() == 26 && secret.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        secret.len() <= LONGEST && secret.iter().any(u8::is_ascii_digit) && !secret.ends_with(b"_v2") && !is_id
    }
}

/// Every value behind `write_token=`, `write_token: `, `"write_token": "…"` and the like, also where that is quoted in a
/// text, escaped or encoded.
fn named(text: &[u8]) -> impl Iterator<Item = Named> {
    static HEAD: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let quote = r#"(?:\\*["']|%22|%27|&quot;|&#34;|&#39;|\\+u0022)"#;
        let head = format!(
            r"(?i)write(?:[_-]|\\+u005f|%5f)?token(?P<close>{quote})?\s*(?:=>|[=:>]|%3d|%3a)\s*(?:some\(|\[)?\s*(?P<open>{quote})?"
        );
        Regex::new(&head).ok()
    });
    // The expression is dear, and hardly any text has the word.
    let is_there = memchr::memchr2_iter(b'k', b'K', text)
        .any(|at| at >= 2 && text.get(at - 2..at + 3).is_some_and(|word| word.eq_ignore_ascii_case(b"token")));
    let head = if is_there { HEAD.as_ref() } else { None };
    head.into_iter().flat_map(|head| head.captures_iter(text)).filter_map(|found| {
        let start = found.get(0)?.end();
        let is_member = found.name("close").is_some();
        let end = match found.name("open") {
            Some(open) => match open.as_bytes() {
                [slashes @ .., quote @ (b'"' | b'\'')] => end_of_quoted(text, start, slashes.len(), *quote),
                encoded => memchr::memmem::find(&text[start..], encoded).map_or(text.len(), |end| start + end),
            },
            // A value of JSON that is no text, or one that was taken out already.
            None if is_member => return None,
            None if [start, start - 1].iter().any(|at| text[*at..].starts_with(MARK.as_bytes())) => return None,
            None => {
                let is_value = |byte: &&u8| !byte.is_ascii_whitespace() && !b"\"'\\,;&)}]<>".contains(byte);
                start + text[start..].iter().take_while(is_value).count()
            }
        };
        let secret = String::from_utf8_lossy(&text[start..end]).into_owned();
        let plain = serde_json::from_str(&format!("\"{secret}\"")).unwrap_or(secret);
        (start < end).then_some(Named { span: (start, end), secret: plain })
    })
}

/// Where a quoted text ends, whose quotes stand behind so many backslashes.
fn end_of_quoted(text: &[u8], start: usize, slashes: usize, quote: u8) -> usize {
    let mut at = start;
    while let Some(found) = text[at..].iter().position(|byte| *byte == quote) {
        let before = text[start..at + found].iter().rev().take_while(|byte| **byte == b'\\').count();
        if before <= slashes {
            return at + found - before;
        }
        at += found + 1;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "s3cr3t/to+ken-0123456789";

    fn redacted(text: &str) -> String {
        let secrets = Secrets::default();
        secrets.add(SECRET);
        secrets.redact(text).into_owned()
    }

    #[test]
    fn a_secret_is_found_in_every_form() {
        let each = |with: fn(char) -> String| SECRET.chars().map(with).collect::<String>();
        let encode = |text: String| base64::engine::general_purpose::STANDARD.encode(text);
        for form in [
            SECRET.to_owned(),
            each(|c| format!("\\u{:04x}", u32::from(c))),
            each(|c| format!("\\\\u{:04X}", u32::from(c))),
            each(|c| format!("\\x{:02x}", u32::from(c))),
            each(|c| format!("%{:02X}", u32::from(c))),
            each(|c| format!("%25{:02x}", u32::from(c))),
            each(|c| format!("&#00000{};", u32::from(c))),
            each(|c| format!("\\u{{{:x}}}", u32::from(c))),
            each(|c| format!("\\U{:08x}", u32::from(c))),
            each(|c| format!("\\{:03o}", u32::from(c))),
            each(|c| format!("{c}\u{200b}")),
            each(|c| format!("{c}\u{301}")),
            each(|c| format!("{c}\u{e0041}")),
            each(|c| format!("{c}\u{ad}")),
            each(|c| format!("&#{};", u32::from(c))),
            each(|c| format!("&#x{:x};", u32::from(c))),
            each(|c| format!("{c}\u{1}")),
            each(|c| format!("{c}\\u0001")),
            each(|c| format!("{c}\n")),
            each(|c| format!("{c}\\n")),
            each(|c| format!("{c}\u{200e}")),
            each(|c| format!("{c}\u{9b}")),
            each(|c| format!("{c}\u{1b}[31m")),
            each(|c| format!("\\{c}")),
            each(|c| format!("{:02x}", u32::from(c))),
            SECRET.replace('/', "\\/").replace('+', "%2b"),
            format!("a{}", &each(|c| format!("%{:02x}{c}", 0))[3..]),
        ] {
            let clean = redacted(&format!("<{form}>"));
            assert!(clean.starts_with("<") && clean.contains(MARK), "{form}: {clean}");
            assert!(!clean.contains("0123"), "{form}: {clean}");
        }
        for before in ["", "a", "ab", "abc"] {
            for after in ["", "x", "xy"] {
                let clean = redacted(&encode(format!("{before}{SECRET}{after}")));
                assert!(clean.contains(MARK) && clean.len() < MARK.len() + 12, "{before} {after}: {clean}");
            }
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in ["", "plain %41 &#65; \\u0041 \\", "s3cr3t/to+ken-012345678", "é\u{202e}%", "&amp;&", "%zz\\u00zz"]
        {
            assert_eq!(redacted(text), text);
        }
        let secrets = Secrets::default();
        secrets.add("short");
        assert_eq!(secrets.redact("short"), "short");
    }

    #[test]
    fn of_secrets_that_begin_alike_the_longest_goes() {
        let secrets = Secrets::default();
        ["abcdefgh1", "abcdefgh12345", "abcdefgh2"].iter().for_each(|secret| secrets.add(secret));
        for (text, clean) in [
            ("<abcdefgh1>", "<[token]>"),
            ("<abcdefgh12345>", "<[token]>"),
            ("<abcdefgh1234>", "<[token]234>"),
            ("<abcdefgh2 abcdefgh>", "<[token] abcdefgh>"),
        ] {
            assert_eq!(secrets.redact(text), clean);
        }
    }

    /// Each of these texts took longer than any run, when its cost grew with the square of its length.
    #[test]
    fn the_cost_grows_with_the_text() {
        let many = 200_000;
        let secrets = Secrets::default();
        let secret = |number| format!("{number:04}/write+token={number:020}");
        (0..MOST).for_each(|number| secrets.add(&secret(number)));
        let secret = secret(MOST / 2);
        for text in [
            format!("0{}", " ".repeat(many)),
            "0 ".repeat(many),
            "\\".repeat(many),
            format!("0{}", "\\".repeat(many)),
            "%25".repeat(many),
            "0000".repeat(many),
            "write_token=%22".repeat(many / 10),
            "write_token=\"".repeat(many / 10),
            format!("write_token=\"{}", "write_token=&quot;x".repeat(many / 10)),
            format!("write_token=\"1{}", "a".repeat(many)),
            "\u{1b}[0".repeat(many),
        ] {
            assert!(
                !secrets
                    .redact(&format!(
                        "{text}
<{secret}>"
                    ))
                    .contains(&secret),
                "{}",
                &text[..12]
            );
        }
    }

    #[test]
    fn a_write_token_is_found_by_its_name() {
        for (text, clean) in [
            ("write_token=abc def", "write_token=[token] def"),
            ("a write_token: abc, b", "a write_token: [token], b"),
            (r#"{"write_token":"abc","a":1}"#, r#"{"write_token":"[token]","a":1}"#),
            (r#"{"write_token" : "a\"b\u0063","a":1}"#, r#"{"write_token" : "[token]","a":1}"#),
            (r#"{"m":"{\"write_token\":\"abc\",\"a\":1}"}"#, r#"{"m":"{\"write_token\":\"[token]\",\"a\":1}"}"#),
            (r#"{"m":"write_token=abc"}"#, r#"{"m":"write_token=[token]"}"#),
            ("write_token='abc'", "write_token='[token]'"),
            // One that stands inside of another: both are gone, and a second time there is nothing more to do.
            (r#""write_token":"write_token='"write_token":""#, r#""write_token":"[token]"#),
            (r#""write_token":"[token]"#, r#""write_token":"[token]"#),
            ("write_token\t= abc", "write_token\t= [token]"),
            ("WRITE_TOKEN=abc", "WRITE_TOKEN=[token]"),
            ("writeToken: abc", "writeToken: [token]"),
            ("write-token => \"abc\"", "write-token => \"[token]\""),
            ("<write_token>abc</write_token>", "<write_token>[token]</write_token>"),
            ("write_token: Some(\"abc\")", "write_token: Some(\"[token]\")"),
            (r#"{"write_token": ["abc"]}"#, r#"{"write_token": ["[token]"]}"#),
            ("?write_token%3Dabc&x", "?write_token%3D[token]&x"),
            ("%22write_token%22%3A%22abc%22", "%22write_token%22%3A%22[token]%22"),
            ("&quot;write_token&quot;:&quot;abc&quot;", "&quot;write_token&quot;:&quot;[token]&quot;"),
            (r"\u0022write\u005ftoken\u0022:\u0022abc\u0022", r"\u0022write\u005ftoken\u0022:\u0022[token]\u0022"),
            (r#"{"write_token":"abc"#, r#"{"write_token":"[token]"#),
            (r#"{"write_token":null}"#, r#"{"write_token":null}"#),
            (r#"{"write_token":{"a":1}}"#, r#"{"write_token":{"a":1}}"#),
            (r#"{"write_token":""}"#, r#"{"write_token":""}"#),
            ("the write_token is missing", "the write_token is missing"),
        ] {
            let secrets = Secrets::default();
            assert_eq!(secrets.redact(text), clean);
            assert_eq!(secrets.redact(clean), clean, "twice is as good as once");
        }
        // And from then on wherever it is.
        let secrets = Secrets::default();
        let body = br#"{"log_stream":{"write_token":"0123\u0034567/89"},"b":"a 01234567\/89 z"}"#.to_vec();
        let answer = secrets.clean(Ok(Response {
            status: 200,
            headers: vec![("location".into(), "/?t=01234567%2F89".into())],
            body,
        }));
        let answer = answer.expect("an answer");
        assert_eq!(answer.header("location"), Some("/?t=[token]"));
        assert_eq!(
            String::from_utf8_lossy(&answer.body),
            r#"{"log_stream":{"write_token":"[token]"},"b":"a [token] z"}"#
        );
        assert_eq!(secrets.redact("x 01234567/89 x"), "x [token] x");
    }
}
