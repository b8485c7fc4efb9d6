//! Recordings: what a run was answered, and the same answers again. JSON Lines, one answer a line, in order of time.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::base::file::{OutputFile, Stream};
use crate::base::object::Unambiguous;
use crate::base::source::{Fault, Request, Response, Source};
use crate::text::redact::Secrets;
use crate::text::sensitive;

/// Headers that are worth keeping; the rest can hold what nobody should share.
const KEPT: [&str; 7] =
    ["content-type", "date", "location", "retry-after", "x-nuon-api-next", "x-nuon-page-next", "x-nuon-trace-id"];

/// One line: an answer that holds from `at_ms` until the next line for the same path.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    /// When it was asked, in milliseconds since the start of the run.
    at_ms: u64,
    path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, String>,
    /// JSON, or the raw text of what was not JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// A recording, as a source.
pub struct Recording {
    lines: Vec<(Duration, String, Result<Response, Fault>)>,
}

impl Recording {
    /// Reads a recording.
    ///
    /// # Errors
    /// The first line that is not one, and why.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut lines: Vec<(Duration, String, Result<Response, Fault>)> = Vec::new();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let complain = |why: String| format!("line {}: {why}", number + 1);
            // Of two members of one name nobody knows which is meant.
            let Unambiguous(line) = serde_json::from_str(line).map_err(|error| complain(error.to_string()))?;
            let line = Line::deserialize(line).map_err(|error| complain(error.to_string()))?;
            let answer = match (line.status, line.error) {
                (Some(status), None) => Ok(Response {
                    status,
                    headers: line.headers.into_iter().map(|(name, value)| (name.to_lowercase(), value)).collect(),
                    body: match line.body {
                        None => Vec::new(),
                        Some(Value::String(raw)) => raw.into_bytes(),
                        Some(json) => json.to_string().into_bytes(),
                    },
                }),
                (None, Some(error)) => Err(Fault::Transient(error)),
                _ => return Err(complain("there must be either status or error".into())),
            };
            lines.push((Duration::from_millis(line.at_ms), line.path, answer));
        }
        lines.sort_by_key(|(at, ..)| *at);
        Ok(Self { lines })
    }

    /// What can be made of the paths, in their order, each once.
    pub fn of_paths<T: PartialEq>(&self, of: impl Fn(&str) -> Option<T>) -> Vec<T> {
        let mut all = Vec::new();
        for found in self.lines.iter().filter_map(|(_, path, _)| of(path)) {
            if !all.contains(&found) {
                all.push(found);
            }
        }
        all
    }

    /// What the calendar said at the start, if the server told.
    pub fn epoch(&self) -> Option<Timestamp> {
        let (at, _, Ok(response)) = self.lines.first()? else { return None };
        let date = jiff::fmt::rfc2822::parse(response.header("date")?).ok()?.timestamp();
        date.checked_sub(*at).ok()
    }
}

impl Source for Recording {
    fn ask(&mut self, request: &Request) -> Result<Response, Fault> {
        // Hand-made recordings leave queries out.
        let plain = request.path.split('?').next().unwrap_or_default();
        let answer =
            self.lines.iter().rev().find(|(at, of, _)| *at <= request.at && (*of == request.path || of == plain));
        match answer {
            Some((_, _, answer)) => answer.clone(),
            None => Ok(Response { status: 404, headers: Vec::new(), body: b"404 page not found".to_vec() }),
        }
    }
}

/// A source whose answers are written down as they come, by whichever thread asks.
pub struct Recorder<S: ?Sized> {
    source: Box<S>,
    file: Arc<Mutex<Recorded>>,
    /// What must not be told.
    secrets: Secrets,
}

/// What was written down.
struct Recorded {
    file: Option<Stream>,
    failed: Option<String>,
}

impl<S: Source + ?Sized> Recorder<S> {
    /// Records what `source` answers to `file`.
    ///
    /// # Errors
    /// Why the file cannot be written.
    pub fn new(source: Box<S>, file: OutputFile, secrets: &Secrets) -> Result<Self, String> {
        let file = Arc::new(Mutex::new(Recorded { file: Some(file.stream()?), failed: None }));
        Ok(Self { source, file, secrets: secrets.clone() })
    }
}

impl<S: Source + ?Sized> Source for Recorder<S> {
    fn ask(&mut self, request: &Request) -> Result<Response, Fault> {
        let answer = self.secrets.clean(self.source.ask(request));
        let mut recorded = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let line = line(request, &answer).map(|line| self.secrets.redact(&line).into_owned());
        // A request that was left behind may be answered after the end.
        if let (Some(line), Some(file)) = (line, &mut recorded.file)
            && let Err(error) = writeln!(file, "{line}")
        {
            recorded.failed.get_or_insert(error.to_string());
        }
        answer
    }

