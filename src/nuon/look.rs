//! What an HTTP answer means: usable, not there, to be asked again (429, 5xx, cut off) or final (401, 403). Pure.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

use crate::base::clock::Signal;
use crate::base::object::{Object, Unambiguous};
use crate::base::outcome::Ending;
use crate::base::source::{Fault, Response};
use crate::nuon::branch_run::{BranchRun, Updated};
use crate::nuon::deploy::{Answer, Deploy};
use crate::nuon::id::{self, ComponentId, DeployId, InstallId, WorkflowId};
use crate::nuon::target::Target;
use crate::nuon::workflow::Workflow;
use crate::text::sensitive;

/// The deepest nesting that the JSON parser takes.
const DEEPEST: usize = 127;

/// What came of one asking.
#[derive(Clone, Debug, PartialEq)]
pub enum Look {
    /// A deploy, and the whole answer.
    Seen(Box<Deploy>, Whole),
    /// A workflow, and the whole answer.
    Workflow(Box<Workflow>, Whole),
    /// The deploys of a component, the newest first.
    Deploys(Vec<Deploy>),
    /// The workflow of a branch run, and the id of the run.
    Run(Box<Workflow>, String),
    /// The installs that a branch run updates.
    Updated(Vec<Updated>),
    /// The install is there, and the whole answer.
    Install(Whole),
    /// Where a workflow stands in its queue, and how many do; 0 where the server does not know.
    Queue(u64, u64),
    /// What was asked for, but it belongs to another component or install.
    Another(Miss),
    /// The server answered that there is no such thing.
    Absent(Miss),
    /// No usable answer; the next may be one.
    Missed(Miss),
    /// An answer that asking again cannot change.
    Refused(Ending, String),
}

impl Look {
    /// Why there is no answer to go on with, where another look may bring one.
    pub fn miss(&self) -> Option<&Miss> {
        match self {
            Look::Absent(miss) | Look::Missed(miss) | Look::Another(miss) => Some(miss),
            _ => None,
        }
    }

    /// How long the server wants to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        self.miss()?.retry_after
    }
}

/// A whole answer, which nobody reads before it is judged.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Whole {
    /// As it came.
    Text(Vec<u8>),
    /// Put together of several answers.
    Value(Value),
}

impl Default for Whole {
    fn default() -> Self {
        Self::Text(Vec::new())
    }
}

impl From<Vec<u8>> for Whole {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Text(bytes)
    }
}

impl From<Value> for Whole {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

impl Whole {
    /// How large it was as it came, in bytes; 0 where that is not known.
    pub fn size(&self) -> usize {
        match self {
            Self::Text(bytes) => bytes.len(),
            Self::Value(_) => 0,
        }
    }

    /// Reads it.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn read(self) -> Result<Value, String> {
        match self {
            Self::Text(bytes) => {
                serde_json::from_slice(&bytes).map(|Unambiguous(value)| value).map_err(|error| error.to_string())
            }
            Self::Value(value) => Ok(value),
        }
    }
}

/// Why there is no answer to go on with.
#[derive(Clone, Debug, PartialEq)]
pub enum Unread {
    /// A signal came first.
    Signal(Signal),
    /// The look that there is in its place.
    Look(Box<Look>),
}

impl From<Signal> for Unread {
    fn from(signal: Signal) -> Self {
        Self::Signal(signal)
    }
}

impl From<Look> for Unread {
    fn from(look: Look) -> Self {
        Self::Look(Box::new(look))
    }
}

/// Why a look brought nothing, and how long the server wants to be left alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Miss {
    /// In words.
    pub why: String,
    /// `Retry-After`, from now on.
    pub retry_after: Option<Duration>,
    /// Whether there was an answer, but about something else: then nothing may be judged without asking again.
    pub foreign: bool,
}

impl Miss {
    /// A look that brought nothing, for this reason.
    pub fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), ..Self::default() }
    }
}

/// An answer, as it came from a [`crate::base::source::Source`].
pub type Answered = Result<Response, Fault>;

