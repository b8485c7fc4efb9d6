//! An in-toto Statement v1 with the predicate `test-result/v0.1`, unsigned: what was tested, and what came of it. Pure.
//!
//! Its tests are those of the JUnit report. See <https://github.com/in-toto/attestation>.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::cases::{End, cases};
use super::result::{DeploySeen, Report, Verdict};
use crate::base::digest;
use crate::base::outcome::Ending;
use crate::text::escape;

/// Something by its digest: name, algorithm, digest.
type Subject = (String, &'static str, String);

/// Renders the statement.
pub fn render(report: &Report) -> String {
    // Of a run that passed, only what passed: a target that did not have to is no part of it.
    let is_meant = |verdict: &&Verdict| report.ending != Ending::Passed || verdict.is_pass();
    let mut subjects: BTreeSet<Subject> = report.targets.iter().filter(is_meant).flat_map(self::subjects).collect();
    if subjects.is_empty() {
        // A statement is about something: where the targets could not be listed, about the run.
        let result = serde_json::to_vec(report).unwrap_or_default();
        subjects.insert(("deploy-gate run".into(), "sha256", digest::sha256(&result)));
    }
    let subjects =
        subjects.into_iter().map(|(name, algorithm, digest)| json!({"name": name, "digest": {algorithm: digest}}));
    let cases = cases(report);
    let names = |wanted: fn(&End) -> bool| -> Vec<&str> {
        cases.iter().filter(|case| wanted(&case.end)).map(|case| case.name.as_str()).collect()
    };
    let passed = names(|end| matches!(end, End::Passed(_)));
    let warned = names(|end| matches!(end, End::Warning(_)));
    let failed = names(|end| matches!(end, End::Failure { .. } | End::Error { .. }));
    // What is tolerated, and a shard without a target, which tests nothing, are no PASSED.
    let is_whole = !report.targets.is_empty() && report.targets.iter().all(Verdict::is_pass);
    let is_plain =
        read_otherwise(report).is_empty() && report.targets.iter().all(|verdict| verdict.warnings.is_empty());
    let result = match report.ending {
        Ending::Passed if is_whole && is_plain && warned.is_empty() => "PASSED",
        Ending::Passed => "WARNED",
        _ => "FAILED",
    };
    let mut predicate = json!({
        "result": result,
        "configuration": configuration(report),
        "passedTests": passed,
        "warnedTests": warned,
        "failedTests": failed,
    });
    if !report.run_url.is_empty() {
        predicate["url"] = escape::url(&report.run_url).into();
    }
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects.collect::<Vec<_>>(),
        "predicateType": "https://in-toto.io/attestation/test-result/v0.1",
        "predicate": predicate,
    });
    escape::json(&format!("{statement:#}")) + "\n"
}

/// What of a target was tested: its artifacts and its commits. Where neither is known by a digest, the deploy by the
/// document that was judged; where nothing was judged, the target by its row of the JSON result.
fn subjects(verdict: &Verdict) -> Vec<Subject> {
    let deploys = verdict.deploy.iter().chain(verdict.deploys.iter().map(|member| &member.deploy));
    let commit = |deploy: &DeploySeen| {
        let is_one = digest::is_hex(&deploy.commit, 40) || digest::is_hex(&deploy.commit, 64);
        is_one.then(|| (format!("build {}", deploy.build_id), "gitCommit", deploy.commit.to_ascii_lowercase()))
    };
    let artifacts = verdict.judged.iter().flat_map(|judged| &judged.artifacts);
    let artifacts = artifacts.map(|(name, digest)| (name.clone(), "sha256", digest.clone()));
    let all: Vec<Subject> = artifacts.chain(deploys.clone().filter_map(commit)).collect();
    match (&verdict.judged, deploys.last()) {
        _ if !all.is_empty() => all,
        (Some(judged), Some(deploy)) => vec![(format!("deploy {}", deploy.id), "sha256", judged.document.clone())],
        _ => {
            let row = serde_json::to_vec(verdict).unwrap_or_default();
            vec![(format!("{} / {}", verdict.install, verdict.component), "sha256", digest::sha256(&row))]
        }
    }
}

/// What was asked for: how the server was read, where that is not the rule, which deploy, and the assertions, each once.
fn configuration(report: &Report) -> Vec<Value> {
    let named = |name: &str, text: &str| json!({"name": name, "digest": {"sha256": digest::sha256(text.as_bytes())}, "annotations": {"text": text}});
    let mut all: Vec<Value> = read_otherwise(report).into_iter().map(|flag| named("read otherwise", flag)).collect();
    all.extend(report.targets.iter().map(|verdict| {
        named("target", &format!("{} / {}, chosen by {}", verdict.install, verdict.component, verdict.belief))
    }));
    all.extend(assertions(report));
    all
}

/// The flags by which the server was read otherwise than it is as a rule; the verdicts name them.
fn read_otherwise(report: &Report) -> Vec<&'static str> {
    let says = |flag: &&str| report.targets.iter().any(|verdict| verdict.message.contains(flag));
    ["--until applied", "--status"].into_iter().filter(says).collect()
}

fn assertions(report: &Report) -> Vec<Value> {
    let all = report.targets.first().map_or(&[][..], |verdict| &verdict.assertions);
    let told = all.iter().map(|check| {
        json!({
            "name": check.title(),
            "digest": {"sha256": digest::sha256(check.expression.as_bytes())},
            "annotations": {"expression": check.expression, "enforcement": check.enforcement},
        })
    });
    told.collect()
}
