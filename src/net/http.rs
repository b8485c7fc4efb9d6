//! The only network: GET requests to one origin, over connections that are kept open.

#![expect(clippy::disallowed_types, reason = "the one place that speaks HTTP")]

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use ureq::Agent;
use ureq::http::{HeaderMap, Uri};
use ureq::tls::TlsConfig;
use ureq::unversioned::transport::DefaultConnector;

use crate::base::clock::SignalFlag;
use crate::base::disk::without_mark;
use crate::base::source::{Fault, Request, Response, Source};
use crate::net::connection::{Connection, Secret, port};
use crate::net::resolver::{Remembering, Unresolved};
use crate::text::format;

/// Names the gate to the server. It must not hold `nuon/`, `curl` or the like: the server counts those as its own CLI.
const USER_AGENT: &str = concat!("deploy-gate/", env!("CARGO_PKG_VERSION"));
/// How many redirects are followed, all within the origin.
const REDIRECTS: usize = 5;
/// How much is read of a body that only explains an error.
const EXPLANATION: u64 = 64 * 1024;
/// No token is longer.
const TOKEN: usize = 8 * 1024;
/// How long a connection may idle: longer than the longest default wait between looks.
const IDLE: Duration = Duration::from_secs(90);

/// The server, asked over HTTP.
pub struct Http {
    worker: Arc<Worker>,
    /// What ends the wait for an answer; `None` where whoever asks can be left behind.
    signal: Option<SignalFlag>,
}

struct Worker {
    agent: Agent,
    connection: Connection,
    /// Whether the server has answered: what fails before that may never get better.
    has_answered: AtomicBool,
}

impl Http {
    /// Prepares to ask, so many requests at once; nothing is sent yet. A signal on `signal` ends the wait for an answer.
    pub fn new(connection: Connection, jobs: usize, signal: SignalFlag) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_age(IDLE)
            .max_idle_connections(jobs)
            .max_idle_connections_per_host(jobs)
            .proxy(connection.proxy.clone())
            .tls_config(TlsConfig::builder().root_certs(connection.roots.clone()).build())
            .user_agent(USER_AGENT)
            .accept("application/json")
            .build();
        let agent = Agent::with_parts(config, DefaultConnector::default(), Remembering::default());
        let worker = Worker { agent, connection, has_answered: AtomicBool::new(false) };
        Self { worker: Arc::new(worker), signal: Some(signal) }
    }
}

impl Source for Http {
    /// A thread of a pool is left behind with its request.
    fn for_thread(&self) -> Option<Box<dyn Source + Send>> {
        Some(Box::new(Self { worker: Arc::clone(&self.worker), signal: None }))
    }

    fn ask(&mut self, request: &Request) -> Result<Response, Fault> {
        let Some(signal) = &self.signal else { return self.worker.get(request) };
        let (sender, receiver) = mpsc::channel();
        let (worker, request) = (Arc::clone(&self.worker), request.clone());
        // A request cannot be interrupted, but it can be left behind.
        std::thread::spawn(move || {
            // Nobody listens any more after a signal.
            let _ = sender.send(worker.get(&request));
        });
        loop {
            if let Some(signal) = signal.raised() {
                return Err(Fault::Interrupted(signal));
            }
            match receiver.recv_timeout(SignalFlag::ATTENTION) {
                Ok(answer) => return answer,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(Fault::Transient("the request broke off".into())),
            }
        }
    }
}

impl Worker {
    #[expect(clippy::disallowed_methods, reason = "a request has as long in all, however often it is led on")]
    fn get(&self, request: &Request) -> Result<Response, Fault> {
        let started = Instant::now();
        let within = request.within.min(self.connection.request_timeout);
        let token = self.connection.token.read().map_err(|why| Fault::Transient(format!("the token file {why}")))?;
        let mut url = format!("{}{}{}", self.connection.origin, self.connection.base, request.path);
        if let Some(token) = &token {
            self.connection.secrets.add(token.expose());
        }
        for _ in 0..REDIRECTS {
            let left = within.saturating_sub(started.elapsed());
            let response = match left {
                Duration::ZERO => Err(ureq::Error::Timeout(ureq::Timeout::Global)),
                left => self.send(&url, &request.trace, token.as_ref(), left),
            };
            let response = response.map_err(|error| self.fault(&error, within))?;
            self.has_answered.store(true, Ordering::Relaxed);
            match redirected(&url, &response) {
                Some(next) => url = next,
                None => return Ok(response),
            }
        }
        Err(Fault::Final(format!("more than {REDIRECTS} redirects, the last to {url}")))
    }