/// Reads the answer to a look at a deploy of `target`: the one of this id, or else any. `utc` is the calendar now, for a
/// `Retry-After` that is a date.
///
/// # Errors
/// The signal that came in place of an answer.
pub fn deploy(
    answer: Answered,
    id: Option<&DeployId>,
    target: &Target,
    utc: Option<Timestamp>,
) -> Result<Look, Signal> {
    deploy_of(answer, id, target, Some(&target.component), utc)
}

/// The same for the deploy of this id, of whichever component of the install it is.
///
/// # Errors
/// The signal that came in place of an answer.
pub fn deploy_of_install(
    answer: Answered,
    id: &DeployId,
    target: &Target,
    utc: Option<Timestamp>,
) -> Result<Look, Signal> {
    deploy_of(answer, Some(id), target, None, utc)
}

fn deploy_of(
    answer: Answered,
    id: Option<&DeployId>,
    target: &Target,
    component: Option<&ComponentId>,
    utc: Option<Timestamp>,
) -> Result<Look, Signal> {
    let is_of_the_api = is_of_the_api(&answer);
    let absent = if component.is_some() { "no deploy yet" } else { "no such deploy" };
    let look = look(answer, utc, absent, |body| {
        let Object(answer): Object<Answer> = read(&body, "a deploy document")?;
        let deploy = answer.deploy().map_err(|why| Unreadable::Strange(why.into()))?;
        match (deploy, id) {
            (None, _) => match error_words(&body) {
                Some(words) => Err(Unreadable::Strange(format!("it is an error: {words}"))),
                None => Ok(Look::Absent(Miss::new("no deploy yet (an empty document)"))),
            },
            (Some(deploy), Some(id)) if deploy.id() != id => {
                Err(Unreadable::Foreign(format!("the answer is about deploy {}, not {id}", deploy.id())))
            }
            (Some(deploy), _) => Ok(match of_another(&deploy, &target.install, component) {
                Some(why) => Look::Another(Miss::new(why)),
                None => Look::Seen(Box::new(deploy), body.into()),
            }),
        }
    })?;
    Ok(match look {
        Look::Absent(miss) if !is_of_the_api && id.is_none() => {
            let why = format!("{}, and that is no answer of the API; is --api-url (NUON_API_URL) right?", miss.why);
            Look::Absent(Miss { why, ..miss })
        }
        look => look,
    })
}

/// Whether an answer is a document, or has the form in which the API tells an error.
fn is_of_the_api(answer: &Answered) -> bool {
    answer.as_ref().is_ok_and(|response| response.status == 200 || error_words(&response.body).is_some())
}

/// Which component a deploy is of, if the answer says so.
pub fn component_of(response: &Response) -> Option<(DeployId, ComponentId)> {
    #[derive(Deserialize)]
    struct Of {
        #[serde(default, deserialize_with = "id::optional")]
        id: Option<DeployId>,
        #[serde(default, deserialize_with = "id::optional")]
        component_id: Option<ComponentId>,
    }
    let Of { id, component_id } = serde_json::from_slice(&response.body).ok().filter(|_| response.status == 200)?;
    id.zip(component_id)
}

/// What a deploy says of itself, if it is of another install or component.
fn of_another(deploy: &Deploy, install: &InstallId, component: Option<&ComponentId>) -> Option<String> {
    let install = deploy.install_id.as_ref().filter(|got| *got != install);
    let component = deploy.component_id.as_ref().filter(|got| component.is_some_and(|wanted| *got != wanted));
    match (install, component) {
        (Some(install), _) => Some(format!("the deploy is of another install, {install}")),
        (None, Some(component)) => Some(format!("the deploy is of another component, {component}")),
        (None, None) => None,
    }
}

