//! Patterns of `match()` and `search()`. One that an engine cannot compile, or that RFC 9485 does not have, is called
//! false in silence, so that its negation is true about nothing. Pure.

/// Why a pattern is not one that both engines read alike, if so.
///
/// # Errors
/// In a few words.
pub fn check(pattern: &str) -> Result<(), String> {
    regex::Regex::new(pattern).map_err(|error| last_line(&error))?;
    let dots = check_words(pattern)?;
    // The engines put groups and anchors around it, and one of them spells out what a dot is.
    regex::Regex::new(&format!("(?R)^(?:({dots}))$")).map_err(|error| last_line(&error))?;
    Ok(())
}

fn last_line(error: &regex::Error) -> String {
    error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").into()
}

/// Refuses what the engines' own language has and RFC 9485 reads otherwise or not at all, and spells the dots out.
fn check_words(pattern: &str) -> Result<String, String> {
    let mut spelt = String::new();
    let mut is_class = false;
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                spelt.push(c);
                spelt.extend(chars.next());
                continue;
            }
            '[' if is_class => return Err("a [ inside a class needs a backslash".into()),
            '[' => {
                is_class = true;
                let is_negated = chars.peek() == Some(&'^');
                spelt.push(c);
                spelt.extend(chars.next_if(|_| is_negated));
                if chars.peek() == Some(&']') {
                    return Err("a ] that begins a class needs a backslash".into());
                }
                continue;
            }
            ']' => is_class = false,
            '(' if !is_class && chars.peek() == Some(&'?') => {
                return Err("groups that begin with (? are not part of it".into());
            }
            '&' | '~' | '-' if is_class && chars.peek() == Some(&c) => {
                return Err(format!("{c}{c} inside a class needs a backslash"));
            }
            '.' if !is_class => {
                spelt.push_str("[^\\n\\r]");
                continue;
            }
            _ => {}
        }
        spelt.push(c);
    }
    Ok(spelt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_both_engines_read_alike_is_a_pattern() {
        for good in ["", "v[0-9]+.*", r"[\[\]&~-]", r"a\(\?b", "[a-z(?]", r"(a|b)?c{2,3}", r"\p{Lu}.", "é"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        let nested = format!("{}a{}", "(".repeat(249), ")".repeat(249));
        for bad in [
            "[x",
            "a{2",
            "(?x)a #",
            "(?i)a",
            "(?:a)",
            "[a&&b]",
            "[a~~b]",
            "[a--b]",
            "[a[b]]",
            "[]&&v]",
            "[a](?:b)",
            "[^]]",
            ".{1,9900}",
            &nested,
        ] {
            check(bad).expect_err(bad);
        }
        assert_eq!(
            check_words(r"a.[.]&&\.").as_deref(),
            Ok(r"a[^\n\r][.]&&\."),
            "a dot is no line break, but in a class"
        );
    }
}
