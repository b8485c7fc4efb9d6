//! `--workflow @FILE`: the id of the workflow, out of the saved answer of whatever triggered the deploy. Pure.
//!
//! Servers of 2025 give it in a header, those of 2026 in the body, so either is taken: what `curl -i` or `curl -D -` wrote,
//! or a JSON object alone. An answer without an id must never become a gate without the pin.

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
    let answer = answer(text)?;
    if !(200..=299).contains(&answer.status) {
        return Err(format!("the response in it is an error, so nothing was triggered: {}", look::said(&answer)));
    }
    // Of two members of one name nobody knows which is meant.
    let body = serde_json::from_slice(&answer.body).map_or(Value::Null, |Unambiguous(body)| body);
    if body["error"].as_str().is_some_and(|error| !error.is_empty()) {
        return Err(format!(
            "the response in it is an error, so nothing was triggered: {}",
            look::error_words(&answer.body).unwrap_or_default()
        ));
    }
    let headers = answer.headers.iter().filter(|(name, _)| name == HEADER).map(|(_, id)| id.trim());
    let members = MEMBERS.iter().filter_map(|name| body[name].as_str());
    let mut ids: Vec<&str> = headers.chain(members).filter(|id| !id.is_empty()).collect();
    ids.dedup();
    let id = match ids.as_slice() {
        [id] => id,
        [] => return Err(format!("there is no id of a workflow in it: {}", held(&answer, &body))),
        several => return Err(format!("it names several workflows: {}", several.join(", "))),
    };
    pin::parse_id(id).map_err(|why| format!("the workflow in it is \"{id}\": {why}"))
}

/// The last answer in a text: before it can be those of a proxy, of redirects, and `100 Continue`.
fn answer(text: &str) -> Result<Response, String> {
    let mut rest = text;
    let mut answer = Response { status: 200, headers: Vec::new(), body: text.into() };
    while rest.starts_with("HTTP/") {
        let (head, body) = match (rest.find("\r\n\r\n"), rest.find("\n\n")) {
            (Some(end), other) if other.is_none_or(|other| end < other) => (&rest[..end], &rest[end + 4..]),
            (_, Some(end)) => (&rest[..end], &rest[end + 2..]),
            (_, None) => (rest, ""),
        };
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split_whitespace().nth(1)).and_then(|code| code.parse().ok());
        let status = status.ok_or("it begins like an answer of HTTP, but has no status")?;
        let headers = lines.filter_map(|line| line.split_once(':'));
        let headers = headers.map(|(name, value)| (name.trim().to_lowercase(), value.trim().to_owned())).collect();
        answer = Response { status, headers, body: body.trim().into() };
        rest = body;
    }
    Ok(answer)
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
            (r#"{"workflow_id":"inw0000000001","workflow_id":"inw0000000002"}"#, "not JSON"),
            (r#"{"workflow_id":"inw0000000001","install_workflow_id":"inw0000000002"}"#, "several workflows"),
            (
                "HTTP/1.1 201\r\nx-nuon-install-workflow-id: inw0000000001\r\nX-Nuon-Install-Workflow-ID: inw0000000002\r\n\r\n",
                "several workflows",
            ),
            (r#"{"workflow_id":"inwnztgar4jedomg55ecfkfgzu"} {}"#, "not JSON"),
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