/// Reads the answer to a look at the workflow `id` of `target`.
///
/// # Errors
/// The signal that came in place of an answer.
pub fn workflow(answer: Answered, id: &WorkflowId, target: &Target, utc: Option<Timestamp>) -> Result<Look, Signal> {
    look(answer, utc, "no such workflow", |body| {
        let Object(workflow): Object<Workflow> = read(&body, "a workflow")?;
        if workflow.id.as_ref() != Some(id) {
            let got = workflow.id.map_or_else(String::new, |id| id.to_string());
            return Err(Unreadable::Foreign(format!("the document is of another workflow, \"{got}\"")));
        }
        if let Some(install) = workflow.installs().find(|install| *install != &*target.install) {
            return Ok(Look::Another(Miss::new(format!("the workflow {id} is of another install, {install}"))));
        }
        Ok(Look::Workflow(Box::new(workflow), body.into()))
    })
}

/// Reads the answer to a look at a branch run.
///
/// # Errors
/// The signal that came in place of an answer.
pub fn run(answer: Answered, run: &BranchRun, utc: Option<Timestamp>) -> Result<Look, Signal> {
    look(answer, utc, "no such branch run", |body| {
        let Object(workflow): Object<Workflow> = read(&body, "a workflow")?;
        match workflow.run(&run.run) {
            Some(id) => Ok(Look::Run(Box::new(workflow), id)),
            None => Err(Unreadable::Foreign(format!("the answer does not show that it is about the run {}", run.run))),
        }
    })
}

/// Reads the answer to a look at the installs that a branch run updates.
///
/// # Errors
/// The signal that came in place of an answer.
pub fn updated(answer: Answered, utc: Option<Timestamp>) -> Result<Look, Signal> {
    look(answer, utc, "no such branch run", |body| {
        let updated: Vec<Object<Updated>> = read(&body, "a list of installs")?;
        if updated.iter().any(|updated| updated.install.is_none()) {
            return Err(Unreadable::Strange("an install in the list has no id".into()));
        }
        Ok(Look::Updated(updated.into_iter().map(|Object(updated)| updated).collect()))
    })
}

/// Reads the answer to a look at the install of `target`. Only the API itself knows that there is none: a 404 that is not
/// its own says nothing.
///
/// # Errors
/// The signal that came in place of an answer.
pub fn install(answer: Answered, target: &Target, utc: Option<Timestamp>) -> Result<Look, Signal> {
    let is_of_the_api = is_of_the_api(&answer);
    let look = look(answer, utc, "no such install", |body| {
        let Object(install): Object<Install> = read(&body, "an install")?;
        match install.id {
            Some(id) if id == target.install => Ok(Look::Install(body.into())),
            _ => Err(Unreadable::Foreign("the answer is about another install".into())),
        }
    })?;
    Ok(match look {
        Look::Absent(miss) if !is_of_the_api => Look::Missed(miss),
        look => look,
    })
}

/// Reads the answer to a look at where a workflow stands in its queue.
///
/// # Errors
/// The signal that came in place of an answer.
pub fn queue(answer: Answered, utc: Option<Timestamp>) -> Result<Look, Signal> {
    look(answer, utc, "no queue", |body| {
        let Object(Place { position, queue_depth }) = read(&body, "a place in a queue")?;
        Ok(Look::Queue(position, queue_depth))
    })
}

/// Reads deploys that were listed.
///
/// # Errors
/// Why one of them is not a deploy.
pub fn deploys(listed: Vec<Value>) -> Result<Vec<Deploy>, String> {
    let read = |value: Value| {
        let Object(answer) = Object::<Answer>::deserialize(value).map_err(|error| error.to_string())?;
        answer.deploy()?.ok_or_else(|| "a deploy without an id".to_owned())
    };
    listed.into_iter().map(read).collect()
}

/// Reads any answer that is a JSON document, or gives the look that there is in its place.
///
/// # Errors
/// Every look that is not a document, or a signal.
pub fn json(answer: Answered, utc: Option<Timestamp>) -> Result<Value, Unread> {
    let mut found = Value::Null;
    match look(answer, utc, "not found", |body| {
        Unambiguous(found) = read(&body, "JSON")?;
        Ok(Look::Missed(Miss::default()))
    })? {
        Look::Missed(miss) if miss == Miss::default() => Ok(found),
        other => Err(other.into()),
    }
}

