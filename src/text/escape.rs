//! How what came from the network is defused before anyone sees it: one function for each place it can go to. Pure.
//!
//! Nothing that a server says may start a command of a CI system, an XML element, a table row, a code block or a new
//! line. What is carried exactly instead (step outputs, files) is framed so that it cannot end its frame.

use std::borrow::Cow;

/// One line of a log: no control characters, and nothing that a CI system would obey.
pub fn line(text: &str) -> String {
    let stripped = strip_controls(text);
    let stripped = stripped.replace("##[", "# #[").replace("##vso[", "# #vso[").replace("##teamcity[", "# #teamcity[");
    // GitHub takes a command after any white space at the start of a line; Buildkite begins a group there.
    let (blank, rest) = stripped.split_at(stripped.len() - stripped.trim_start().len());
    match rest.get(..1).filter(|_| COMMANDS.iter().any(|command| rest.starts_with(command))) {
        Some(first) => format!("{blank}{first} {}", &rest[1..]),
        None => stripped,
    }
}

/// What begins a command or a group at the start of a line.
const COMMANDS: [&str; 5] = ["::", "---", "+++", "~~~", "^^^"];

/// Text without line breaks and without what does not print.
fn strip_controls(text: &str) -> String {
    without_sequences(text)
        .chars()
        .map(|c| if c == '\n' || c == '\t' { ' ' } else { c })
        .filter(|c| !c.is_control() && !is_invisible(*c))
        .collect()
}

/// Text without the escape sequences of a terminal, each whole: colors, cursor moves, titles, links.
fn without_sequences(text: &str) -> Cow<'_, str> {
    if !text.contains(['\u{1b}', '\u{9b}']) {
        return Cow::Borrowed(text);
    }
    let (mut rest, mut kept) = (text, String::new());
    while let Some(at) = rest.find(['\u{1b}', '\u{9b}']) {
        kept.push_str(&rest[..at]);
        rest = &rest[at + sequence(&rest[at..])..];
    }
    Cow::Owned(kept + rest)
}

/// How many bytes the escape sequence takes that a text begins with (ECMA-48). One that does not end is taken as short
/// as it can be: what follows is text.
fn sequence(text: &str) -> usize {
    let introducer = text.chars().next().map_or(0, char::len_utf8);
    let rest = &text[introducer..];
    let control = |rest: &str| {
        let parameters = rest.bytes().take_while(|byte| (0x20..=0x3f).contains(byte)).count();
        let has_final = rest.as_bytes().get(parameters).is_some_and(|byte| (0x40..=0x7e).contains(byte));
        parameters + usize::from(has_final)
    };
    if introducer > 1 {
        return introducer + control(rest);
    }
    match rest.bytes().next() {
        Some(b'[') => introducer + 1 + control(&rest[1..]),
        // A title, a link and the like go on until they are ended.
        Some(b']' | b'P' | b'X' | b'^' | b'_') => {
            let bell = rest.find('\u{7}').map(|at| at + 1);
            let end = rest.find("\u{1b}\\").map(|at| at + 2);
            introducer + bell.into_iter().chain(end).min().unwrap_or(1)
        }
        Some(b'7' | b'8' | b'=' | b'>' | 0x40..=0x7e) => introducer + 1,
        Some(b'(' | b')' | b'#') if rest.is_char_boundary(2.min(rest.len())) => introducer + 2.min(rest.len()),
        _ => introducer,
    }
}

/// Line separators and the marks that turn the direction of text: a log must read as it is written. And what is no
/// character at all.
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// The text of a JSON document, so that printing the file to a log does nothing: `#` can only be inside its strings.
/// And what would not be seen is written as it is in JSON.
pub fn json(text: &str) -> String {
    let is_unseen = |c: char| (c.is_control() && c != '\n') || is_invisible(c);
    let shown = |c: char| if is_unseen(c) { format!("\\u{:04x}", u32::from(c)) } else { c.into() };
    text.replace("##", "#\\u0023").chars().map(shown).collect()
}