    fn for_thread(&self) -> Option<Box<dyn Source + Send>> {
        let (file, secrets) = (Arc::clone(&self.file), self.secrets.clone());
        let recorder = |source| Box::new(Recorder::<dyn Source + Send> { source, file, secrets });
        self.source.for_thread().map(|source| recorder(source) as Box<dyn Source + Send>)
    }

    fn finish(self: Box<Self>) -> Result<(), String> {
        let mut recorded = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        match (recorded.failed.take(), recorded.file.take()) {
            (Some(why), _) => Err(format!("the recording could not be written: {why}")),
            (None, None) => Ok(()),
            (None, Some(file)) => file.finish(|mut lines| {
                // Of requests that were under way together, the last answer can be to the first.
                lines.sort_by_cached_key(|line| serde_json::from_str(line).map_or(u64::MAX, |line: Line| line.at_ms));
                // A secret can be told before it is known as one.
                lines.into_iter().map(|line| self.secrets.redact(&line).into_owned()).collect()
            }),
        }
    }
}

fn line(request: &Request, answer: &Result<Response, Fault>) -> Option<String> {
    let mut line = Line {
        at_ms: u64::try_from(request.at.as_millis()).unwrap_or(u64::MAX),
        path: request.path.clone(),
        status: None,
        headers: BTreeMap::new(),
        body: None,
        error: None,
    };
    match answer {
        Ok(response) => {
            line.status = Some(response.status);
            line.headers = response.headers.iter().filter(|(name, _)| KEPT.contains(&name.as_str())).cloned().collect();
            line.body = Some(match serde_json::from_slice(&response.body) {
                // A body that is a JSON string would be read back as raw text, so it stays as it came.
                Ok(Unambiguous(mut json @ (Value::Object(_) | Value::Array(_)))) => {
                    sensitive::strip(&mut json);
                    sensitive::mask(&mut json);
                    sensitive::redact(&mut json);
                    json
                }
                _ => Value::String(unreadable(&response.body)),
            });
        }
        Err(Fault::Transient(why) | Fault::Final(why)) => line.error = Some(why.clone()),
        Err(Fault::TooLarge) => line.error = Some("the answer is larger than --max-body allows".into()),
        Err(Fault::Interrupted(_)) => return None,
    }
    serde_json::to_string(&line).ok()
}

/// The raw text of a body that is not JSON. One that is cut off could hold a secret that can no longer be found by its
/// name, so text that mentions one is not kept.
fn unreadable(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    if sensitive::mentions_secret(&text) {
        let end = text.len() - text.trim_start().len() + 1;
        return text.get(..end).unwrap_or_default().into();
    }
    text.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(source: &mut dyn Source, at: u64, path: &str) -> Result<Response, Fault> {
        source.ask(&Request {
            path: path.into(),
            at: Duration::from_millis(at),
            within: Duration::ZERO,
            trace: String::new(),
        })
    }

    #[test]
    fn an_answer_holds_until_the_next_for_its_path() {
        let mut recording = Recording::parse(
            r#"{"at_ms": 0, "path": "/v1/installs/inl1/components/c%201/deploys/latest", "status": 503, "headers": {"Retry-After": "5"}, "body": "<html>"}
               {"at_ms": 10, "path": "/b", "error": "connection reset"}
               {"at_ms": 20, "path": "/b", "status": 200, "body": {"id": "x"}}"#,
        )
        .expect("parses");
        assert_eq!(recording.of_paths(|path| path.contains("/components/c%201/").then_some("c 1")), ["c 1"]);
        let first = ask(&mut recording, 99, "/v1/installs/inl1/components/c%201/deploys/latest").expect("an answer");
        assert_eq!(
            (first.status, first.header("retry-after"), first.body.as_slice()),
            (503, Some("5"), &b"<html>"[..])
        );
        assert_eq!(ask(&mut recording, 9, "/b").map(|response| response.status), Ok(404));
        assert_eq!(ask(&mut recording, 10, "/b"), Err(Fault::Transient("connection reset".into())));
        assert_eq!(ask(&mut recording, 20, "/b?limit=1").expect("an answer").body, br#"{"id":"x"}"#);
    }

    #[test]
    fn a_strange_line_is_named() {
        for (text, why) in [
            ("{", "line 1"),
            (r#"{"at_ms":0,"path":"/","status":200}\n{"at_ms":1}"#, "line 1"),
            (r#"{"at_ms":0,"path":"/"}"#, "status or error"),
            (r#"{"at_ms":0,"path":"/","status":200,"bodi":1}"#, "bodi"),
            (r#"{"at_ms":0,"path":"/","status":200,"body":{"id":1,"id":2}}"#, "is there twice"),
        ] {
            let error = Recording::parse(text).err().unwrap_or_default();
            assert!(error.contains(why), "{error}");
        }
    }
}