    /// Whether an error is worth another try, with the proxy that may be to blame.
    fn fault(&self, error: &ureq::Error, within: Duration) -> Fault {
        let proxy = self.connection.proxy.as_ref();
        let by = |why: String| match proxy {
            Some(proxy) => format!("{why} (through the proxy {}:{})", proxy.host(), proxy.port()),
            None => why,
        };
        let has_answered = self.has_answered.load(Ordering::Relaxed);
        if is_plain(error) && !has_answered {
            return Fault::Final(by("the server does not speak TLS there; is --api-url (NUON_API_URL) right?".into()));
        }
        if let Some(unresolved) = inside::<Unresolved>(error) {
            let flag = if proxy.is_some() { "the proxy" } else { "--api-url (NUON_API_URL)" };
            let hint = if has_answered { String::new() } else { format!("; is {flag} right?") };
            return Fault::Transient(format!("{unresolved}{hint}"));
        }
        match fault(error, within) {
            Fault::Transient(why) => Fault::Transient(by(why)),
            Fault::Final(why) => Fault::Final(by(why)),
            other => other,
        }
    }

    fn send(&self, url: &str, trace: &str, token: Option<&Secret>, left: Duration) -> Result<Response, ureq::Error> {
        let mut request = self.agent.get(url).header("X-Nuon-Trace-ID", trace);
        if let Some(token) = token {
            request = request.header("Authorization", format!("Bearer {}", token.expose()));
        }
        if let Some(org) = &self.connection.org {
            request = request.header("X-Nuon-Org-ID", org);
        }
        let (head, body) = request.config().timeout_global(Some(left)).build().call()?.into_parts();
        let status = head.status.as_u16();
        let mut config = body.into_with_config();
        let body = if status == 200 {
            config = config.limit(self.connection.max_body);
            config.read_to_vec()?
        } else {
            let mut explanation = Vec::new();
            // The status says enough if the words break off.
            let _ = config.limit(EXPLANATION).reader().take(EXPLANATION).read_to_end(&mut explanation);
            // Where it was cut, it may hold a piece of the token, which would not be found any more.
            if explanation.len() as u64 == EXPLANATION {
                explanation.truncate(explanation.len() - TOKEN);
            }
            explanation
        };
        Ok(Response { status, headers: headers(&head.headers), body: without_mark(body) })
    }
}

fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| (name.as_str().into(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect()
}

/// Where a redirect leads, if it stays within the origin.
fn redirected(url: &str, response: &Response) -> Option<String> {
    if !matches!(response.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.header("location")?;
    let from: Uri = url.parse().ok()?;
    if location.starts_with('/') && !location.starts_with("//") {
        return Some(format!("{}://{}{location}", from.scheme_str()?, from.authority()?));
    }
    if let Some(path) = beside(from.path(), location) {
        return Some(format!("{}://{}{path}", from.scheme_str()?, from.authority()?));
    }
    let scheme = if location.starts_with("//") { format!("{}:", from.scheme_str()?) } else { String::new() };
    let whole = format!("{scheme}{location}");
    let to: Uri = whole.parse().ok()?;
    let is_plain = to.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    (is_plain && origin(&from) == origin(&to)).then_some(whole)
}

/// Where a relative redirect leads from a path.
fn beside(path: &str, location: &str) -> Option<String> {
    let relative = location.split(['?', '#']).next().unwrap_or_default();
    let has_scheme = relative.split('/').next().is_some_and(|first| first.contains(':'));
    if location.is_empty() || location.starts_with('/') || has_scheme {
        return None;
    }
    let mut whole: Vec<&str> = path.split('/').collect();
    if !relative.is_empty() {
        whole.pop();
    }
    for segment in relative.split('/').filter(|_| !relative.is_empty()) {
        match segment {
            "." => {}
            ".." if whole.len() > 1 => drop(whole.pop()),
            ".." => {}
            segment => whole.push(segment),
        }
    }
    Some(format!("{}{}", whole.join("/"), &location[relative.len()..]))
}

fn origin(uri: &Uri) -> Option<(String, String, u16)> {
    let scheme = uri.scheme_str()?.to_lowercase();
    Some((scheme, uri.host()?.to_lowercase(), port(uri)))
}

/// Whether an error is worth another try.
fn fault(error: &ureq::Error, within: Duration) -> Fault {
    if let Some(why) = bad_certificate(error) {
        return Fault::Final(format!(
            "the server's certificate does not verify: {why}; a private API needs its CA (not the server's own certificate) \
             in --ca-file (DEPLOY_GATE_CA_FILE)"
        ));
    }
    match error {
        ureq::Error::BodyExceedsLimit(_) => Fault::TooLarge,
        ureq::Error::Timeout(_) => Fault::Transient(format!("no whole answer within {}", format::duration(within))),
        error if matches!(inside(error), Some(ureq::Error::BodyExceedsLimit(_))) => Fault::TooLarge,
        ureq::Error::Io(io) => Fault::Transient(io.to_string()),
        other => Fault::Transient(other.to_string()),
    }
}

/// The error of this kind that an error of the transport wraps.
fn inside<E: std::error::Error + 'static>(error: &ureq::Error) -> Option<&E> {
    match error {
        ureq::Error::Io(io) => io.get_ref()?.downcast_ref(),
        _ => None,
    }
}

fn bad_certificate(error: &ureq::Error) -> Option<String> {
    match tls(error)? {
        rustls::Error::InvalidCertificate(why) => Some(why.to_string()),
        _ => None,
    }
}

/// Whether what came where TLS should begin was something else.
fn is_plain(error: &ureq::Error) -> bool {
    matches!(tls(error), Some(rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType)))
}

fn tls(error: &ureq::Error) -> Option<&rustls::Error> {
    match error {
        ureq::Error::Rustls(tls) => Some(tls),
        other => inside(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_stay_within_the_origin() {
        let follow = |url: &str, location: &str| {
            let response =
                Response { status: 302, headers: vec![("location".into(), location.into())], body: Vec::new() };
            redirected(url, &response)
        };
        let url = "https://api.co/v1/x";
        assert_eq!(follow(url, "/v1/y").as_deref(), Some("https://api.co/v1/y"));
        assert_eq!(follow(url, "https://API.co:443/v1/y").as_deref(), Some("https://API.co:443/v1/y"));
        assert_eq!(follow(url, "y").as_deref(), Some("https://api.co/v1/y"));
        assert_eq!(follow("https://api.co/v1/x?a=/b", "y?c=d:e").as_deref(), Some("https://api.co/v1/y?c=d:e"));
        assert_eq!(follow(url, "//api.co/v1/y").as_deref(), Some("https://api.co/v1/y"));
        assert_eq!(follow(url, "../v2/./y?a=..").as_deref(), Some("https://api.co/v2/y?a=.."));
        assert_eq!(follow(url, "../../../y").as_deref(), Some("https://api.co/y"));
        assert_eq!(follow(url, "?page=2").as_deref(), Some("https://api.co/v1/x?page=2"));
        for elsewhere in [
            "http://api.co/v1/y",
            "https://api.co:8443/v1/y",
            "https://evil.co/",
            "//evil.co/",
            "https://api.co@evil.co/",
            "https://u@api.co/",
            "",
            "javascript:y",
        ] {
            assert_eq!(follow(url, elsewhere), None, "{elsewhere}");
        }
    }
}
