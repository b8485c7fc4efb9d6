//! The marks beside what is told at a terminal. Pure.

use crate::base::environment::Variables;

/// What stands for how something went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marks {
    /// It went well.
    pub good: &'static str,
    /// It did not.
    pub bad: &'static str,
    /// Somebody should look.
    pub odd: &'static str,
    /// It is at work.
    pub at_work: &'static str,
    /// Its turn has not come.
    pub to_come: &'static str,
    /// It plays no part.
    pub left_out: &'static str,
}

impl Marks {
    /// For terminals that can show them.
    pub const UNICODE: Self = Self { good: "✓", bad: "✗", odd: "!", at_work: "●", to_come: "○", left_out: "-" };
    /// For all others.
    pub const ASCII: Self = Self { good: "+", bad: "x", odd: "!", at_work: "*", to_come: ".", left_out: "-" };

    /// What a terminal with these variables can show: the first of the three that is set says how it encodes text.
    pub fn of(variables: &Variables) -> Self {
        let value = |name: &str| variables.get(name).filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(value);
        let is_unicode = locale.is_some_and(|locale| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        });
        let is_plain = value("TERM").is_some_and(|term| term == "linux");
        if is_unicode && !is_plain { Self::UNICODE } else { Self::ASCII }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_can_show() {
        let cases: &[(&[(&str, &str)], Marks)] = &[
            (&[("LANG", "en_US.UTF-8"), ("TERM", "xterm")], Marks::UNICODE),
            (&[("LC_ALL", ""), ("LC_CTYPE", "C.utf8")], Marks::UNICODE),
            (&[("LC_ALL", "C"), ("LANG", "en_US.UTF-8")], Marks::ASCII),
            (&[("LANG", "en_US.UTF-8"), ("TERM", "linux")], Marks::ASCII),
            (&[], Marks::ASCII),
        ];
        for (variables, want) in cases {
            let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            assert_eq!(Marks::of(&variables), *want, "{variables:?}");
        }
    }
}
