//! Why a deploy failed, in the server's own words. Pure.

use serde::Serialize;
use serde_json::Value;

use crate::nuon::cause::cause;
use crate::nuon::reason::{build, composite};
use crate::nuon::workflow::Workflow;

/// What the server says about a failure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The step of the workflow that failed, or `""`.
    pub step: String,
    /// The server's words, the most telling first.
    pub words: Vec<String>,
    /// The last lines of the deploy's own log, the oldest first.
    pub log: Vec<String>,
}

impl Failure {
    /// Reads what the deploy and its workflow say.
    pub fn new(id: &str, deploy: Option<&Value>, workflow: Option<&Workflow>) -> Self {
        let mut failure = Self::default();
        let mut words: Vec<String> = Vec::new();
        let told = |value: &Value| value.as_str().filter(|words| !words.is_empty()).map(ToOwned::to_owned);
        if let Some(step) = workflow.and_then(|workflow| workflow.culprit(id)) {
            failure.step = step.name().into();
            words.extend(step.words());
        }
        if let Some(deploy) = deploy {
            words.extend(composite(&deploy["composite_error"]));
            words.extend(build(&deploy["component_build"]));
        }
        words.extend(
            workflow
                .and_then(|workflow| workflow.status.as_ref())
                .map(|status| composite(status.composite_error.as_ref().unwrap_or(&Value::Null)))
                .unwrap_or_default(),
        );
        if let Some(deploy) = deploy {
            let job = &deploy["runner_jobs"][0];
            let status = told(&job["status"]).unwrap_or_else(|| "without a status".into());
            // One that went well is no reason.
            let failed = told(&job["status_description"]).filter(|_| status != "finished");
            words.extend(failed.map(|words| format!("runner job {status}: {words}")));
        }
        let says_nothing =
            |words: &String| words.to_lowercase().starts_with("step failed") || words == "runner job failed: failed";
        let telling = words.iter().any(|words| !says_nothing(words));
        for word in words.into_iter().filter(|words| !telling || !says_nothing(words)) {
            // What a longer one says already is not told again.
            if !failure.words.iter().any(|told| told.contains(&word)) {
                failure.words.push(word);
            }
        }
        failure
    }

    /// The words as a person reads them, each once.
    pub fn told(&self) -> Vec<String> {
        let mut told: Vec<String> = Vec::new();
        for words in self.words.iter().map(|words| cause(words)).filter(|words| !words.is_empty()) {
            if !told.iter().any(|before| before.contains(&words)) {
                told.push(words);
            }
        }
        told
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The log stream to read: that of the newest runner job, since the deploy's own may be one of an earlier try.
pub fn log_stream(deploy: &Value) -> Option<&str> {
    let streams = [&deploy["runner_jobs"][0]["log_stream_id"], &deploy["log_stream"]["id"]];
    streams.into_iter().filter_map(Value::as_str).find(|id| !id.is_empty())
}

/// The last `most` lines of a page of log records, which comes with the newest first and may hold several lines each.
pub fn log_lines(records: &Value, most: usize) -> Vec<String> {
    let records = records.as_array().map(Vec::as_slice).unwrap_or_default();
    let told = |record: &Value| {
        let severity = record["severity_text"].as_str().unwrap_or_default();
        let body = record["body"].as_str().unwrap_or_default().trim_end();
        if matches!(severity, "" | "info") { body.to_owned() } else { format!("{severity}: {body}") }
    };
    let records: Vec<String> = records.iter().take(most).map(told).collect();
    let lines: Vec<String> = records.iter().rev().flat_map(|record| record.lines()).map(ToOwned::to_owned).collect();
    lines[lines.len().saturating_sub(most)..].to_vec()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_newest_job_and_the_last_lines() {
        let deploy = json!({"runner_jobs": [{"log_stream_id": "log2", "status": "failed", "status_description": "timeout"}, {"log_stream_id": "log1"}], "log_stream": {"id": "log0"}});
        assert_eq!(log_stream(&deploy), Some("log2"));
        assert_eq!(log_stream(&json!({"log_stream": {"id": "log0"}})), Some("log0"));
        assert_eq!(log_stream(&json!({})), None);
        let records = json!([{"severity_text": "error", "body": "c\nd\n"}, {"severity_text": "info", "body": "b"}, {"body": "a"}]);
        assert_eq!(log_lines(&records, 2), ["error: c", "d"]);
        assert_eq!(log_lines(&records, 9), ["a", "b", "error: c", "d"]);
        assert_eq!(Failure::new("dpl1", Some(&deploy), None).words, ["runner job failed: timeout"]);
    }
}
