//! `--shard`: a stable share of the targets for each of several machines. The CI system joins the jobs: all must pass.
//! Pure.

use crate::base::environment::Variables;
use crate::report::result::ShardSeen;

/// `--shard I/N|auto`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shard {
    /// The share `0`, from 1, of `1` in all.
    Share(usize, usize),
    /// As `CI_NODE_INDEX` and `CI_NODE_TOTAL` say.
    Auto,
}

impl std::str::FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim() == "auto" {
            return Ok(Self::Auto);
        }
        let wanted = "it should be I/N like 1/4, the first of four, or auto";
        let (index, of) = text.split_once('/').ok_or(wanted)?;
        let number = |text: &str| text.trim().parse::<usize>().map_err(|_| wanted.to_owned());
        let (index, of) = (number(index)?, number(of)?);
        if (1..=of).contains(&index) {
            Ok(Self::Share(index, of))
        } else {
            Err(format!("there is no shard {index} of {of}; {wanted}"))
        }
    }
}

impl Shard {
    /// Which share it is.
    ///
    /// # Errors
    /// There is no such share.
    pub fn seen(self, variables: &Variables) -> Result<ShardSeen, String> {
        let flag = "--shard (DEPLOY_GATE_SHARD)";
        let (index, of) = match self {
            Shard::Share(index, of) => (index, of),
            Shard::Auto => {
                let number = |name: &str| variables.get(name).map_or("", |value| value.trim());
                let (index, of) = (number("CI_NODE_INDEX"), number("CI_NODE_TOTAL"));
                match format!("{index}/{of}").parse() {
                    Ok(Shard::Share(index, of)) => (index, of),
                    _ if index.is_empty() || of.is_empty() => {
                        return Err(format!(
                            "{flag} auto: CI_NODE_INDEX and CI_NODE_TOTAL are not set; GitLab sets them for `parallel`, elsewhere give I/N"
                        ));
                    }
                    _ => {
                        return Err(format!(
                            "{flag} auto: CI_NODE_INDEX is \"{index}\" and CI_NODE_TOTAL \"{of}\"; they should be like 1 and 4"
                        ));
                    }
                }
            }
        };
        Ok(ShardSeen { index, of })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_numbered_from_one() {
        assert_eq!("1/1".parse(), Ok(Shard::Share(1, 1)));
        assert_eq!(" 4 / 4 ".parse(), Ok(Shard::Share(4, 4)));
        assert_eq!("auto".parse(), Ok(Shard::Auto));
        for text in ["", "0/0", "0/4", "5/4", "1", "a/b", "1/", "-1/2", "1/2/3"] {
            text.parse::<Shard>().expect_err(text);
        }
    }
}
