//! `--workflow @FILE`: the id of the workflow, out of the saved answer of whatever triggered the deploy. Pure.
//!
//! Servers of 2025 give it in a header, those of 2026 in the body, so either is taken: what `curl -i` or `curl -D -` wrote,
//! or a JSON object alone. An answer without an id must never become a gate without the pin.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::base::object::Unambiguous;
use crate::base::source::Response;
use crate::nuon::id::WorkflowId;
use crate::nuon::look;
use crate::watch::pin;

/// Where servers of 2025 give it.
const HEADER: &str = "x-nuon-install-workflow-id";
/// Where servers of 2026 give it, the newer name first.
const MEMBERS: [&str; 2] = ["workflow_id", "install_workflow_id"];

/// The id of the workflow that was triggered.
///
/// # Errors
/// The trigger was refused, or what the file holds in place of an id.
pub fn workflow(text: &str) -> Result<WorkflowId, String> {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let answers = answers(text)?;
    let refused =
        |words: &str| Err(format!("the response in it is an error, so nothing was triggered: {}", words.trim()));
    // Before the last can be those of a proxy, of redirects, of tries that failed, and `100 Continue`.
    let Some((last, before)) = answers.split_last() else { return Err("it is empty".into()) };
    if !is_good(last) {
        return refused(&look::said(last));
    }
    let body = body(last)?;
    if ![Value::Null, false.into(), "".into()].contains(&body["error"]) {
        return refused(&look::error_words(&last.body).unwrap_or_else(|| body["error"].to_string()));
    }
    let found = ids(last, &body);
    // What an earlier answer triggered may not be what is meant.
    let earlier = before.iter().filter(|answer| is_good(answer)).flat_map(|answer| match self::body(answer) {
        Ok(body) => ids(answer, &body),
        Err(_) => Vec::new(),
    });
    let all: BTreeSet<String> = found.iter().cloned().chain(earlier).collect();
    match (found.first(), all.len()) {
        (None, _) => Err(format!("there is no id of a workflow in it: {}", held(last, &body))),
        (Some(id), 1) => pin::parse_id(id).map_err(|why| format!("the workflow in it is \"{id}\": {why}")),
        _ => Err(format!("it names several workflows: {}", Vec::from_iter(all).join(", "))),
    }
}

fn is_good(answer: &Response) -> bool {
    (200..=299).contains(&answer.status)
}

/// The body as JSON, `null` where it is none.
///
/// # Errors
/// It is cut off, or says one thing twice: nobody knows which is meant.
fn body(answer: &Response) -> Result<Value, String> {
    match serde_json::from_slice(&answer.body) {
        Ok(Unambiguous(body)) => Ok(body),
        Err(error) if answer.body.starts_with(b"{") => Err(format!("its body is not one whole object: {error}")),
        Err(_) => Ok(Value::Null),
    }
}

/// Every id of a workflow in an answer.
fn ids(answer: &Response, body: &Value) -> Vec<String> {
    let headers = answer.headers.iter().filter(|(name, _)| name == HEADER).map(|(_, id)| id.trim());
    let members = MEMBERS.iter().filter_map(|name| body[name].as_str());
    headers.chain(members).filter(|id| !id.is_empty()).map(str::to_owned).collect()
}

/// Every answer in a text, in its order; a text that does not begin like one is the body of one.
fn answers(text: &str) -> Result<Vec<Response>, String> {
    if !text.starts_with("HTTP/") {
        return Ok(vec![Response { status: 200, headers: Vec::new(), body: text.trim().into() }]);
    }
    let begins: Vec<usize> = text.match_indices("HTTP/").map(|(at, _)| at).filter(|at| begins(text, *at)).collect();
    let ends = begins.iter().skip(1).copied().chain([text.len()]);
    begins.iter().zip(ends).map(|(begin, end)| answer(&text[*begin..end])).collect()
}

/// Whether an answer begins where `HTTP/` stands: on a line of its own, or right behind the body before it.
fn begins(text: &str, at: usize) -> bool {
    let is_status = |line: &str| line.split_whitespace().nth(1).is_some_and(|code| code.parse::<u16>().is_ok());
    at == 0 || text[at..].lines().next().is_some_and(is_status) && text[..at].ends_with(['\n', '}', '"', '>'])
}

fn answer(text: &str) -> Result<Response, String> {
    let (head, body) = match (text.find("\r\n\r\n"), text.find("\n\n")) {
        (Some(end), other) if other.is_none_or(|other| end < other) => (&text[..end], &text[end + 4..]),
        (_, Some(end)) => (&text[..end], &text[end + 2..]),
        (_, None) => (text, ""),
    };
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split_whitespace().nth(1)).and_then(|code| code.parse().ok());
    let status = status.ok_or("it begins like an answer of HTTP, but has no status")?;
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.trim().to_lowercase(), value.trim().to_owned())).collect();
    Ok(Response { status, headers, body: body.trim().into() })
}

