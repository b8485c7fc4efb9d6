//! `--shard`: a share of the targets for each of several machines, and what ties their results together. Pure.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::args::Variables;
use crate::plan::Question;
use crate::report::{ShardSeen, Tool};
use crate::targets::Wanted;

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

/// The variables by which CI systems name a run of a pipeline, the same in all its jobs.
const RUNS: [&str; 5] = ["GITHUB_RUN_ID", "CI_PIPELINE_ID", "BUILDKITE_BUILD_ID", "BUILD_BUILDID", "BUILD_TAG"];

/// Reads the name of a run.
///
/// # Errors
/// It is empty.
pub fn parse_run_id(text: &str) -> Result<String, &'static str> {
    match text.trim() {
        "" => Err("it is empty; did the variable that should name the run get lost?"),
        id => Ok(id.into()),
    }
}

/// The run of the pipeline, as `--run-id` or the CI system names it.
pub fn run_id(given: Option<&str>, variables: &Variables) -> Option<String> {
    let told = RUNS.iter().filter_map(|name| variables.get(*name)).map(|id| id.trim()).find(|id| !id.is_empty());
    given.or(told).map(Into::into)
}

impl Shard {
    /// Takes this share of the targets and says what it is: every target is in exactly one, whatever their order.
    ///
    /// # Errors
    /// There is no such share, or the run has no name by which its results could be told from those of another.
    pub fn take(
        self,
        all: &mut Vec<Wanted>,
        run: Option<String>,
        question: &Question,
        variables: &Variables,
    ) -> Result<ShardSeen, String> {
        let flag = "--shard (DEPLOY_GATE_SHARD)";
        let (index, of) = match self {
            Shard::Share(index, of) => (index, of),
            Shard::Auto => {
                let number = |name: &str| variables.get(name).map_or("", String::as_str);
                let share = format!("{}/{}", number("CI_NODE_INDEX"), number("CI_NODE_TOTAL"));
                match share.parse() {
                    Ok(Shard::Share(index, of)) => (index, of),
                    _ => {
                        return Err(format!(
                            "{flag} auto: CI_NODE_INDEX/CI_NODE_TOTAL are \"{share}\", which is no share; they should be like 1 and 4"
                        ));
                    }
                }
            }
        };
        if of > all.len() {
            return Err(format!("{flag} {index}/{of}: there are more shards than targets, which are {}", all.len()));
        }
        let run = run.ok_or_else(|| {
            format!(
                "{flag}: this run has no name by which merge could tell its results from those of another; give \
                 --run-id (DEPLOY_GATE_RUN_ID), the same to all shards"
            )
        })?;
        all.sort_by(|one, other| one.target.cmp(&other.target));
        let fingerprint = fingerprint(all, question);
        let share = std::mem::take(all).into_iter().enumerate().filter(|(place, _)| place % of == index - 1);
        all.extend(share.map(|(_, wanted)| wanted));
        Ok(ShardSeen { index, of, run, fingerprint })
    }
}

/// Stands for all targets of a fleet and all that is asked of them.
fn fingerprint(all: &[Wanted], question: &Question) -> String {
    let mut hasher = DefaultHasher::new();
    Tool::THIS.version.hash(&mut hasher);
    for Wanted { target, pins } in all {
        format!("{target:?} {pins:?}").hash(&mut hasher);
    }
    format!("{:?} {:?} {:?}", question.rules, question.assertions, question.vacuity).hash(&mut hasher);
    (&question.place.api, &question.place.org).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
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

    #[test]
    fn the_run_is_named_by_the_flag_or_by_the_ci_system() {
        let variables: Variables = [("CI_PIPELINE_ID".into(), "77".into())].into();
        assert_eq!(run_id(None, &variables).as_deref(), Some("77"));
        assert_eq!(run_id(Some("x"), &variables).as_deref(), Some("x"));
        assert_eq!(run_id(None, &Variables::new()), None);
        let variables: Variables =
            [("GITHUB_RUN_ID".into(), " ".into()), ("CI_PIPELINE_ID".into(), "77".into())].into();
        assert_eq!(run_id(None, &variables).as_deref(), Some("77"), "an empty variable counts as unset");
    }
}
