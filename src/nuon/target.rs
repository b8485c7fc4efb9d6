//! What is gated: an install's component, and the paths that the server has for it.

use std::fmt;

use crate::nuon::id::{ComponentId, Id, InstallId};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but RFC 3986's unreserved characters is encoded in a path segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// One component of one install.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// Id of the install.
    pub install: InstallId,
    /// Id of the component.
    pub component: ComponentId,
}

impl Target {
    /// Path of the endpoint that the gate exists for.
    pub fn latest(&self) -> String {
        format!("/v1/installs/{}/components/{}/deploys/latest", segment(&self.install), segment(&self.component))
    }

    /// Path of the list of deploys, the newest first.
    pub fn deploys(&self) -> String {
        format!("/v1/installs/{}/components/{}/deploys", segment(&self.install), segment(&self.component))
    }

    /// Path of the install.
    pub fn install(&self) -> String {
        format!("/v1/installs/{}", segment(&self.install))
    }

    /// Path of a deploy by its id.
    pub fn deploy(&self, id: &str) -> String {
        format!(
            "/v1/installs/{}/components/{}/deploys/{}",
            segment(&self.install),
            segment(&self.component),
            segment(id)
        )
    }

    /// The older path of a deploy by its id, which does not check the component.
    pub fn deploy_by_install(&self, id: &str) -> String {
        format!("/v1/installs/{}/deploys/{}", segment(&self.install), segment(id))
    }

    /// The install that a path is about.
    pub fn install_of(path: &str) -> Option<InstallId> {
        let install = path.strip_prefix("/v1/installs/")?.split(['/', '?']).next()?;
        InstallId::new(percent_encoding::percent_decode_str(install).decode_utf8().ok()?)
    }

    /// The target that a path of [`Target::latest`] was made for.
    pub fn of_latest(path: &str) -> Option<Self> {
        let rest = path.strip_prefix("/v1/installs/")?;
        let (install, rest) = rest.split_once("/components/")?;
        let component = rest.strip_suffix("/deploys/latest")?;
        let plain = |text| percent_encoding::percent_decode_str(text).decode_utf8().ok();
        Some(Self { install: InstallId::new(plain(install)?)?, component: ComponentId::new(plain(component)?)? })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} / {}", self.install, self.component)
    }
}

/// One segment of a URL path.
pub fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}