fn look(
    answer: Answered,
    utc: Option<Timestamp>,
    absent: &str,
    read: impl FnOnce(Vec<u8>) -> Result<Look, Unreadable>,
) -> Result<Look, Signal> {
    match answer {
        Ok(response) => Ok(answered(response, utc, absent, read)),
        Err(Fault::Transient(why)) => Ok(Look::Missed(Miss::new(why))),
        Err(Fault::Final(why)) => Ok(Look::Refused(Ending::BadAnswer, why)),
        Err(Fault::TooLarge) => {
            let why = "the answer is larger than --max-body (DEPLOY_GATE_MAX_BODY) allows".into();
            Ok(Look::Refused(Ending::BadAnswer, why))
        }
        Err(Fault::Interrupted(signal)) => Err(signal),
    }
}

/// What an answer of the server comes to, by its HTTP status.
fn answered(
    mut response: Response,
    utc: Option<Timestamp>,
    absent: &str,
    read: impl FnOnce(Vec<u8>) -> Result<Look, Unreadable>,
) -> Look {
    let body = if response.status == 200 { std::mem::take(&mut response.body) } else { Vec::new() };
    let miss = |why: String| Miss { retry_after: retry_after(&response, utc), ..Miss::new(why) };
    let said = || said(&response);
    match response.status {
        200 => match read(body) {
            Ok(Look::Absent(absent)) => Look::Absent(miss(absent.why)),
            Ok(Look::Another(another)) => Look::Another(miss(format!("200, but {}", another.why))),
            Ok(look) => look,
            Err(Unreadable::Deep) => {
                Look::Refused(Ending::BadAnswer, format!("the answer is nested more than {DEEPEST} levels deep"))
            }
            Err(Unreadable::Strange(why)) => Look::Missed(miss(format!("200, but {why}"))),
            Err(Unreadable::Foreign(why)) => Look::Missed(Miss { foreign: true, ..miss(format!("200, but {why}")) }),
        },
        404 => Look::Absent(miss(format!("{absent} ({})", said()))),
        401 => Look::Refused(
            Ending::Unauthorized,
            format!("the token is missing or expired (NUON_API_TOKEN, --token-file): {}", said()),
        ),
        403 if is_limit(&response) => Look::Missed(miss(said())),
        403 => Look::Refused(
            Ending::Forbidden,
            format!("the org is missing or wrong (--org, NUON_ORG_ID), or the token has no rights in it: {}", said()),
        ),
        408 | 409 | 425 | 429 | 500..=599 => Look::Missed(miss(said())),
        400..=499 => Look::Refused(Ending::BadAnswer, said()),
        304 => Look::Missed(miss(format!(
            "{}, though the gate keeps no copy: a cache on the way answers for the API",
            said()
        ))),
        300..=399 => {
            let to = response.header("location").unwrap_or("nowhere");
            let why = format!(
                "{} to {to}: redirects are followed only within the same origin, and the token never leaves it; \
                 is --api-url (NUON_API_URL) right?",
                said()
            );
            Look::Refused(Ending::BadAnswer, why)
        }
        _ => Look::Missed(miss(format!("{}, which is not the 200 that was expected", said()))),
    }
}

/// Whether a 403 only says that too much was asked.
fn is_limit(response: &Response) -> bool {
    response.header("retry-after").is_some() || said(response).to_lowercase().contains("rate limit")
}

enum Unreadable {
    Deep,
    Foreign(String),
    Strange(String),
}

/// Reads a whole JSON document, or says why these bytes are not one.
fn read<T: DeserializeOwned>(body: &[u8], what: &str) -> Result<T, Unreadable> {
    let text = std::str::from_utf8(body).map_err(|_| Unreadable::Strange("the body is not UTF-8".into()))?;
    if text.trim().is_empty() {
        return Err(Unreadable::Strange("the body is empty".into()));
    }
    // This reads any depth, and keeps nothing.
    if depth(body) > DEEPEST && serde_json::from_str::<IgnoredAny>(text).is_ok() {
        return Err(Unreadable::Deep);
    }
    if !text.trim_start().starts_with(['{', '[']) {
        return Err(Unreadable::Strange("the body is not JSON".into()));
    }
    serde_json::from_str(text).map_err(|error| {
        let what = if error.is_data() { format!("not {what}") } else { "not whole JSON".into() };
        Unreadable::Strange(format!("the body is {what} ({error})"))
    })
}

