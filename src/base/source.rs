//! Where answers come from: the network ([`crate::net::http`]), a recording ([`crate::net::recording`]) or a test's script.

use std::time::Duration;

use crate::base::clock::Signal;

/// One GET.
#[derive(Clone, Debug)]
pub struct Request {
    /// Path and query, from `/v1/` on.
    pub path: String,
    /// When it is asked, since the start of the run.
    pub at: Duration,
    /// How long it may take, from connect to the last byte.
    pub within: Duration,
    /// Sent as `X-Nuon-Trace-ID`, shown with every error.
    pub trace: String,
}

/// A complete answer: status line, headers and the whole body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status code.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Decoded body.
    pub body: Vec<u8>,
}

impl Response {
    /// The first value of a header; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// Why there is no complete answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Worth asking again: the words say what happened.
    Transient(String),
    /// Asking again cannot help, as with a certificate that does not verify.
    Final(String),
    /// The decoded body passed the limit.
    TooLarge,
    /// A signal came while the answer was awaited.
    Interrupted(Signal),
}

/// Something that can be asked.
pub trait Source {
    /// Sends one request and waits for its whole answer.
    ///
    /// # Errors
    /// The [`Fault`] that stands in place of an answer.
    fn ask(&mut self, request: &Request) -> Result<Response, Fault>;

    /// The same source for another thread, if it can be asked from several.
    fn for_thread(&self) -> Option<Box<dyn Source + Send>> {
        None
    }

    /// Nothing more will be asked.
    ///
    /// # Errors
    /// What is lost by that.
    fn finish(self: Box<Self>) -> Result<(), String> {
        Ok(())
    }
}