/// What there is in place of an id.
fn held(answer: &Response, body: &Value) -> String {
    let headers = if answer.headers.is_empty() { "" } else { "headers without X-Nuon-Install-Workflow-ID, and " };
    let body = match body {
        _ if answer.body.trim_ascii().is_empty() => "no body (save the whole answer, as curl -i writes it)".to_owned(),
        Value::Object(members) => {
            let names: Vec<&str> = members.keys().map(String::as_str).take(12).collect();
            format!("an object without workflow_id; it has {}", names.join(", "))
        }
        Value::Array(_) => "a list".into(),
        Value::Null => "text that is not JSON".into(),
        value => format!("the value {value}"),
    };
    format!("{headers}{body}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_shape_of_an_answer_gives_the_id() {
        let id = "inwnztgar4jedomg55ecfkfgzu";
        let body = format!(r#"{{"id":"dpl1","workflow_id":"{id}"}}"#);
        for text in [
            format!("HTTP/2 201 \r\nx-nuon-install-workflow-id: {id}\r\n\r\n\"ok\""),
            format!("HTTP/1.1 201 Created\r\nX-Nuon-Install-Workflow-ID: {id}\r\ncontent-type: a\r\n\r\n"),
            format!("HTTP/1.1 201 Created\nX-Nuon-Install-Workflow-ID:{id}\n\n"),
            format!(
                "HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\na: b\r\n\r\n{body}"
            ),
            format!("HTTP/1.1 201 Created\r\nx-nuon-install-workflow-id: {id}\r\n\r\n{body}"),
            // A redirect that was followed, a try that was repeated.
            format!(
                "HTTP/1.1 307 Moved\r\nlocation: /x\r\n\r\n<a href=x>\nHTTP/1.1 503 Busy\r\n\r\nbusy\nHTTP/2 201\r\n\r\n{body}"
            ),
            body.clone(),
            format!("\u{feff}\n{body}\n"),
            format!(r#"{{"install_workflow_id":"{id}","workflow_id":""}}"#),
        ] {
            assert_eq!(workflow(&text).as_deref().ok(), Some(id), "{text}");
        }
    }

    #[test]
    fn whatever_gives_no_id_is_refused_and_named() {
        for (text, words) in [
            ("", "no body"),
            ("ok", "not JSON"),
            ("\"ok\"", "the value \"ok\""),
            ("<html>502</html>", "not JSON"),
            ("[]", "a list"),
            (r#"{"id":"dpl1"}"#, "it has id"),
            (r#"{"workflow_id":null}"#, "it has workflow_id"),
            (r#"{"workflow_id":"null"}"#, "is \"null\""),
            (r#"{"error":"org not found"}"#, "org not found"),
            (r#"{"error":"runner offline","workflow_id":"inwnztgar4jedomg55ecfkfgzu"}"#, "runner offline"),
            (r#"{"workflow_id":"inw0000000001","workflow_id":"inw0000000002"}"#, "is there twice"),
            (
                r#"{"error":{"code":7},"workflow_id":"inwnztgar4jedomg55ecfkfgzu"}"#,
                "nothing was triggered: {\"code\":7}",
            ),
            (r#"{"error":true,"workflow_id":"inwnztgar4jedomg55ecfkfgzu"}"#, "nothing was triggered: true"),
            (
                "HTTP/1.1 201\r\nx-nuon-install-workflow-id: inw0000000001\r\n\r\n{\"workflow_id\":\"inw0000000002\",",
                "not one whole object",
            ),
            // Several answers, one behind the other.
            (
                "HTTP/1.1 201\r\nx-nuon-install-workflow-id: inw0000000001\r\n\r\n{}HTTP/1.1 409 Conflict\r\n\r\n{\"error\":\"busy\"}",
                "nothing was triggered: 409 Conflict: busy",
            ),
            (
                "HTTP/1.1 201\n\n{\"workflow_id\":\"inw0000000001\"}\nHTTP/1.1 201\n\n{\"workflow_id\":\"inw0000000002\"}\n",
                "several workflows: inw0000000001, inw0000000002",
            ),
            ("HTTP/1.1 201\n\n{\"workflow_id\":\"inw0000000001\"}\nHTTP/1.1 201\n\n{}\n", "no id of a workflow"),
            (r#"{"workflow_id":"inw0000000001","install_workflow_id":"inw0000000002"}"#, "several workflows"),
            (
                "HTTP/1.1 201\r\nx-nuon-install-workflow-id: inw0000000001\r\nX-Nuon-Install-Workflow-ID: inw0000000002\r\n\r\n",
                "several workflows",
            ),
            (r#"{"workflow_id":"inwnztgar4jedomg55ecfkfgzu"} {}"#, "not one whole object"),
            ("HTTP/1.1 201 Created\r\na: b\r\n\r\n", "no body"),
            ("HTTP/1.1 409 Conflict\r\n\r\n{\"error\":\"runner offline\"}", "409 Conflict: runner offline"),
            (
                "HTTP/1.1 403 Forbidden\r\nx-nuon-install-workflow-id: inwnztgar4jedomg55ecfkfgzu\r\n\r\n",
                "nothing was triggered: 403",
            ),
            (
                "HTTP/1.1 302 Found\r\nx-nuon-install-workflow-id: inwnztgar4jedomg55ecfkfgzu\r\n\r\n",
                "nothing was triggered: 302",
            ),
            (
                "HTTP/1.1 201\r\nx-nuon-install-workflow-id: inw0000000001\r\n\r\n{\"workflow_id\":\"inw0000000002\"}",
                "several workflows: inw0000000001, inw0000000002",
            ),
            ("HTTP/1.1\r\n\r\n", "no status"),
        ] {
            let why = workflow(text).expect_err(text);
            assert!(why.contains(words), "{text}: {why}");
        }
    }
}