/// How deep brackets nest, outside of strings.
fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest, mut at) = (0_usize, 0, 0);
    while let Some(byte) = json.get(at) {
        at += 1;
        match byte {
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => at += after_string(json.get(at..).unwrap_or_default()),
            _ => {}
        }
    }
    deepest
}

/// How long the rest of a string is, with the quote that ends it.
fn after_string(rest: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = memchr::memchr2(b'"', b'\\', rest.get(at..).unwrap_or_default()) {
        at += found + 1;
        match rest[at - 1] {
            b'"' => return at,
            _ => at += 1,
        }
    }
    rest.len()
}

#[derive(Deserialize)]
struct Install {
    #[serde(default, deserialize_with = "id::optional")]
    id: Option<InstallId>,
}

#[derive(Deserialize)]
struct Place {
    #[serde(default)]
    position: u64,
    #[serde(default)]
    queue_depth: u64,
}

#[derive(Deserialize)]
struct Words {
    #[serde(default)]
    error: String,
    #[serde(default)]
    description: String,
}

/// What the server says went wrong, though it answered 200.
pub fn error_words(body: &[u8]) -> Option<String> {
    let words: Words = serde_json::from_slice(body).ok()?;
    let words: Vec<String> = [words.error, words.description].into_iter().filter(|words| !words.is_empty()).collect();
    (!words.is_empty()).then(|| words.join(": "))
}

/// The status line, and the server's own words where it has any.
pub fn said(response: &Response) -> String {
    let line = match phrase(response.status) {
        "" => response.status.to_string(),
        phrase => format!("{} {phrase}", response.status),
    };
    // Words that could hold a secret which can no longer be found by its name are not told.
    let words = match serde_json::from_slice::<Words>(&response.body) {
        Ok(_) => error_words(&response.body).unwrap_or_default(),
        // A load balancer's page says no more than its status line.
        Err(_) if response.body.trim_ascii_start().starts_with(b"<") => String::new(),
        Err(_) => String::from_utf8_lossy(&response.body).trim().to_owned(),
    };
    let words = if sensitive::mentions_secret(&words) { String::new() } else { words };
    match words.chars().count() {
        0 => line,
        1..=300 => format!("{line}: {words}"),
        _ => format!("{line}: {}…", words.chars().take(300).collect::<String>()),
    }
}

fn phrase(status: u16) -> &'static str {
    ureq::http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or_default()
}

/// How long the server wants to be left alone by everybody who asks: zero if it has too much to do and does not say.
pub fn overload(response: &Response, utc: Option<Timestamp>) -> Option<Duration> {
    match (response.status, retry_after(response, utc)) {
        (200, _) => None,
        (429, wait) => Some(wait.unwrap_or_default()),
        (_, wait) => wait,
    }
}

