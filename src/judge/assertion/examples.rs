//! Assertions as users write them about a deploy, and the same with one mistake each: what comes of them.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Assertion, Evaluation, Truth};
use crate::judge::document::Document;

/// A deploy that went well although one of its steps failed.
fn deploy() -> Value {
    let step = |name: &str, status: &str| {
        json!({"id": format!("iws{name}"), "name": name, "created_by": {}, "group_retry_idx": 0, "idx": name.len(),
            "status": {"status": status, "metadata": {"step_idx": "1"}}, "started_at": "2026-01-14T16:02:10.5Z"})
    };
    let mut steps = vec![step("sync", "success"), step("plan api", "approved"), step("apply api", "error")];
    steps[0].as_object_mut().map(|step| step.shift_remove("idx"));
    json!({
        "id": "dpl1", "install_id": "inl1", "component_name": "api", "component_config_version": 3,
        "install_deploy_type": "apply", "plan_only": false, "status": "active", "outputs": {
            "url": {"sensitive": false, "type": "string", "value": "https://api.example.com"},
            "zones": ["a", "b"], "replicas": 3,
        },
        "created_at": "2026-01-14T16:02:09.013341Z",
        "status_v2": {"status": "active", "status_human_description": "finished", "history": [{"status": "planning"}]},
        "oci_artifact": {"tag": "v1.2.3"}, "action_workflow_runs": [], "runner_jobs": [{"status": "finished"}],
        "component_build": {"status": "active", "vcs_connection_commit": {"sha": "0123456789", "message": "fix"}},
        "workflow": {"id": "inw1", "plan_only": false, "finished": true, "status": {"status": "success"}, "steps": steps},
    })
}

/// What comes of it before the wait: the refusals, and the warnings.
fn before(text: &str) -> (Assertion, String, String) {
    let assertion: Assertion = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    let (refusals, warnings) = (assertion.refusals().join("\n"), assertion.warnings().join("\n"));
    (assertion, refusals, warnings)
}

fn judged(assertion: Assertion) -> super::Check {
    let document = Arc::new(Document::of(deploy()).expect("a document"));
    Evaluation::start([assertion], &document).finish().expect("the engines agree").remove(0)
}

#[test]
fn assertions_as_they_are_meant() {
    for (text, want) in [
        ("$.plan_only == false", Truth::True),
        ("$.plan_only == false && $.workflow.plan_only == false", Truth::True),
        ("$.install_deploy_type == 'apply'", Truth::True),
        ("$.status_v2.status == 'active' || $.status_v2.status == 'auto-skipped'", Truth::True),
        ("$.component_name == 'api' && match($.oci_artifact.tag, 'v[0-9]+.*')", Truth::True),
        ("!$.oci_artifact || search($.oci_artifact.tag, '^v1')", Truth::True),
        ("$.component_config_version >= 3", Truth::True),
        ("$.created_by_id == 'acc1'", Truth::Vacuous),
        ("!$.release_id", Truth::True),
        ("$.workflow.status.status == 'success'", Truth::True),
        ("$.workflow.finished == true", Truth::True),
        ("count($.workflow.steps[*]) > 2", Truth::True),
        ("!$.workflow.steps[?@.status.status == 'error']", Truth::False),
        ("count($.workflow.steps[?@.status.status == 'error']) == 1", Truth::True),
        ("!$.workflow.steps[?@.retried == true]", Truth::True),
        (
            "!$.workflow.steps[?@.status.status == 'error' && @.status.metadata.skipped_on_failure != true]",
            Truth::False,
        ),
        ("$.workflow.steps[?@.name == 'apply api' && @.status.status == 'success']", Truth::False),
        ("!$.action_workflow_runs[?@.status_v2.status == 'error']", Truth::True),
        ("!$.runner_jobs[?@.status == 'failed' || @.status == 'timed-out']", Truth::True),
        ("!$..composite_error", Truth::True),
        ("match($.component_build.vcs_connection_commit.sha, '0123456.*')", Truth::True),
        ("$.outputs.url.value == 'https://api.example.com'", Truth::True),
        ("$.outputs.replicas >= 2 && length($.outputs.zones) == 2", Truth::True),
        ("$.outputs.zones[?@ == 'b']", Truth::True),
        ("!$.outputs.anything", Truth::True),
        ("length($.component_name) < 20", Truth::True),
        ("value($.workflow.steps[?@.name == 'sync'].status.status) == 'success'", Truth::True),
        ("!$.component_build.is_preview", Truth::True),
        ("$.component_build.is_preview != true", Truth::True),
    ] {
        let (assertion, refusals, warnings) = before(text);
        assert_eq!((refusals.as_str(), warnings.as_str()), ("", ""), "{text}");
        assert_eq!(judged(assertion).outcome, want, "{text}");
    }
}

