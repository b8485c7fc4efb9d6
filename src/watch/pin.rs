//! Which deploy is meant. *Latest* is a moving word: a run that looks before its own deploy exists sees the one before,
//! finished and green. Pure.

use std::fmt;
use std::path::PathBuf;

use jiff::Timestamp;

use crate::nuon::deploy::Deploy;
use crate::nuon::id::{BuildId, DeployId, Id, WorkflowId};

/// What the user knows of the deploy that is meant; all of it must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Pins {
    /// The deploy must be of this build
    #[arg(long, value_name = "ID", value_parser = parse_id::<BuildId>)]
    pub build: Option<BuildId>,
    /// The deploy must be this one
    #[arg(long, value_name = "ID", value_parser = parse_id::<DeployId>)]
    pub deploy: Option<DeployId>,
    /// The deploy must belong to this workflow; @FILE reads the id from the saved response of whatever triggered it (as
    /// `curl -i` or the Nuon CLI printed it), @- is stdin
    #[arg(long, value_name = "ID|@FILE", value_parser = parse_workflow)]
    pub workflow: Option<WorkflowPin>,
    /// The build must be of this commit (7 or more hexadecimal digits)
    #[arg(long, value_name = "SHA", value_parser = parse_commit)]
    pub commit: Option<String>,
    /// The deploy must be newer: created after this one, as `deploy-gate latest` printed it before you triggered yours (none
    /// if there was none), or at or after this time (RFC 3339)
    #[arg(long, value_name = "ID|TIME|none")]
    pub after: Option<After>,
}

/// `--workflow`: the id, or the file of the answer that has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkflowPin {
    /// The id.
    Id(WorkflowId),
    /// The file, which is read before the wait; `-` is stdin.
    File(PathBuf),
}

impl fmt::Display for WorkflowPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "{id}"),
            Self::File(file) => write!(f, "@{}", file.display()),
        }
    }
}

/// `--after`: what the deploy that is meant is newer than.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// There was none before.
    None,
    /// It was made then, or later.
    Time(Timestamp),
    /// It was made after this one.
    Deploy(DeployId),
}

/// What `deploy-gate latest` prints where there is no deploy, and `--after` takes for that.
pub const NONE: &str = "none";

impl std::str::FromStr for After {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == NONE {
            return Ok(Self::None);
        }
        // No id has a colon, and every time has one.
        match text.parse() {
            Ok(time) if text.contains(':') => Ok(Self::Time(time)),
            _ => parse_id(text).map(Self::Deploy).map_err(|_| {
                format!(
                    "it should be the id of a deploy, a time like 2026-01-14T16:02:09Z, or none for a first deploy{UNSET}"
                )
            }),
        }
    }
}

impl fmt::Display for After {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str(NONE),
            Self::Time(time) => write!(f, "{time}"),
            Self::Deploy(id) => f.write_str(id),
        }
    }
}

impl Pins {
    /// Whether anything is known of the deploy.
    pub fn any(&self) -> bool {
        *self != Self::default()
    }

    /// The workflow that is meant.
    pub fn workflow(&self) -> Option<&WorkflowId> {
        match &self.workflow {
            Some(WorkflowPin::Id(id)) => Some(id),
            Some(WorkflowPin::File(_)) | None => None,
        }
    }

    /// Whether nobody else's deploy can satisfy them.
    pub fn identify(&self) -> bool {
        self.deploy.is_some() || self.workflow.is_some()
    }

    /// Whether they are enough for `--require-pin`: a build and a commit can be those of an earlier deploy, too.
    pub fn are_enough(&self) -> bool {
        self.identify() || self.after.is_some()
    }

    /// Whether what is known could be true of an earlier deploy too.
    pub fn may_be_old(&self) -> bool {
        !self.identify() && matches!(self.after, None | Some(After::None))
    }

    /// The deploy that was there before the one that is meant.
    pub fn baseline(&self) -> Option<&DeployId> {
        match &self.after {
            Some(After::Deploy(id)) => Some(id),
            _ => None,
        }
    }

    /// Whether all that can be told from the deploy itself holds for it.
    pub fn hold(&self, deploy: &Deploy) -> bool {
        self.deploy.as_ref().is_none_or(|id| deploy.id() == id) && self.broken_by(deploy).is_none()
    }

    /// The same for a retry of the deploy that is meant, which has an id of its own.
    pub fn hold_for_retry(&self, retry: &Deploy) -> bool {
        Self { deploy: None, ..self.clone() }.hold(retry)
    }

    /// How a deploy is not the one that is meant, by the first pin beside its id that does not hold for it.
    pub fn broken_by(&self, deploy: &Deploy) -> Option<String> {
        let is = |what: &str, text: Option<&str>| match text {
            Some(text) => format!("its {what} is {text}"),
            None => format!("it names no {what}"),
        };
        let (build, workflow, made) = (deploy.build_id.as_deref(), deploy.workflow.as_deref(), deploy.created());
        let commit = commit(deploy);
        let is_of_commit = |sha: &String| commit.to_lowercase().starts_with(&sha.to_lowercase());
        if self.build.as_deref().is_some_and(|meant| build != Some(meant)) {
            return Some(is("build", build));
        }
        if self.workflow.is_some() && (workflow.is_none() || deploy.workflow.as_ref() != self.workflow()) {
            return Some(is("workflow", workflow));
        }
        if !self.commit.as_ref().is_none_or(is_of_commit) {
            return Some(is("commit", Some(commit).filter(|sha| !sha.is_empty())));
        }
        match &self.after {
            Some(After::Time(time)) if made.is_none_or(|made| made < *time) => Some(match made {
                Some(made) => format!("it was made at {made}"),
                None => "it does not say when it was made".into(),
            }),
            Some(After::Deploy(id)) if deploy.id() == id => Some("it is the one before".into()),
            _ => None,
        }
    }
}