/// One line inside an XML element or attribute.
pub fn xml(text: &str) -> String {
    line(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&apos;")
}

/// Running text of a Markdown document, also in a table. A URL stays whole, as code: what escapes it would break it, and a
/// link that a server wrote is nothing to follow by mistake.
pub fn markdown(text: &str) -> String {
    let stripped = strip_controls(text);
    let (mut rest, mut safe) = (stripped.as_str(), String::new());
    while let Some((at, end)) = next_url(rest) {
        safe.push_str(&references(&rest[..at]));
        safe.push_str(&format!("`{}`", &rest[at..end]));
        rest = &rest[end..];
    }
    safe + &references(rest)
}

/// Where the first URL of a text is that can stand in backticks, from and to.
fn next_url(text: &str) -> Option<(usize, usize)> {
    let is_of_url = |c: char| c.is_ascii_graphic() && !"<>\"\\^`{|}".contains(c);
    let starts = text.match_indices("http").map(|(at, _)| at);
    starts.into_iter().find_map(|at| {
        let rest = &text[at..];
        let host = rest.strip_prefix("https://").or_else(|| rest.strip_prefix("http://"))?;
        let url = &rest[..rest.find(|c| !is_of_url(c)).unwrap_or(rest.len())];
        // What ends a sentence is not of it.
        let url = url.trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', ')', ']', '*', '_']);
        let is_one = host.starts_with(|c: char| c.is_ascii_alphanumeric()) && !url.contains("##");
        is_one.then_some((at, at + url.len()))
    })
}

/// A space of no width. Who shows Markdown looks once more at what it renders to, for names to mention and things to link.
const APART: &str = "&#8203;";

/// Text without any sign of Markdown. A character reference never counts as structure, in no dialect.
fn references(text: &str) -> String {
    set_apart(text, false)
}

/// The same. In code nobody is mentioned, but URLs are found.
fn set_apart(text: &str, is_code: bool) -> String {
    let mut safe = String::new();
    for (at, c) in text.char_indices() {
        let (before, after) = (&text[..at], &text[at + c.len_utf8()..]);
        let follows = |is: fn(char) -> bool| after.starts_with(is);
        let ends =
            |word: &str| before.get(at.saturating_sub(word.len())..).is_some_and(|end| end.eq_ignore_ascii_case(word));
        if c == '.' && ends("www") {
            safe.push_str(APART);
        }
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '$' | '#' | '@' => {
                safe.push_str(&format!("&#{};", u32::from(c)));
            }
            c => safe.push(c),
        }
        let is_reference = match c {
            ':' => after.starts_with("//"),
            '@' if follows(char::is_alphanumeric) => true,
            _ if is_code => false,
            '@' | '~' | '%' => follows(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '"')),
            '#' | '!' | '$' | '&' => follows(char::is_numeric),
            '-' => ends("gh") && follows(char::is_numeric),
            _ => false,
        };
        if is_reference {
            safe.push_str(APART);
        }
    }
    safe
}

/// A code span of a Markdown document, also in a table.
pub fn code(text: &str) -> String {
    let stripped = strip_controls(text);
    let stripped = stripped.trim();
    if stripped.is_empty() {
        return String::new();
    }
    // Inside backticks nothing can be escaped, and tables split at pipes even there.
    match stripped.contains(['`', '|', '\\']) || stripped.contains("##") {
        true => format!("<code>{}</code>", set_apart(stripped, true)),
        false => format!("`{stripped}`"),
    }
}

/// A code block of a Markdown document.
pub fn block(lines: &[String]) -> String {
    let lines: Vec<String> = lines.iter().map(|text| line(text)).collect();
    let longest = lines.iter().flat_map(|line| line.split(|c| c != '`')).map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{}\n{fence}\n", lines.join("\n"))
}

/// A name in a Mermaid chart, which has no way to quote.
pub fn mermaid(text: &str) -> String {
    text.chars().map(|c| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { ' ' }).take(40).collect()
}