#[test]
fn assertions_with_one_mistake_are_refused_with_what_to_write() {
    for (text, why, instead) in [
        (
            "!$.workflow.steps[?@.status == 'error']",
            "this compares an object (@.status) with a text, which are never equal",
            "!$.workflow.steps[?@.status.status == 'error']",
        ),
        (
            "$.workflow.status != 'error'",
            "this compares an object ($.workflow.status) with a text, which are never equal",
            "$.workflow.status.status != 'error'",
        ),
        (
            "count($.workflow.steps[?@.status == 'error']) == 0",
            "this compares an object (@.status) with a text",
            "count($.workflow.steps[?@.status.status == 'error']) == 0",
        ),
        (
            "!$.workflow.steps[?match(@.status, 'err.*')]",
            "@.status is an object, and match() and search() look at texts",
            "!$.workflow.steps[?match(@.status.status, 'err.*')]",
        ),
        ("!$.workflow.steps[?search(@.idx, '2')]", "@.idx is a number, and match() and search() look at texts", ""),
        (
            "count($.action_workflow_runs) > 0",
            "$.action_workflow_runs is one value, so count() of it says nothing",
            "count($.action_workflow_runs[*]) > 0",
        ),
        ("$.status_v2 == 'active'", "an object ($.status_v2) with a text", "$.status_v2.status == 'active'"),
        ("'active' == $.status_v2", "a text with an object ($.status_v2)", "'active' == $.status_v2.status"),
        (
            "$.component_config_version == '3'",
            "a number ($.component_config_version) with a text",
            "$.component_config_version == 3",
        ),
        ("$.component_name == 3", "a text ($.component_name) with a number", "$.component_name == '3'"),
        ("$.plan_only == 'false'", "a boolean ($.plan_only) with a text", "$.plan_only == false"),
        (
            "!$.workflow.steps[?@.retried == false]",
            "the server leaves @.retried out when it is false",
            "!$.workflow.steps[?@.retried != true]",
        ),
        (
            "$.workflow.finished == false",
            "the server leaves $.workflow.finished out when it is false",
            "$.workflow.finished != true",
        ),
        ("$.workflow.steps[?@.retried != false]", "out when it is false", "$.workflow.steps[?@.retried == true]"),
        ("$.workflow.steps[?@.idx == 0]", "the server leaves @.idx out when it is 0", "$.workflow.steps[?!@.idx]"),
        ("$.status_description == ''", "out when it is empty", "!$.status_description"),
        (
            "$.workflow.steps.status != 'error'",
            "$.workflow.steps is a list of objects, which has no \"status\"",
            "!$.workflow.steps[?@.status.status == 'error']",
        ),
        (
            "!($.workflow.steps.status == 'error')",
            "$.workflow.steps is a list of objects, which has no \"status\"",
            "!($.workflow.steps[?@.status.status == 'error'])",
        ),
        (
            "$.workflow.steps['0'].name == 'sync'",
            "$.workflow.steps is a list of objects, which has no \"0\"",
            "$.workflow.steps[0].name == 'sync'",
        ),
        ("!$..[?@.finished == false]", "leaves @.finished out when it is false", "!$..[?@.finished != true]"),
        ("!$.workflow.steps[?@.name[0] == 'x']", "@.name is a text, which is no list", ""),
        (
            "!$.workflow.steps.approval",
            "$.workflow.steps is a list of objects, which has no \"approval\"",
            "!$.workflow.steps[*].approval",
        ),
        ("$.workflow.steps.length > 2", "which has no \"length\"", "length($.workflow.steps) > 2"),
        ("$.component_name[0] == 'a'", "$.component_name is a text, which is no list", ""),
        ("!$.status_v2.status[?@ == 'error']", "$.status_v2.status is a word, which has no elements", ""),
        ("length($.component_config_version) == 1", "is a number, which has no length", ""),
        ("$.plan_only < true", "a boolean ($.plan_only) with a boolean, and only numbers and texts have an order", ""),
        ("$.created_at > null", "a text ($.created_at) with null, and only numbers and texts have an order", ""),
        ("$.workflow == $.status", "an object ($.workflow) with a text ($.status)", ""),
        ("$.plan_only == true || $.workflow.steps == 'x'", "a list ($.workflow.steps) with a text", ""),
    ] {
        let (assertion, refusals, _) = before(text);
        assert!(refusals.contains(why), "{text}: {refusals}");
        assert_eq!(refusals.split_once("\n  write: ").map_or("", |(_, instead)| instead), instead, "{text}");
        if !instead.is_empty() {
            let (_, refusals, _) = before(instead);
            assert_eq!(refusals, "", "{instead}");
        }
        // Where it is only a warning, the document decides, and never for it.
        assert_ne!(judged(assertion).outcome, Truth::True, "{text}");
    }
}