/// `Retry-After`: seconds, or an HTTP date, which is read against the server's own `Date` so that clocks may differ.
fn retry_after(response: &Response, utc: Option<Timestamp>) -> Option<Duration> {
    let date = |text| jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text).ok();
    let value = response.header("retry-after")?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = date(value)?;
    let now = response.header("date").and_then(|now| date(now.trim())).or(utc)?;
    Some(Duration::try_from(until.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        Target::of_latest("/v1/installs/inl1/components/cmp1/deploys/latest").expect("a target")
    }

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Look {
        let response = Response {
            status,
            headers: headers.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect(),
            body: body.into(),
        };
        deploy(Ok(response), None, &target(), "2026-01-14T16:00:00Z".parse().ok()).expect("no signal")
    }

    #[test]
    fn every_answer_has_its_effect() {
        let cases: &[(u16, &str, &str)] = &[
            (200, r#"{"id":"dpl1"}"#, "seen"),
            (200, r#"{"id":"dpl1","status_v2":null}"#, "seen"),
            (200, r#"{"install_id":"","plan_only":false}"#, "absent"),
            (200, r#"{"id":""}"#, "absent"),
            (404, "404 page not found", "absent"),
            (401, "{}", "refused unauthorized"),
            (403, "{}", "refused forbidden"),
            (400, "", "refused bad-answer"),
            (410, "", "refused bad-answer"),
            (422, "", "refused bad-answer"),
            (302, "", "refused bad-answer"),
            (408, "", "missed"),
            (409, "", "missed"),
            (425, "", "missed"),
            (429, "", "missed"),
            (500, "", "missed"),
            (503, "<html>", "missed"),
            (204, "", "missed"),
            (206, r#"{"id":"dpl1"}"#, "missed"),
            (200, "", "missed"),
            (200, "<html>", "missed"),
            (200, "null", "missed"),
            (200, "[]", "missed"),
            (200, r#"["dpl1"]"#, "missed"),
            (200, r#"{"id":"dpl1","status_v2":["active"]}"#, "missed"),
            (200, r#"{"id":"dpl1""#, "missed"),
            (200, r#"{"id":"dpl1"} {"id":"dpl2"}"#, "missed"),
            (200, r#"{"id":5}"#, "missed"),
            (200, r#"{"id":"   "}"#, "missed"),
            (200, r#"{"id":"dpl\u0000"}"#, "missed"),
            (200, r#"{"id":"dpl1","workflow_id":" "}"#, "missed"),
            (200, r#"{"id":"dpl1","id":"dpl2"}"#, "missed"),
            (200, r#"{"id":"dpl1","status_v2":"active"}"#, "missed"),
            (200, r#"{"id":"dpl1","status_v2":{"status":1}}"#, "missed"),
            (200, r#"{"id":"dpl1","install_id":"inl2"}"#, "another"),
            (200, r#"{"id":"dpl1","install_id":"inl1","component_id":"cmp2"}"#, "another"),
        ];
        for (status, body, want) in cases {
            let got = match answer(*status, &[], body) {
                Look::Seen(..) => "seen".into(),
                Look::Another(_) => "another".into(),
                Look::Absent(_) => "absent".into(),
                Look::Missed(_) => "missed".into(),
                Look::Refused(ending, _) => format!("refused {}", ending.reason()),
                _ => "something else".into(),
            };
            assert_eq!(&got, want, "{status} {body}");
        }
    }

    #[test]
    fn nesting_is_measured_outside_of_strings() {
        let nested = |levels: usize| format!(r#"{{"id":"dpl1","x":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
        assert!(matches!(answer(200, &[], &nested(126)), Look::Seen(..)));
        assert!(matches!(answer(200, &[], &nested(127)), Look::Refused(Ending::BadAnswer, _)));
        assert!(matches!(answer(200, &[], &nested(100_000)), Look::Refused(Ending::BadAnswer, _)));
        let quoted = format!(r#"{{"id":"dpl1","x":"\"{}"}}"#, "[".repeat(500));
        assert!(matches!(answer(200, &[], &quoted), Look::Seen(..)));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let cases: &[(&[(&str, &str)], Option<u64>)] = &[
            (&[("retry-after", "7")], Some(7)),
            (&[("retry-after", "Wed, 14 Jan 2026 16:01:30 GMT")], Some(90)),
            (&[("retry-after", "Wed, 14 Jan 2026 15:00:00 GMT")], Some(0)),
            (&[("retry-after", "Wed, 14 Jan 2026 16:01:30 GMT"), ("date", "Wed, 14 Jan 2026 16:01:00 GMT")], Some(30)),
            (&[("retry-after", "soon")], None),
            (&[("retry-after", "-1")], None),
            (&[], None),
        ];
        for (headers, want) in cases {
            let Look::Missed(miss) = answer(429, headers, "") else { panic!("a 429 is transient") };
            assert_eq!(miss.retry_after, want.map(Duration::from_secs), "{headers:?}");
        }
    }

    #[test]
    fn the_servers_own_words_are_told() {
        let Look::Refused(_, why) = answer(403, &[], r#"{"error":"org not found"}"#) else { panic!("403 is final") };
        assert!(why.starts_with("the org is missing or wrong"), "{why}");
    }
}
