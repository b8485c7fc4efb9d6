//! What the user asserts, and what the document says to it: true, false or vacuous.
//!
//! A rule that checked nothing is the false green that every peer of this tool has shipped. So each query must *land*:
//! the names and indexes it begins with must select something; otherwise the assertion is vacuous, and the gate fails.

mod background;
mod check;
mod cost;
mod engines;
mod evaluate;
mod kind;
mod landing;
mod likeness;
mod model;
mod node;
mod outcome;
mod parser;
mod pattern;
pub mod presets;
mod show;
mod syntax;
mod truth;
mod types;

pub use background::{Evaluation, TIME_LIMIT, advise};
pub use check::{Check, Found, Missing};
pub use cost::{DocumentSize, check_cost};
pub use engines::Compiled;
pub use model::{Assertion, Enforcement};
pub use outcome::ending;
pub use parser::Malformed;
pub use syntax::Expression;
pub use truth::Truth;

#[cfg(test)]
mod examples;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::judge::document::Document;

    fn judged(text: &str) -> Check {
        let document = Arc::new(Document::any(json!({
            "id": "dpl1",
            "plan_only": true,
            "status_v2": {"status": "active", "history": [{}, {"status": "queued"}]},
            "workflow": {"steps": []},
            "nothing": null,
            "pattern": "[x",
            "big": 9_007_199_254_740_993_i64,
            "bigger": 9_007_199_254_740_992_i64,
            "patterns": ["dpl[0-9]", "x"],
            "numbers": [5],
            "nested": [{"in": [{"v": "x"}, {"v": 1}]}],
            "mixed": [{"v": "x"}, {"v": {"w": "y"}}, {"v": 5}],
        })));
        let numbers = r#"{"whole":[1,{"x":2}],"halves":[1.0,{"x":2.0}],"zero":[0],"minus":[-0.0]}"#;
        let document = match text.contains("whole") || text.contains("zero") {
            true => Arc::new(Document::parse(numbers.as_bytes()).expect("a document")),
            false => document,
        };
        let assertion: Assertion = text.parse().unwrap_or_else(|error| panic!("{error}"));
        Evaluation::start([assertion], &document).finish().unwrap_or_else(|error| panic!("{error}")).remove(0)
    }

    #[test]
    fn true_false_or_vacuous() {
        use Truth::{False, True, Vacuous};
        let cases = [
            ("$.plan_only == true", True),
            ("$.plan_only == false", False),
            ("@.plan_only == true", True),
            ("$.status_v2.status == 'active' && $.id == 'dpl1'", True),
            ("$.nothing == null", True),
            ("$.missing == null", Vacuous),
            ("$.missing != 1", Vacuous),
            ("$.missing == $.gone", Vacuous),
            // As SQL joins its three values.
            ("$.id == 'dpl1' || $.missing == 1", True),
            ("$.missing == 1 || $.id == 'dpl1'", True),
            ("$.id == 'dpl2' || $.missing == 1", Vacuous),
            ("$.missing == 1 && $.id == 'dpl2'", False),
            ("$.missing == 1 && $.id == 'dpl1'", Vacuous),
            ("!($.missing == 1)", Vacuous),
            ("!($.missing == 1 && $.id == 'dpl2')", True),
            ("!$.oci_artifact || match($.oci_artifact.tag, 'v.*')", True),
            ("!$.status_v2 || match($.status_v2.status, 'v.*')", False),
            ("$.plan_only == false && $.flow.plan_only == false", False),
            ("$.release_id", False),
            ("!$.release_id", True),
            ("!$.release.id", Vacuous),
            ("!$.workflow.steps[?@.status == 'error']", True),
            ("$.workflow.steps[*]", False),
            ("count($.workflow.steps[*]) == 0", True),
            ("count($.workflow.stages[*]) == 0", Vacuous),
            ("!$.flow.steps[?@.status == 'error']", Vacuous),
            ("!$.workflow.steps[?@.id == $.idd]", Vacuous),
            ("!$..composite_error", True),
            // No server is known that answers a member of that name.
            ("!$..error", Vacuous),
            ("!$.relase_id", Vacuous),
            ("!$.status_v2.history[*].sttus", Vacuous),
            ("!$.status_v2.history[?@.sttus == 'error']", Vacuous),
            ("$.status_v2.history[?!@.sttus]", Vacuous),
            ("!$.outputs.anything", Vacuous),
            // Like is compared with like.
            ("$.status_v2 != 'error'", Vacuous),
            ("$.status_v2 == $.id", Vacuous),
            ("$.id != 5", Vacuous),
            ("$.plan_only != 'false'", Vacuous),
            ("$.plan_only <= true", Vacuous),
            ("$.id != null", True),
            ("$.nothing != 'error'", True),
            ("count($.status_v2.history[*]) != 'x'", Vacuous),
            ("!$.status_v2.history[?@.status == 5]", Vacuous),
            ("count($.status_v2.history[?@.status == 5]) == 0", Vacuous),
            ("!$.status_v2.history[?match(@.idx, '2')]", Vacuous),
            ("!$.numbers[?match(@, '2')]", Vacuous),
            // What can be compared decides.
            ("!$.mixed[?@.v == 'y']", True),
            ("!$.mixed[?@.v == 'x']", False),
            ("!$.mixed[?@.v != 'x']", True),
            ("$.mixed[?@.v != 'x']", False),
            ("count($.mixed[?!(@.v == 'x')]) == 0", True),
            ("$.mixed[?@.v != 'x'].v", False),
            ("$..[?@.v != 'x'].v", Vacuous),
            ("$.mixed[?!(@.v == 'x' && @.v == 'y')]", True),
            ("$.mixed[?@.v == 'y' || @.v.w == 'y']", True),
            ("!$.nested[?@.in[?@.v == 'y']]", Vacuous),
            ("!$.mixed[?search(@.v, 'y')]", True),
            ("$.status_v2.history[1].status == 'queued'", True),
            ("$.status_v2.history[-1].status == 'queued'", True),
            ("$.status_v2.history[9].status != 'error'", Vacuous),
            ("$.status_v2.history[-3].status != 'error'", Vacuous),
            ("$.status_v2.status.x != 'error'", Vacuous),
            ("match($.id, 'dpl[0-9]')", True),
            ("!match($.id, $.pattern)", Vacuous),
            ("!match($.id, $.plan_only)", Vacuous),
            ("!match($.id, $.missing)", Vacuous),
            ("length($.missing) != 3", Vacuous),
            // Nothing is compared with nothing.
            ("length($.plan_only) != 3", Vacuous),
            ("length($.nothing) != 3", Vacuous),
            ("length($.id) != 3", True),
            ("length($.status_v2) == 2", True),
            ("value($.status_v2.history[*]) != 'error'", Vacuous),
            ("value($.workflow.steps[*]) != 'error'", Vacuous),
            ("value($.status_v2.history[1:].status) == 'queued'", True),
            ("!match($.id, value($.patterns[*]))", Vacuous),
            ("length(value($.numbers[*])) != 3", Vacuous),
            ("length(value($.patterns[0:1])) == 8", True),
            ("!search($.plan_only, 'x')", Vacuous),
            ("search($.pattern, 'x')", True),
            ("value($.patterns[0:1]) == 'dpl[0-9]' && length(value($.numbers[*])) != 3", Vacuous),
            ("!match(value($.numbers[*]), 'x')", Vacuous),
            ("!match(value($.patterns[1:]), 'y')", True),
            ("match($.id, value($.patterns[0:1]))", True),
            // What has no elements has none that could be wrong.
            ("!$.nothing[?@.status == 'error']", Vacuous),
            ("!$.id[*]", Vacuous),
            ("count($.plan_only[*]) == 0", Vacuous),
            ("!$.nothing..error", Vacuous),
            // Numbers are equal wherever they are.
            ("$.whole == $.halves", True),
            ("$.whole != $.halves", False),
            ("$.zero == $.minus", True),
        ];
        for (text, want) in cases {
            assert_eq!(judged(text).outcome, want, "{text}");
        }
    }

    #[test]
    fn a_vacuous_assertion_says_how_far_it_got() {
        let check = judged("$.status_v2.state == 'active'");
        let missing = check.queries[0].missing.clone().expect("does not land");
        assert_eq!(missing.path, "$.status_v2.state");
        assert_eq!(missing.exists, "$.status_v2");
        assert_eq!(missing.why, r#"$.status_v2 has no "state"; did you mean "status"?"#);
        let check = judged("$.id.x.y == 1");
        assert_eq!(check.queries[0].missing.clone().expect("does not land").why, r#"$.id is "dpl1", which has no "x""#);
        let check = judged("value($.workflw.steps[*].name) == 'x'");
        let missing = check.queries[0].missing.clone().expect("does not land");
        assert_eq!(missing.why, r#"$ has no "workflw"; did you mean "workflow"?"#);
    }

    #[test]
    fn a_test_for_existence_of_what_is_false_is_noted() {
        assert_eq!(
            judged("$.nothing").queries[0].note.as_deref().map(|note| note.contains("that it is null")),
            Some(true)
        );
        assert_eq!(judged("$.nothing == null").queries[0].note, None);
        assert_eq!(judged("$.plan_only").queries[0].note, None);
    }

    #[test]
    fn it_is_said_what_was_compared_with_what() {
        let why = |text: &str| {
            let found = judged(text).queries.remove(0);
            found.missing.map(|missing| missing.why).or(found.note).unwrap_or_default()
        };
        for (text, want) in [
            (
                "!$.status_v2.history[?@.sttus == 'error']",
                "none of the 2 elements of $.status_v2.history has \"sttus\"; did you mean \"status\"?",
            ),
            (
                "count($.status_v2['history'][?@.status.word == 'error']) == 0",
                "none of the 2 elements of $.status_v2['history'] has \"word\"",
            ),
            (
                "$.status_v2 != 'error'",
                "$.status_v2 != 'error' compared an object with a text; did you mean $.status_v2.status != 'error'?",
            ),
            (
                "!$.mixed[?@ == 'x']",
                "@ == 'x' compared an object with a text in all 3 elements of $.mixed; did you mean @.v == 'x'?",
            ),
            ("!$.mixed[?@.v == 'y']", "@.v == 'y' compared an object with a text in 2 of the 3 elements of $.mixed"),
            ("!$.relase_id", "$ has no \"relase_id\"; did you mean \"release_id\"?"),
        ] {
            assert_eq!(why(text), want, "{text}");
        }
        for fine in [
            "!$.status_v2.history[?@.status == 'error']",
            "!$.status_v2.history[?@.status == 'error' && @.created_at_ts > 1]",
            "!$.workflow.steps[?@.sttus == 'error']",
            "$.workflow.steps[?!@.retried]",
        ] {
            assert_eq!(why(fine), "", "{fine}");
        }
    }

    #[test]
    fn engines_that_disagree_give_no_answer() {
        let document = Arc::new(Document::any(json!({"list": [{"none": []}]})));
        let assertion = "$.list[?count(@.none[*]) != 0]".parse().expect("parses");
        let error = Evaluation::start([assertion], &document).finish().expect_err("one engine cannot count to 0");
        assert!(error.contains("disagree about $.list"), "{error}");
    }

    #[test]
    fn numbers_that_cannot_be_told_apart_give_no_answer() {
        let document =
            Arc::new(Document::any(json!({"big": 9_007_199_254_740_993_i64, "bigger": 9_007_199_254_740_992_i64})));
        let assertion = "$.big == $.bigger".parse().expect("parses");
        let error = Evaluation::start([assertion], &document).finish().expect_err("both engines say true");
        assert!(error.contains("inexactly"), "{error}");
        let document = br#"{"l":[{"a":9007199254740993,"b":9007199254740992,"c":1,"d":[{"c":1}]}],"x":18446744073709551616,"y":18446744073709551617,"want":9007199254740992,"m":["y"]}"#;
        let document = Arc::new(Document::parse(document).expect("a document"));
        let judge = |text: &str| {
            let assertion = text.parse().unwrap_or_else(|error| panic!("{error}"));
            Evaluation::start([assertion], &document).finish()
        };
        for text in [
            "$.x == $.y",
            "$.l[?@.a == @.b]",
            "$.l[?@.a == 9.007199254740992e15]",
            "$.l[?@['a'] == $.want]",
            "$.l[?count(@.d[?@.c == $.want]) == 0]",
            "$.l[?@.a > @.b]",
            "$.x == 1.8446744073709552e19",
            "value($.l[*].a) == $.want",
        ] {
            let error = judge(text).expect_err(text);
            assert!(error.contains("inexactly"), "{text}: {error}");
        }
        // They do no harm where nothing is compared with them, or only what is told apart from them.
        for text in [
            "$.l[?@.a < 3600]",
            "!$.l[?@.a == 'x']",
            "$.l[?@.a]",
            "count($.l[?@.a]) == 1",
            "$.l[?count(@.*) == 4]",
            "!$.l[?@.a == null || @.c > 9]",
            "$.x > 0",
            "$.want < 1e15",
        ] {
            judge(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        }
        let document = br#"{"a":[18446744073709551616],"b":[18446744073709551617],"c":[1e16],"d":[10000000000000000]}"#;
        let other = Arc::new(Document::parse(document).expect("a document"));
        let vast: Assertion = "$.a == $.b".parse().expect("parses");
        Evaluation::start([vast], &other).finish().expect_err("they cannot be told apart");
        let listed: Assertion = "$.l[?@.a[0] == 9.007199254740992e15]".parse().expect("parses");
        let document = Arc::new(Document::parse(br#"{"l":[{"a":[9007199254740993]}]}"#).expect("a document"));
        Evaluation::start([listed], &document).finish().expect_err("an element is of its member");
        let same: Assertion = "$.c == $.d".parse().expect("parses");
        assert_eq!(Evaluation::start([same], &other).finish().expect("true")[0].outcome, Truth::True);
        assert_eq!(judge("$.l[?@.c == 1] && $.x && count($.l[*]) == 1").expect("true")[0].outcome, Truth::True);
        assert_eq!(judge("!$.m[?@ == 'x']").expect("they are elsewhere")[0].outcome, Truth::True);
    }

    #[test]
    fn what_could_not_be_read_is_vacuous_whatever_way_it_is_asked_for() {
        let parts = crate::judge::document::DeployParts {
            seen: br#"{"id":"dpl1","status_v2":{"status":"active"}}"#.to_vec().into(),
            is_latest: true,
            deploy: Some(Err("403".into())),
            workflow: Some(Err("403".into())),
        };
        let document = Arc::new(Document::assemble(crate::judge::document::Parts::Deploy(parts)).expect("a document"));
        let known = ["!$.status_v2.composite_error", "$.status_v2.status == 'active'", "!$.status_v2[?@ == 'error']"];
        for text in known {
            let assertion: Assertion = text.parse().unwrap_or_else(|error| panic!("{error}"));
            let checks = Evaluation::start([assertion], &document).finish();
            assert_eq!(checks.unwrap_or_else(|error| panic!("{text}: {error}"))[0].outcome, Truth::True, "{text}");
        }
        for text in [
            "!$..[?@.status.status == 'error']",
            "count($..[?@.status == 'error']) == 0",
            "!$.*[?@.status == 'error']",
            "!$['runner_jobs','action_workflow_runs'][?@.status == 'error']",
            "!$..error",
            "!$.runner_jobs",
            "!$.workflow",
            "!$.workflow.steps",
        ] {
            let assertion: Assertion = text.parse().unwrap_or_else(|error| panic!("{error}"));
            let checks = Evaluation::start([assertion], &document).finish();
            let check = checks.unwrap_or_else(|error| panic!("{text}: {error}")).remove(0);
            assert_eq!(check.outcome, Truth::Vacuous, "{text}");
            let why = check.queries[0].missing.as_ref().map(|missing| missing.why.as_str()).unwrap_or_default();
            assert!(why.contains("403"), "{text}: {why}");
        }
    }

    #[test]
    fn labels() {
        let cases = [
            ("applied: $.plan_only == false", "applied", "$.plan_only == false"),
            ("no failed-steps_2:  !$.a", "no failed-steps_2", "!$.a"),
            ("$.a == 'x: y'", "", "$.a == 'x: y'"),
            ("$[1:2]", "", "$[1:2]"),
            ("@['a: b']", "", "@['a: b']"),
        ];
        for (text, label, expression) in cases {
            let assertion: Assertion = text.parse().unwrap_or_else(|error| panic!("{error}"));
            assert_eq!((assertion.label.as_str(), assertion.expression.text.as_str()), (label, expression));
        }
    }

    #[test]
    fn a_caret_shows_the_place() {
        let error = "label: $.a = 1".parse::<Assertion>().expect_err("malformed");
        assert!(
            error.starts_with("this assertion is malformed\n  label: $.a = 1\n            ^ expected the end"),
            "{error}"
        );
    }

    #[test]
    fn presets_are_assertions() {
        for preset in presets::TABLE {
            preset.expression.parse::<Assertion>().unwrap_or_else(|error| panic!("{}: {error}", preset.name));
        }
    }

    #[test]
    fn what_could_fill_the_memory_is_refused() {
        let wide = Arc::new(Document::any(json!({"a": vec![vec![vec![0; 20]; 20]; 20]})));
        let singular = "$.a[0][0][0] == 0".parse().expect("parses");
        Evaluation::start([singular], &wide).finish().expect("one node needs no room");
        let assertion = "$..*..*..*..*..*..*".parse().expect("parses");
        let error = Evaluation::start([assertion], &wide).finish().expect_err("too wide");
        assert!(error.contains("could select"), "{error}");
        let selectors = format!("$.a{}", "[*,*,*,*]".repeat(20));
        let error = Evaluation::start([selectors.parse().expect("parses")], &wide).finish().expect_err("too wide");
        assert!(error.contains("could select"), "{error}");
    }
}