#[test]
fn what_is_always_true_is_refused() {
    for (text, why) in [
        ("count($.workflow.steps[*]) >= 0", "is a whole number from 0 on, so this is always true"),
        ("-1 < length($.component_name)", "so this is always true"),
        ("count($.workflow.steps[*]) == 0.5", "so this is always false"),
        ("$.status == $.status", "this compares $.status with itself"),
        ("1 == 1 || $.status == 'error'", "this says nothing about the deploy"),
    ] {
        let (_, refusals, _) = before(text);
        assert!(refusals.contains(why), "{text}: {refusals}");
    }
}

#[test]
fn what_is_not_known_is_a_warning() {
    for (text, why, instead, outcome) in [
        ("!$.plan_onyl", "\"plan_onyl\" is no known member of $", "!$.plan_only", Truth::Vacuous),
        (
            "!$.workflow.steps[?@.state.status == 'error']",
            "\"state\" is no known member of @",
            "!$.workflow.steps[?@.status.status == 'error']",
            Truth::Vacuous,
        ),
        (
            "$.status_v2.status == 'sucess'",
            "\"sucess\" is no word that $.status_v2.status is known to be",
            "$.status_v2.status == 'success'",
            Truth::False,
        ),
        (
            "$.install_deploy_type != 'Teardown'",
            "\"Teardown\" is no word",
            "$.install_deploy_type != 'teardown'",
            Truth::True,
        ),
        ("!$..relase_id", "\"relase_id\" is no known member of anything below $", "!$..release_id", Truth::Vacuous),
        ("!$.workflow.steps[*].aproval", "\"aproval\" is no known", "!$.workflow.steps[*].approval", Truth::Vacuous),
        ("$.created_at > '2026-01-14T16:02:09Z'", "times are compared as texts", "", Truth::False),
        ("count($.workflow.steps[?@.idx < 5]) == 1", "leaves @.idx out when it is 0", "", Truth::Vacuous),
        (
            "!$.workflow.steps[?@.status.status == 'failed']",
            "\"failed\" is no word",
            "!$.workflow.steps[?@.status.status == 'error']",
            Truth::True,
        ),
        (
            "!$.workflow.steps[?@.finished_at == null]",
            "the server writes no null",
            "!$.workflow.steps[?!@.finished_at]",
            Truth::Vacuous,
        ),
        ("$.composite_error == null", "the server writes no null", "!$.composite_error", Truth::Vacuous),
        ("!$.workflow.steps[?length(@.finished_at) == 0]", "leaves out what is empty", "", Truth::Vacuous),
        ("!match('v[0-9].*', $.oci_artifact.tag)", "the text comes first", "", Truth::True),
        ("!$.runner_jobs[?$.status == 'failed']", "says nothing about the elements", "", Truth::True),
        ("!$.plan_only", "it always is", "", Truth::False),
    ] {
        let (assertion, refusals, warnings) = before(text);
        assert_eq!(refusals, "", "{text}");
        assert!(warnings.contains(why), "{text}: {warnings}");
        let hint = if instead.is_empty() { String::new() } else { format!("; did you mean `{instead}`?") };
        assert!(
            warnings.ends_with(&hint) && instead.is_empty() != warnings.contains("did you mean"),
            "{text}: {warnings}"
        );
        assert_eq!(judged(assertion).outcome, outcome, "{text}");
    }
}

