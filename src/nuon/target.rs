//! What is gated: an install's component, and the secret that opens the door to it.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but RFC 3986's unreserved characters is encoded in a path segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// One component of one install.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// Id of the install.
    pub install: String,
    /// Id of the component.
    pub component: String,
}

impl Target {
    /// Path of the endpoint that the gate exists for.
    pub fn latest(&self) -> String {
        format!("/v1/installs/{}/components/{}/deploys/latest", segment(&self.install), segment(&self.component))
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

    /// The target that a path of [`Target::latest`] was made for.
    pub fn of_latest(path: &str) -> Option<Self> {
        let rest = path.strip_prefix("/v1/installs/")?;
        let (install, rest) = rest.split_once("/components/")?;
        let component = rest.strip_suffix("/deploys/latest")?;
        let plain = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().ok().map(Into::into);
        Some(Self { install: plain(install)?, component: plain(component)? })
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

/// A token. It cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a token, without the white space around it.
    ///
    /// # Errors
    /// What is wrong with it, without showing it.
    pub fn new(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("it is empty".into());
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("it holds blanks, line breaks or characters beyond ASCII, which no token has".into());
        }
        Ok(Self(text.into()))
    }

    /// The token, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}
