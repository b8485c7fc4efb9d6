//! What a connection needs: URL, proxy, trusted certificates, organization, token.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use ureq::Proxy;
use ureq::http::Uri;
use ureq::tls::RootCerts;

use crate::base::disk::{Disk, RealDisk};
use crate::text::redact::Secrets;

/// All that is needed to ask.
#[derive(Debug)]
pub struct Connection {
    /// Scheme and authority, in lower case.
    pub origin: String,
    /// What stands before `/v1/`, without a slash at its end.
    pub base: String,
    /// The org, if one is known.
    pub org: Option<String>,
    /// The token, if one is known.
    pub token: Token,
    /// What must not be told: every token that is read from a file is added.
    pub secrets: Secrets,
    /// The proxy, if the environment names one for this URL.
    pub proxy: Option<Proxy>,
    /// Whom to trust.
    pub roots: RootCerts,
    /// Largest decoded body, in bytes.
    pub max_body: u64,
    /// Longest time for one request.
    pub request_timeout: Duration,
}

/// The port of a URL, also where it is not written.
pub fn port(uri: &Uri) -> u16 {
    let is_plain = uri.scheme_str().is_some_and(|scheme| scheme.eq_ignore_ascii_case("http"));
    uri.port_u16().unwrap_or(if is_plain { 80 } else { 443 })
}

/// Where the token comes from.
pub enum Token {
    /// There is none; the server will say what it thinks of that.
    None,
    /// The same for the whole run.
    Fixed(Secret),
    /// Read again for every request, since mounted tokens rotate.
    File(PathBuf),
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[token]")
    }
}

impl Token {
    /// The token as it is now.
    ///
    /// # Errors
    /// Why the file gives none.
    pub fn read(&self) -> Result<Option<Secret>, String> {
        match self {
            Token::None => Ok(None),
            Token::Fixed(secret) => Ok(Some(secret.clone())),
            Token::File(path) => {
                let text =
                    RealDisk.read_text(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
                Secret::new(&text).map(Some).map_err(|why| format!("{}: {why}", path.display()))
            }
        }
    }
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