/// What the types alone do not tell, since something else could be there.
#[test]
fn what_looked_at_nothing_is_vacuous_whatever_else_could_be_there() {
    for text in [
        // One level too deep: these look at the members of each step.
        "!$.workflow.steps[*][?@.status.status == 'error']",
        "!$.workflow.steps[0:][?@.status.status == 'error']",
        "!$.workflow.steps[2][?@.status.status == 'error']",
        "!$.workflow.steps[?@.name == 'apply api'][?@.status.status == 'error']",
        "!$..steps[*][?@.status.status == 'error']",
        "!$..[?@.result_directive == true]",
        // Elements of what has none.
        "!$.workflow.steps[*].status.status[?@ == 'error']",
        "!$..status.status[?@ == 'error']",
        "!$.workflow[0:5].status",
        "!$.component_name[0]",
        "!$.workflow.steps[*][0]",
        "!$.outputs.zones[*][?@ == 'c']",
        "!$.outputs.zones.error",
        "!$.outputs.zones['0']",
        "!$.outputs.replicas.x",
        "!$.outputs.replicas[0]",
        "!$.outputs.url[0]",
        "!$.workflow.steps[?length(@.retried) == 3]",
        "!$.workflow.steps[?@.name[?@ == 'b']]",
        // Nothing compared with nothing.
        "$.workflow.steps[?@.finished_at == @.step_target_id]",
        "!$..[?@.retried == false]",
        "!$.*.steps[?@.finished == false]",
    ] {
        assert_eq!(judged(before(text).0).outcome, Truth::Vacuous, "{text}");
    }
    for text in ["!$..[?@.retried == true]", "!$..[?@.composite_error]", "$..[?@.status.status == 'error']"] {
        assert_eq!(judged(before(text).0).outcome, Truth::True, "{text}");
    }
}

#[test]
fn what_other_languages_write_is_answered_with_what_it_is_here() {
    for (text, hint) in [
        ("$.plan_only == false and $.status == 'active'", "write && for and"),
        ("$.plan_only == false or $.status == 'active'", "write || for or"),
        ("not $.release_id", "write ! for not"),
        ("$.plan_only = false", "did you mean ==?"),
        ("$.plan_only === false", "write == between two values"),
        ("$.plan_only <> true", "write != for <>"),
        ("$.status in ['active', 'noop']", "there is no in"),
        ("contains($.status, 'act')", "write search($.a, 'x')"),
        ("$.status.contains('act')", "functions stand before"),
        ("$.workflow.steps.length() > 0", "functions stand before"),
        ("exists($.release_id)", "write $.a, or !$.a"),
        ("$.status =~ 'act.*'", "write match("),
        ("$.outputs.my-name == 'x'", "goes in brackets: $['a-b']"),
        ("match($.status, '\\d')", "two backslashes, as in '\\\\d'"),
        ("$.plan_only == False", "write false"),
        ("$.status != 'failed' && != 'error'", "repeat the query"),
        ("$.status not in ['failed']", "$.a != 'x' && $.a != 'y'"),
        ("&& $.plan_only == false", "each line is an assertion"),
        ("all($.workflow.steps, 'success')", "for all elements write"),
        ("$.workflow.steps[*].status.status == 'success'", "for all !$.a[?@.b != 'x']"),
        ("$.workflow.steps.0.name == 'x'", "written [0]"),
        ("[?$.status == 'active']", "between [? and ]"),
        ("$.build_id == $BUILD", "it was not filled in"),
        ("$.status == `active`", "texts stand in '"),
        ("!$.workflow.steps[?@.status.status == 'error' and @.retried != true]", "write && for and"),
    ] {
        let error = text.parse::<Assertion>().expect_err(text);
        assert!(error.contains(hint), "{text}: {error}");
    }
}
