//! `--color`, and the variables that are usual for it. Pure.

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;

use crate::base::environment::Screen;
use crate::base::environment::Variables;

/// `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless a variable says otherwise.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Whether a text is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// It is.
    Colored,
    /// It is not.
    Plain,
}

impl Color {
    /// What the flag, then `NO_COLOR`, `CLICOLOR_FORCE`, `FORCE_COLOR`, `CLICOLOR` and `TERM` come to, in this order.
    /// <https://no-color.org>, <https://bixense.com/clicolors>
    pub fn paint(self, variables: &Variables, screen: Screen) -> Paint {
        let value = |name: &str| variables.get(name).map(String::as_str).filter(|value| !value.is_empty());
        let is_forced = |name: &str| value(name).is_some_and(|value| value != "0");
        let is_colored = match self {
            Color::Always => true,
            Color::Never => false,
            Color::Auto if value("NO_COLOR").is_some() => false,
            Color::Auto if is_forced("CLICOLOR_FORCE") || is_forced("FORCE_COLOR") => true,
            Color::Auto if value("CLICOLOR") == Some("0") || value("TERM") == Some("dumb") => false,
            Color::Auto => screen == Screen::Terminal,
        };
        if is_colored { Paint::Colored } else { Paint::Plain }
    }
}

impl Paint {
    /// Paints what passed.
    pub fn good(self, text: &str) -> String {
        self.styled(text, AnsiColor::Green.on_default())
    }

    /// Paints what did not.
    pub fn bad(self, text: &str) -> String {
        self.styled(text, AnsiColor::Red.on_default())
    }

    /// Paints what is to be noted.
    pub fn odd(self, text: &str) -> String {
        self.styled(text, AnsiColor::Yellow.on_default())
    }

    fn styled(self, text: &str, style: Style) -> String {
        match self {
            Paint::Colored => format!("{style}{text}{style:#}"),
            Paint::Plain => text.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_decides() {
        use Paint::{Colored, Plain};
        use Screen::{File, Terminal};
        let cases: &[(Color, &[(&str, &str)], Screen, Paint)] = &[
            (Color::Auto, &[], Terminal, Colored),
            (Color::Auto, &[], File, Plain),
            (Color::Never, &[("FORCE_COLOR", "1")], Terminal, Plain),
            (Color::Always, &[("NO_COLOR", "1")], File, Colored),
            (Color::Auto, &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], Terminal, Plain),
            (Color::Auto, &[("NO_COLOR", ""), ("FORCE_COLOR", "1")], File, Colored),
            (Color::Auto, &[("CLICOLOR_FORCE", "0"), ("FORCE_COLOR", "0")], File, Plain),
            (Color::Auto, &[("CLICOLOR", "0")], Terminal, Plain),
            (Color::Auto, &[("TERM", "dumb")], Terminal, Plain),
        ];
        for (color, variables, screen, want) in cases {
            let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            assert_eq!(color.paint(&variables, *screen), *want, "{color:?} {variables:?} {screen:?}");
        }
    }
}