/// A URL: whatever has no place in one is percent-encoded.
pub fn url(text: &str) -> String {
    use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
    const STRANGE: &AsciiSet =
        &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');
    utf8_percent_encode(text, STRANGE).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn no_line_speaks_to_a_ci_system() {
        let cases = [
            ("plain äöü ✓", "plain äöü ✓"),
            ("::error::x", ": :error::x"),
            ("  ::add-mask::e", "  : :add-mask::e"),
            ("a ##[stop-commands]z", "a # #[stop-commands]z"),
            ("##vso[task.setvariable]", "# #vso[task.setvariable]"),
            ("\u{1b}[0Ksection_start:1:x\r\u{1b}[0K", "section_start:1:x"),
            ("\u{1b}[1;31mError:\u{1b}[0m no\u{1b}[K", "Error: no"),
            ("\u{9b}31mred", "red"),
            ("\u{1b}]0;title\u{7}a\u{1b}]8;;https://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "alink"),
            ("\u{1b}]0;a title that does not end", "0;a title that does not end"),
            ("\u{1b}(Bé\u{1b}cx\u{1b}", "éx"),
            ("#\u{1b}[m#[x]", "# #[x]"),
            ("a\n::error::b", "a ::error::b"),
            ("\u{1b}::error::b", ": :error::b"),
            ("#\u{0}#[x]", "# #[x]"),
            ("a\u{202e}b\u{9b}c", "ab"),
            ("--- a group", "- -- a group"),
        ];
        for (text, want) in cases {
            assert_eq!(line(text), want);
        }
    }

    #[test]
    fn what_is_harmless_stays_readable() {
        assert_eq!(code("$.plan_only == false"), "`$.plan_only == false`");
        assert_eq!(code("a || b"), "<code>a &#124;&#124; b</code>");
        assert_eq!(markdown("deploy is \"active\", all 2 are true"), "deploy is \"active\", all 2 are true");
        assert_eq!(
            markdown("see https://x.co/my_page?a=1&b=2), _now_: http:// or https://[x]"),
            "see `https://x.co/my_page?a=1&b=2`), &#95;now&#95;: http:&#8203;// or https:&#8203;//&#91;x&#93;"
        );
        // GitHub and GitLab mention, close and link what the text renders to.
        assert_eq!(
            markdown("@all fixes #1, acme/x#2, GH-3, !4"),
            "&#64;&#8203;all fixes &#35;&#8203;1, acme/x&#35;&#8203;2, GH-&#8203;3, !&#8203;4"
        );
        assert_eq!(markdown("a@b.co www.b.co WWW.b.co"), "a&#64;&#8203;b.co www&#8203;.b.co WWW&#8203;.b.co");
        assert_eq!(markdown("50% of $x & @, é.www"), "50% of &#36;x &#38; &#64;, é.www");
        assert_eq!(code("a@b.co|"), "<code>a&#64;&#8203;b.co&#124;</code>");
        assert_eq!(code("https://x/a|b_c"), "<code>https:&#8203;//x/a&#124;b&#95;c</code>");
        assert_eq!(block(&["a".into(), "```".into()]), "````text\na\n```\n````\n");
        assert_eq!(mermaid("click: `x`%%{init}"), "click   x    init ");
        assert_eq!(url("https://x/a b>(c)"), "https://x/a%20b%3E(c)");
        assert_eq!(json(r###"{"a":"##[x]###"}"###), r##"{"a":"#\u0023[x]#\u0023#"}"##);
    }

    /// Text made of what is dangerous somewhere, and of anything.
    fn hostile() -> impl Strategy<Value = String> {
        let pieces = prop::sample::select(vec![
            "::error::",
            "##[",
            "##",
            "#",
            "##vso[",
            "##teamcity[",
            "\n",
            "\r\n",
            "\r",
            "\u{1b}[0K",
            "<",
            "]]>",
            "&#10;",
            "\"",
            "|",
            "\\",
            "`",
            "```",
            "~~~",
            "---",
            "| a |",
            "<!--",
            "%%{",
            "section ",
            ":",
            "https://a.b/c_d",
            "http://",
            "\u{2028}",
            "\u{85}",
            " ",
            "\t",
            "=",
            "$X",
        ]);
        prop::collection::vec(prop_oneof![pieces.prop_map(String::from), any::<String>()], 0..12)
            .prop_map(|pieces| pieces.concat())
    }

    /// Whether text has no line break in the eyes of any reader, and nothing that a terminal obeys.
    fn is_one_line(text: &str) -> bool {
        !text.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'))
    }

    fn commands_nothing(text: &str) -> bool {
        let start = text.trim_start();
        !["##[", "##vso[", "##teamcity["].iter().any(|command| text.contains(command))
            && !COMMANDS.iter().any(|command| start.starts_with(command))
    }

    proptest! {
        #[test]
        fn a_line_commands_nothing(text in hostile()) {
            let line = line(&text);
            prop_assert!(is_one_line(&line) && commands_nothing(&line), "{line:?}");
            prop_assert_eq!(super::line(&line), line);
        }

        #[test]
        fn json_stays_itself(text in hostile()) {
            let written = json(&serde_json::to_string_pretty(&[&text]).expect("text is JSON"));
            prop_assert!(written.lines().all(commands_nothing), "{written:?}");
            let read: Vec<String> = serde_json::from_str(&written).expect("it is still JSON");
            prop_assert_eq!(read, [text]);
        }

        #[test]
        fn xml_text_starts_no_element(text in hostile()) {
            let text = xml(&text);
            prop_assert!(is_one_line(&text) && commands_nothing(&text) && !text.contains(['<', '>', '"', '\'']), "{text:?}");
        }

        #[test]
        fn markdown_starts_no_cell_and_no_block(text in hostile()) {
            let text = markdown(&text);
            prop_assert!(is_one_line(&text) && !text.contains("##"), "{text:?}");
            // Outside of URLs, each of which is code.
            let outside: String = text.split('`').step_by(2).collect();
            prop_assert!(!outside.contains(['|', '<', '\\', '[', '*', '_']), "{text:?}");
            prop_assert!(text.split('`').skip(1).step_by(2).all(|url| url.starts_with("http") && !url.contains('|')));
            prop_assert!(text.matches('`').count().is_multiple_of(2), "{text:?}");
        }

        #[test]
        fn a_code_span_ends_where_it_ends(text in hostile()) {
            let span = code(&text);
            let inner = span.strip_prefix('`').and_then(|span| span.strip_suffix('`'));
            let inner = inner.or_else(|| span.strip_prefix("<code>")?.strip_suffix("</code>")).unwrap_or(&span);
            let is_html = span.starts_with('<');
            prop_assert!(is_one_line(&span) && !inner.contains(['`', '|', '\\']), "{span:?}");
            prop_assert!(!is_html || !inner.contains(['<', '>']), "{span:?}");
        }

        #[test]
        fn a_block_ends_at_its_end(lines in prop::collection::vec(hostile(), 0..5)) {
            let block = block(&lines);
            let mut rendered = block.lines();
            let fence = rendered.next().and_then(|first| first.strip_suffix("text")).expect("a fence");
            let ends: Vec<usize> = rendered.clone().enumerate().filter(|(_, line)| line.contains(fence)).map(|(at, _)| at).collect();
            prop_assert_eq!(ends, [rendered.count() - 1]);
            prop_assert!(block.lines().all(|line| is_one_line(line) && (line.contains(fence) || commands_nothing(line))));
        }

        #[test]
        fn a_name_in_a_chart_has_no_sign(text in hostile()) {
            let name = mermaid(&text);
            prop_assert!(is_one_line(&name) && !name.contains([':', ';', '#', '%', ',', '`', '<', '{']), "{name:?}");
        }

        #[test]
        fn a_url_ends_where_it_ends(text in hostile()) {
            let url = url(&text);
            prop_assert!(url.is_ascii() && !url.contains([' ', '<', '>', '"', '\n', '\r', '`', '|', '\\']), "{url:?}");
        }
    }
}
