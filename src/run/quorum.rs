//! How many targets have to pass, and when that is certain. Pure.

use std::fmt;

/// `--min-pass N|P%`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtLeast {
    /// So many targets.
    Count(usize),
    /// This share of them, rounded up.
    Percent(usize),
}

impl std::str::FromStr for AtLeast {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = "it should be a number of targets like 9, or a share of them like 90%";
        let number = |text: &str| text.trim().parse::<usize>().map_err(|_| wanted.to_owned());
        let (at_least, number) = match text.trim().strip_suffix('%') {
            Some(percent) => number(percent).map(|percent| (Self::Percent(percent), percent))?,
            None => number(text).map(|count| (Self::Count(count), count))?,
        };
        match (at_least, number) {
            (_, 0) => Err("nothing would have to pass, and a gate that always passes is none".into()),
            (Self::Percent(_), 101..) => Err("it is more than all".into()),
            _ => Ok(at_least),
        }
    }
}

/// How many targets have to pass, of so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quorum {
    /// At least so many have to pass.
    pub min_pass: usize,
    /// How many there are.
    pub targets: usize,
    /// Whether all are awaited, though the outcome is certain.
    pub awaits_all: bool,
}

impl Quorum {
    /// What the flag means for so many targets: without it all have to pass. A shard can be without a target.
    ///
    /// # Errors
    /// It can never be met.
    pub fn new(min_pass: Option<AtLeast>, targets: usize, awaits_all: bool) -> Result<Self, String> {
        let min_pass = match min_pass {
            Some(AtLeast::Count(count)) if targets > 0 => count,
            Some(AtLeast::Percent(percent)) => (targets * percent).div_ceil(100),
            _ => targets,
        };
        if min_pass > targets {
            return Err(format!(
                "--min-pass (DEPLOY_GATE_MIN_PASS) {min_pass} could never be met: the number of targets is {targets}"
            ));
        }
        Ok(Self { min_pass, targets, awaits_all })
    }

    /// Whether the run passes, as soon as that is certain: after so many targets passed, and so many did otherwise.
    pub fn certain(self, passed: usize, others: usize) -> Option<bool> {
        if passed >= self.min_pass {
            Some(true)
        } else if self.targets - others < self.min_pass {
            Some(false)
        } else {
            None
        }
    }
}

impl fmt::Display for Quorum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.min_pass {
            all if all == self.targets => f.write_str("all must pass"),
            some => write!(f, "at least {some} must pass"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn min_pass(flag: Option<&str>, targets: usize) -> Result<usize, String> {
        Quorum::new(flag.map(|text| text.parse().expect("well-formed")), targets, false).map(|quorum| quorum.min_pass)
    }

    #[test]
    fn a_share_is_rounded_up() {
        for (flag, targets, want) in [
            (None, 10, 10),
            (Some("9"), 10, 9),
            (Some("85%"), 10, 9),
            (Some("1%"), 10, 1),
            (Some("100%"), 3, 3),
            (Some("5"), 0, 0),
        ] {
            assert_eq!(min_pass(flag, targets), Ok(want), "{flag:?}");
        }
    }

    #[test]
    fn what_never_or_always_holds_is_refused() {
        min_pass(Some("11"), 10).expect_err("refused");
        for text in ["0", "0%", "101%", "-1", "1.5", "", "%", "all"] {
            text.parse::<AtLeast>().expect_err(text);
        }
    }

    /// Whatever the rest may still do, what is certain stays so, and nothing is open when no target is.
    #[test]
    fn certainty_is_neither_early_nor_late() {
        for min_pass in 1..=4 {
            let quorum = Quorum { min_pass, targets: 4, awaits_all: false };
            for passed in 0..=4 {
                for others in 0..=4 - passed {
                    let ends: Vec<bool> = (passed..=4 - others).map(|passed| passed >= min_pass).collect();
                    let want = if ends.iter().all(|end| *end) {
                        Some(true)
                    } else if ends.iter().any(|end| *end) {
                        None
                    } else {
                        Some(false)
                    };
                    assert_eq!(quorum.certain(passed, others), want, "{quorum:?} {passed} {others}");
                }
            }
        }
    }
}
