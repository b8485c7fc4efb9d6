//! Host names: looked up once for all that is asked within a while, not for each request as `ureq` would.

use std::fmt;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ArrayVec, DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// How long an address is believed: about as long as the servers of a cloud's names say.
const MEMORY: Duration = Duration::from_secs(30);

/// Remembers what the host was last resolved to. A failure is not remembered.
#[derive(Default)]
pub struct Remembering {
    system: DefaultResolver,
    last: Mutex<Option<(String, Instant, Vec<std::net::SocketAddr>)>>,
}

impl fmt::Debug for Remembering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remembering")
    }
}

/// A host name without an address.
#[derive(Debug)]
pub struct Unresolved {
    host: String,
    why: String,
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the host {} does not resolve ({})", self.host, self.why)
    }
}

impl std::error::Error for Unresolved {}

impl Resolver for Remembering {
    #[expect(clippy::disallowed_methods, reason = "the age of an address is real time")]
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = format!("{:?} {:?}", uri.scheme_str(), uri.authority());
        if let Ok(last) = self.last.lock()
            && let Some((of, since, addresses)) = last.as_ref()
            && *of == host
            && since.elapsed() < MEMORY
        {
            let mut known: ResolvedSocketAddrs = ArrayVec::from_fn(|_| addresses[0]);
            addresses.iter().for_each(|address| known.push(*address));
            return Ok(known);
        }
        let unresolved = |why: String| {
            let host = uri.host().unwrap_or_default().to_owned();
            ureq::Error::Io(std::io::Error::other(Unresolved { host, why }))
        };
        let found = self.system.resolve(uri, config, timeout).map_err(|error| match error {
            ureq::Error::Io(error) => unresolved(error.to_string()),
            ureq::Error::HostNotFound => unresolved("it has no address".into()),
            other => other,
        })?;
        if let Ok(mut last) = self.last.lock() {
            *last = Some((host, Instant::now(), found.iter().copied().collect()));
        }
        Ok(found)
    }
}
