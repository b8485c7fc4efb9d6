//! A run of an app branch: a workflow of its own, which updates installs group by group, each by a workflow of the install.

use std::fmt;

use serde::Deserialize;

use crate::nuon::id::{self, AppId, Id, InstallId, RunId, WorkflowId};
use crate::nuon::target::segment;

/// Which run: `APP/BRANCH/RUN`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BranchRun {
    /// The app, by id or name.
    pub app: AppId,
    /// The branch, by id or name.
    pub branch: String,
    /// The run, by its id or that of its workflow.
    pub run: RunId,
}

impl BranchRun {
    /// Path of its workflow.
    pub fn path(&self) -> String {
        self.path_of(&self.run)
    }

    /// Path of the installs that it updates, by the id of the run.
    pub fn installs(&self, run: &str) -> String {
        format!("{}/install-groups", self.path_of(run))
    }

    fn path_of(&self, run: &str) -> String {
        format!("/v1/apps/{}/branches/{}/runs/{}", segment(&self.app), segment(&self.branch), segment(run))
    }
}

impl std::str::FromStr for BranchRun {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = || "it should be APP/BRANCH/RUN".to_owned();
        let (app, rest) = text.split_once('/').ok_or_else(wanted)?;
        let (branch, run) = rest.rsplit_once('/').ok_or_else(wanted)?;
        let is_name = |name: &str| {
            !matches!(name, "" | "." | "..") && !name.chars().any(|c| c.is_control() || "?#\\".contains(c))
        };
        if !is_name(app) || !is_name(branch) || branch.split('/').any(|part| !is_name(part)) {
            return Err(wanted());
        }
        let app = AppId::new(app).ok_or_else(wanted)?;
        Ok(Self { app, branch: branch.into(), run: RunId::new(run.trim()).ok_or_else(wanted)? })
    }
}

impl fmt::Display for BranchRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "branch run {} of {}/{}", self.run, self.app, self.branch)
    }
}

/// An install that the run updates.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
pub struct Updated {
    /// The install.
    #[serde(rename = "install_id", default, deserialize_with = "id::optional")]
    pub install: Option<InstallId>,
    /// The workflow that does it, once there is one.
    #[serde(rename = "workflow_id", default, deserialize_with = "id::optional")]
    pub workflow: Option<WorkflowId>,
}