/// The commit of a deploy's build, or else what was asked to be built, where that is a commit: it can be a branch, whose
/// name may look like the beginning of one.
fn commit(deploy: &Deploy) -> &str {
    let git_ref = deploy.component_build.as_ref().and_then(|build| build.git_ref.as_deref());
    let git_ref = git_ref.filter(|git_ref| is_full_commit(git_ref)).unwrap_or_default();
    if deploy.commit().is_empty() { git_ref } else { deploy.commit() }
}

/// Whether a text is a whole commit id, of either kind that git has.
fn is_full_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

impl fmt::Display for Pins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named: [(&str, Option<&dyn fmt::Display>); 5] = [
            ("build", self.build.as_ref().map(|id| id as _)),
            ("deploy", self.deploy.as_ref().map(|id| id as _)),
            ("workflow", self.workflow.as_ref().map(|id| id as _)),
            ("commit", self.commit.as_ref().map(|sha| sha as _)),
            ("after", self.after.as_ref().map(|after| after as _)),
        ];
        let pins: Vec<String> = named.into_iter().filter_map(|(name, pin)| Some(format!("{name} {}", pin?))).collect();
        f.write_str(&pins.join(", "))
    }
}

/// Reads `--commit`.
///
/// # Errors
/// What would be right.
pub fn parse_commit(text: &str) -> Result<String, String> {
    let is_sha = (7..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_sha { Ok(text.into()) } else { Err("it should be a commit id of 7 or more hexadecimal digits".into()) }
}

/// Reads `--workflow`: an id, or the file that has it.
///
/// # Errors
/// What would be right.
pub fn parse_workflow(text: &str) -> Result<WorkflowPin, String> {
    match text.strip_prefix('@') {
        Some("") => Err("the file is missing; it should be @FILE, or @- for stdin".into()),
        Some(file) => Ok(WorkflowPin::File(file.into())),
        None => parse_id(text).map(WorkflowPin::Id),
    }
}

/// The usual cause.
const UNSET: &str = " (did the step that should set it fail?)";

/// Reads the id of a pin: a letter, and 9 or more letters, digits, - and _. CI systems hand a value that is not set on as
/// `null`, `undefined`, `$(NAME)` and the like, which are no ids.
///
/// # Errors
/// What would be right.
pub fn parse_id<T: Id>(text: &str) -> Result<T, String> {
    let is_id = text.len() >= 10
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    let id = T::new(text).filter(|_| is_id);
    id.ok_or_else(|| format!("it should be an id like dplq3v8h1m5z7c2x9b4n6k0tsw{UNSET}"))
}

/// Whether an id has the shape that the server gives them: a prefix, and 23 letters and digits.
pub fn is_shaped(id: &str, prefix: &str) -> bool {
    id.len() == 26
        && id.starts_with(prefix)
        && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nuon::deploy::Answer;

    #[test]
    fn only_some_pins_rule_an_earlier_deploy_out() {
        let pins = Pins::default;
        assert!(pins().may_be_old());
        assert!(Pins { build: BuildId::new("x"), commit: Some("x".into()), ..pins() }.may_be_old());
        assert!(Pins { after: Some(After::None), ..pins() }.may_be_old());
        for pins in [
            Pins { deploy: DeployId::new("x"), ..pins() },
            Pins { workflow: WorkflowId::new("x").map(WorkflowPin::Id), ..pins() },
            Pins { after: Some(After::Deploy(DeployId::new("x").expect("an id"))), ..pins() },
            Pins { after: Some(After::Time(Timestamp::UNIX_EPOCH)), ..pins() },
        ] {
            assert!(!pins.may_be_old(), "{pins}");
        }
    }

    #[test]
    fn what_ci_systems_leave_is_no_id() {
        for text in LEFT {
            parse_id::<DeployId>(text).expect_err(text);
            parse_workflow(text).expect_err(text);
            text.parse::<After>().expect_err(text);
        }
        for id in ["dplq3v8h1m5z7c2x9b4n6k0tsw", "dpl_0123456", "A-23456789"] {
            assert_eq!(parse_id::<DeployId>(id).as_deref().ok(), Some(id));
        }
        assert_eq!("none".parse(), Ok(After::None));
        let made = |at: Option<&str>| {
            let answer = Answer { id: DeployId::new("dpl1"), created_at: at.map(Into::into), ..Answer::default() };
            answer.deploy().expect("one workflow").expect("a deploy")
        };
        for time in ["2026-01-14T16:02:09Z", "2026-01-14T17:02:09.000+01:00"] {
            let pins = Pins { after: Some(time.parse().expect(time)), ..Pins::default() };
            assert!(pins.hold(&made(Some("2026-01-14T16:02:09Z"))), "at or after: {time}");
            assert!(!pins.hold(&made(Some("2026-01-14T16:02:08.999Z"))) && !pins.hold(&made(None)), "{time}");
        }
    }

    /// What CI systems and shells make of a value that is not set.
    const LEFT: [&str; 26] = [
        "",
        " ",
        "null",
        "NULL",
        "undefined",
        "None",
        "nil",
        "$(PREV)",
        "${{ steps.x.outputs.id }}",
        "$PREV",
        "%PREV%",
        "''",
        "\"\"",
        "\"null\"",
        "dpl",
        "bld",
        "inw",
        "-",
        "<nil>",
        "[object Object]",
        "{}",
        "[]",
        "2026-01-14",
        "yesterday",
        "1234567890",
        "16:02:09",
    ];
}
