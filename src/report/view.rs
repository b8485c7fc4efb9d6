//! Lines at the foot of a terminal that are drawn over and over. Pure: what to write is returned.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// What is drawn now.
#[derive(Default)]
pub struct View {
    lines: Vec<String>,
}

impl View {
    /// Draws these lines in place of those before, each cut to `columns`.
    pub fn draw(&mut self, lines: impl Iterator<Item = String>, columns: usize) -> String {
        let cleared = self.clear(columns);
        self.lines = lines.map(|line| cut(&line, columns.saturating_sub(1))).collect();
        cleared + &self.again()
    }

    /// What is drawn, once more: after something else was written in its place.
    pub fn again(&self) -> String {
        self.lines.join("\n")
    }

    /// Takes away what is drawn. A terminal that has become narrower since has broken the lines.
    pub fn clear(&self, columns: usize) -> String {
        let rows: usize = self.lines.iter().map(|line| line.width().div_ceil(columns.max(1)).max(1)).sum();
        match rows {
            0 => String::new(),
            1 => "\r\u{1b}[J".into(),
            _ => format!("\r\u{1b}[{}A\u{1b}[J", rows - 1),
        }
    }
}

/// The beginning of a line that has room in so many columns, with a mark where something was cut.
fn cut(line: &str, columns: usize) -> String {
    if line.width() <= columns {
        return line.into();
    }
    let mut used = 0;
    let has_room = |character: &char| {
        used += character.width().unwrap_or_default();
        used < columns
    };
    line.chars().take_while(has_room).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(view: &mut View, lines: &[&str], columns: usize) -> String {
        view.draw(lines.iter().map(|line| (*line).into()), columns)
    }

    #[test]
    fn what_was_drawn_is_taken_away_before() {
        let mut view = View::default();
        assert_eq!(view.clear(80), "");
        assert_eq!(drawn(&mut view, &["one", "two", ""], 80), "one\ntwo\n");
        assert_eq!(drawn(&mut view, &["three"], 80), "\r\u{1b}[2A\u{1b}[Jthree");
        assert_eq!((view.clear(80), view.again()), ("\r\u{1b}[J".into(), "three".into()));
    }

    #[test]
    fn a_terminal_that_has_become_narrower_has_broken_the_lines() {
        let mut view = View::default();
        drawn(&mut view, &["0123456789", "0123", "01234"], 80);
        assert_eq!(view.clear(5), "\r\u{1b}[3A\u{1b}[J");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for (line, want) in [("0123", "0123"), ("01234", "012…"), ("界界界", "界…"), ("", "")] {
            assert_eq!(drawn(&mut View::default(), &[line], 5), want);
        }
    }
}
