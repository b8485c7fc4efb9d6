//! Words and numbers for people. Pure.

use std::time::Duration;

/// Reads `500ms`, `30s`, `5m`, `1h30m`; a bare number is seconds.
///
/// # Errors
/// What would be right.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);
    let wanted = "it should be like 500ms, 30s, 5m or 1h30m; a bare number is seconds";
    let wrong = || format!("\"{text}\" is not a duration; {wanted}");
    let mut rest = text.trim();
    let bare = rest.bytes().all(|byte| byte.is_ascii_digit());
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return Err(wrong());
    }
    let mut largest = u128::MAX;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, tail) = rest.split_at(digits);
        let letters = tail.len() - tail.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
        let (unit, tail) = tail.split_at(letters);
        let number: u32 = number.parse().map_err(|_| wrong())?;
        let unit = match unit {
            "ms" => Duration::from_millis(1),
            "s" => Duration::from_secs(1),
            "" if bare => Duration::from_secs(1),
            "m" => Duration::from_secs(60),
            "h" => Duration::from_secs(3600),
            _ => return Err(wrong()),
        };
        if unit.as_nanos() >= largest {
            return Err(format!("\"{text}\" has its units out of order; {wanted}"));
        }
        largest = unit.as_nanos();
        total = unit.checked_mul(number).and_then(|part| total.checked_add(part)).unwrap_or(Duration::MAX);
        rest = tail;
    }
    if total > LONGEST {
        return Err(format!("\"{text}\" is more than a year"));
    }
    Ok(total)
}

/// Makes sure that a line is one to everybody: what is behind a break that not all see could hide in a comment.
///
/// # Errors
/// What is wrong with it.
pub fn whole_line(line: &str) -> Result<(), &'static str> {
    if line.contains(['\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}']) {
        return Err("a carriage return or another character at which some end a line");
    }
    Ok(())
}

/// A duration as it is said: to the millisecond below a second, to a tenth below a minute, else to the second.
pub fn duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    if millis < 1000 {
        return if millis == 0 { "0s".into() } else { format!("{millis}ms") };
    }
    let seconds = millis / 1000;
    if seconds < 60 && !millis.is_multiple_of(1000) {
        return format!("{seconds}.{}s", millis % 1000 / 100);
    }
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    [(hours, "h"), (minutes, "m"), (seconds, "s")]
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, unit)| format!("{number}{unit}"))
        .collect()
}

/// How long ago something was: nobody wants fractions of a second, nor hours after two days.
pub fn age(age: Duration) -> String {
    let days = age.as_secs() / 86_400;
    if days < 2 { duration(Duration::from_secs(age.as_secs())) } else { format!("{days} days") }
}

/// Time since the start as the log shows it: `+1:02:03`, `+2:03`.
pub fn elapsed(since: Duration) -> String {
    let seconds = since.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, minutes, seconds) => format!("+{minutes}:{seconds:02}"),
        (hours, minutes, seconds) => format!("+{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// Reads `16MiB`, `500kB`; a bare number is bytes.
///
/// # Errors
/// What would be right.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let wrong =
        || format!("\"{text}\" is not a size; it should be like 16MiB, 500kB or a number of bytes, and at most 1GiB");
    let text = text.trim();
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let unit = match unit.trim() {
        "" | "B" => 1,
        "kB" | "KB" => 1000,
        "MB" => 1_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(wrong()),
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(unit))
        .filter(|bytes| (1..=1 << 30).contains(bytes))
        .ok_or_else(wrong)
}

/// At most `most` characters, with a mark where something was cut.
pub fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into(),
    }
}

/// How many bytes of a text of the server are told.
const LONGEST_TEXT: usize = 16 << 10;

/// A text of the server as it is told: what is longer than 16 KiB is cut, with its length.
pub fn shorten(text: &mut String) {
    if text.len() > LONGEST_TEXT {
        let bytes = text.len();
        text.truncate((0..=LONGEST_TEXT).rfind(|end| text.is_char_boundary(*end)).unwrap_or_default());
        text.push_str(&format!("… ({bytes} bytes in all)"));
    }
}

/// Whole milliseconds.
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let good = [
            ("0", 0),
            ("90", 90_000),
            ("500ms", 500),
            ("30s", 30_000),
            (" 5m ", 300_000),
            ("1h30m", 5_400_000),
            ("1h0m5s", 3_605_000),
        ];
        for (text, millis) in good {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for bad in ["", "5x", "1.5h", "-1", "5m30", "30m1h", "1m1m", "m", "1 h", "99999999999s", "9000h", "none"] {
            parse_duration(bad).expect_err(bad);
        }
        for (millis, text) in [(5, "5ms"), (1500, "1.5s"), (60_000, "1m"), (5_400_000, "1h30m"), (3_723_999, "1h2m3s")]
        {
            assert_eq!(duration(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn sizes() {
        for (text, bytes) in [("16MiB", 16 << 20), ("1", 1), ("2kB", 2000), ("1 GiB", 1 << 30)] {
            assert_eq!(parse_size(text), Ok(bytes));
        }
        for bad in ["", "0", "MiB", "1TiB", "2GiB", "-1", "1.5MiB", "99999999999999999999"] {
            parse_size(bad).expect_err(bad);
        }
    }

    #[test]
    fn cuts_at_characters() {
        assert_eq!(cut("äöü", 2), "äö…");
        assert_eq!(cut("äöü", 3), "äöü");
    }
}
