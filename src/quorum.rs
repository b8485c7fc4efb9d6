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

/// How many targets have to pass, and how many may do otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quorum {
    /// At least so many have to pass.
    pub min_pass: usize,
    /// At most so many may do otherwise.
    pub max_fail: usize,
}

impl Quorum {
    /// What the flags mean for so many targets. One of them gives the other; none is: all have to pass.
    ///
    /// # Errors
    /// The flags can never be met, or always are.
    pub fn new(min_pass: Option<AtLeast>, max_fail: Option<usize>, targets: usize) -> Result<Self, String> {
        let min_pass = min_pass.map(|at_least| match at_least {
            AtLeast::Count(count) => count,
            AtLeast::Percent(percent) => (targets * percent).div_ceil(100),
        });
        if let Some(min_pass) = min_pass.filter(|min_pass| *min_pass > targets) {
            return Err(format!(
                "--min-pass (DEPLOY_GATE_MIN_PASS) {min_pass} could never be met: the number of targets is {targets}"
            ));
        }
        if let Some(max_fail) = max_fail.filter(|max_fail| *max_fail >= targets) {
            return Err(format!(
                "--max-fail (DEPLOY_GATE_MAX_FAIL) {max_fail} would let a run pass in which nothing does: the number \
                 of targets is {targets}"
            ));
        }
        let min_pass = min_pass.or(max_fail.map(|max_fail| targets - max_fail)).unwrap_or(targets);
        Ok(Self { min_pass, max_fail: max_fail.unwrap_or(targets - min_pass) })
    }

    /// Whether the run passes, as soon as that is certain: after so many targets passed, so many did otherwise, and the
    /// `rest` is open.
    pub fn certain(self, passed: usize, others: usize, rest: usize) -> Option<bool> {
        if passed >= self.min_pass && others + rest <= self.max_fail {
            Some(true)
        } else if others > self.max_fail || passed + rest < self.min_pass {
            Some(false)
        } else {
            None
        }
    }
}

impl fmt::Display for Quorum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min_pass, self.max_fail) {
            (_, 0) => f.write_str("all had to"),
            (min_pass, max_fail) => write!(f, "at least {min_pass} had to and at most {max_fail} could do otherwise"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quorum(min_pass: Option<&str>, max_fail: Option<usize>, targets: usize) -> Result<(usize, usize), String> {
        let min_pass = min_pass.map(|text| text.parse().expect("well-formed"));
        Quorum::new(min_pass, max_fail, targets).map(|quorum| (quorum.min_pass, quorum.max_fail))
    }

    #[test]
    fn one_flag_gives_the_other() {
        assert_eq!(quorum(None, None, 10), Ok((10, 0)));
        assert_eq!(quorum(Some("9"), None, 10), Ok((9, 1)));
        assert_eq!(quorum(Some("85%"), None, 10), Ok((9, 1)));
        assert_eq!(quorum(Some("1%"), None, 10), Ok((1, 9)));
        assert_eq!(quorum(Some("100%"), None, 3), Ok((3, 0)));
        assert_eq!(quorum(None, Some(2), 10), Ok((8, 2)));
        assert_eq!(quorum(Some("5"), Some(2), 10), Ok((5, 2)));
    }

    #[test]
    fn what_never_or_always_holds_is_refused() {
        for (min_pass, max_fail) in [(Some("11"), None), (None, Some(10)), (Some("1"), Some(10))] {
            quorum(min_pass, max_fail, 10).expect_err("refused");
        }
        for text in ["0", "0%", "101%", "-1", "1.5", "", "%", "all"] {
            text.parse::<AtLeast>().expect_err(text);
        }
    }

    /// Whatever the rest may still do, what is certain stays so, and nothing is open when no target is.
    #[test]
    fn certainty_is_neither_early_nor_late() {
        for (min_pass, max_fail) in [(4, 0), (3, 1), (1, 3), (2, 0), (4, 3)] {
            let quorum = Quorum { min_pass, max_fail };
            let end = |passed: usize| passed >= min_pass && 4 - passed <= max_fail;
            for passed in 0..=4 {
                for others in 0..=4 - passed {
                    let rest = 4 - passed - others;
                    let ends: Vec<bool> = (0..=rest).map(|more| end(passed + more)).collect();
                    let want = if ends.iter().all(|end| *end) {
                        Some(true)
                    } else if ends.iter().any(|end| *end) {
                        None
                    } else {
                        Some(false)
                    };
                    assert_eq!(quorum.certain(passed, others, rest), want, "{quorum:?} {passed} {others}");
                }
            }
        }
    }
}
