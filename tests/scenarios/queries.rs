//! Targets that the server lists: every install of an app, every component of an install.

use deploy_gate::base::clock::Signal;
use serde_json::{Value, json};

use crate::replay::replay;
use crate::script::*;

const APP: [&str; 3] = ["--install=all", "--app=app1", "--component=cmp00000000000000000000001"];

fn install(nth: usize, labels: &Value) -> Value {
    json!({"id": format!("inl{nth:023}"), "name": format!("prod-{nth}"), "labels": labels})
}

fn page(entries: &[Value]) -> Answer {
    http(200, json!(entries).to_string())
}

/// The deploy of each install has an id of its own.
fn routes(list: &'static str, pages: Vec<Answer>, statuses: &[&str]) -> Vec<(String, Vec<Answer>)> {
    let mut all: Vec<(String, Vec<Answer>)> = vec![(list.into(), pages)];
    for (nth, status) in (1..).zip(statuses) {
        let deploy = seen(&with(document(status), "id", json!(format!("dpl{nth:023}"))));
        all.push((
            format!("/installs/inl{nth:023}/components/cmp00000000000000000000001/deploys/latest"),
            vec![deploy.clone()],
        ));
        all.push((format!("/deploys/dpl{nth:023}"), vec![deploy]));
    }
    all
}

fn gate(flags: &[&str], routes: &[(String, Vec<Answer>)]) -> Ran {
    let routes: Vec<(&str, &[Answer])> =
        routes.iter().map(|(path, answers)| (path.as_str(), answers.as_slice())).collect();
    run_with(flags, &routes)
}

fn installs(ran: &Ran) -> Vec<String> {
    let targets = ran.report["targets"].as_array().cloned().unwrap_or_default();
    let mut ids: Vec<String> = targets.iter().filter_map(|row| Some(row["install"].as_str()?.to_owned())).collect();
    ids.sort();
    ids
}

#[test]
fn every_install_of_an_app_that_has_the_labels() {
    let prod = json!({"tier": "prod", "region": "eu"});
    let pages = || {
        vec![
            page(&[install(1, &prod), install(2, &json!({"tier": "stage"}))]).header("x-nuon-page-next", "true"),
            // The list has moved on by one in between.
            page(&[install(2, &json!({"tier": "stage"})), install(3, &prod), install(4, &Value::Null)]),
        ]
    };
    let served = |statuses: &[&str]| routes("/apps/app1/installs", pages(), statuses);
    let flags = [&APP[..], &["--label=tier=prod", "--label=region=eu"]].concat();
    let ran = gate(&flags, &served(&["active", "error", "active"]));
    assert_eq!(ran.ended(), (0, "passed", ""), "{}", ran.err);
    assert_eq!(installs(&ran), ["inl00000000000000000000001", "inl00000000000000000000003"]);
    assert!(
        ran.err.contains("waiting up to 1h for every install of the app app1 with the label tier=prod and region=eu")
    );
    assert!(ran.err.contains("2 targets: inl00000000000000000000001 / cmp00000000000000000000001, inl"), "{}", ran.err);
    // The list has shown that they are there.
    assert_eq!(ran.looks.iter().filter(|(_, path)| path.ends_with("/inl00000000000000000000001")).count(), 0);
    holds_together(&ran);
    let ran = gate(&APP, &served(&["active", "error", "active", "active"]));
    assert_eq!((ran.ended().2, installs(&ran).len()), ("deploy-failed", 4), "{}", ran.err);
    // One that lacks the component never appears, and has all the time there is.
    let ran = gate(&[&APP[..], &["--timeout=20m"]].concat(), &served(&["active", "active", "active"]));
    assert_eq!((ran.ended().2, ran.seconds()), ("never-appeared", 1200), "{}", ran.out);
    // Each share has its part of the same list.
    let mut shares = Vec::new();
    for share in ["--shard=1/2", "--shard=2/2"] {
        let ran = gate(&[&APP[..], &[share]].concat(), &served(&["active"; 4]));
        assert_eq!((ran.code, ran.report["fleet"]["targets"].as_u64()), (0, Some(4)));
        shares.extend(installs(&ran));
    }
    shares.sort();
    assert_eq!(shares, (1..=4).map(|nth| format!("inl{nth:023}")).collect::<Vec<_>>());
}

#[test]
fn a_list_that_is_shorter_than_wanted_is_no_pass() {
    let list = || vec![page(&[install(1, &json!({"tier": "prod"})), install(2, &json!({"tier": 1}))])];
    let served = |pages| routes("/apps/app1/installs", pages, &["active", "active"]);
    for flags in [&["--label=tier=nobody"][..], &["--label=tier=1"], &["--min-targets=3"], &["--min-pass=3"]] {
        let ran = gate(&[&APP[..], flags].concat(), &served(list()));
        assert_eq!(ran.ended(), (3, "undecided", "never-appeared"), "{flags:?}: {}", ran.err);
        assert_eq!((installs(&ran).len(), ran.looks.len()), (0, 1), "{flags:?}");
        assert!(ran.message().contains("what the token may not read is not listed"), "{}", ran.message());
        holds_together(&ran);
    }
    assert_eq!(gate(&[&APP[..], &["--min-targets=2"]].concat(), &served(list())).code, 0);
    assert_eq!(gate(&APP, &served(vec![page(&[])])).ended(), (3, "undecided", "never-appeared"));
    let ran = run(&["--min-targets=2"], &[deploy("active")]);
    assert_eq!((ran.code, ran.looks.len()), (2, 0), "{}", ran.err);
}

#[test]
fn a_list_that_cannot_be_read_is_no_pass() {
    let whole = || page(&[install(1, &Value::Null)]);
    let endless = page(&(1..=100).map(|nth| install(nth, &Value::Null)).collect::<Vec<_>>());
    for (pages, code, reason) in [
        (vec![http(404, r#"{"error":"app not found"}"#)], 3, "not-found"),
        (vec![http(403, "{}")], 3, "forbidden"),
        (vec![http(401, "{}")], 3, "unauthorized"),
        (vec![http(502, ""), reset(), http(200, "{}"), whole()], 0, ""),
        (vec![http(502, "")], 124, "unreachable"),
        (vec![http(429, "").header("retry-after", "7200")], 124, "unreachable"),
        (vec![page(&[json!({"name": "no id"})])], 124, "unreachable"),
        (vec![page(&[json!({"id": "a b"})])], 124, "unreachable"),
        (vec![page(&[json!("inl1")])], 124, "unreachable"),
        (vec![whole().header("x-nuon-page-next", "true"), http(500, ""), whole()], 0, ""),
        (vec![endless.header("x-nuon-page-next", "true")], 124, "unreachable"),
    ] {
        let words = format!("{:?}", pages[0].answer).chars().take(100).collect::<String>();
        let ran = gate(&APP, &routes("/apps/app1/installs", pages, &["active"]));
        assert_eq!((ran.code, ran.ended().2), (code, reason), "{words}: {}", ran.err);
        holds_together(&ran);
    }
}

#[test]
fn every_component_of_an_install_that_is_not_disabled() {
    let component = |nth: usize, enabled: &Value| {
        let mut entry = json!({"id": format!("inc{nth}"), "component_id": format!("cmp{nth:023}")});
        if !enabled.is_null() {
            entry["enabled"] = enabled.clone();
        }
        entry
    };
    let list = [component(1, &Value::Null), component(2, &json!(true)), component(3, &json!(false))];
    let of = |nth: usize| seen(&with(document("active"), "id", json!(format!("dpl{nth:023}"))));
    let (first, second) = ([of(1)], [of(2)]);
    let install = [seen(&json!({"id": INSTALL, "name": "prod"}))];
    let list = [page(&list)];
    let served: &[(&str, &[Answer])] = &[
        ("/cmp00000000000000000000001/deploys", &first),
        ("/cmp00000000000000000000002/deploys", &second),
        ("/components?", &list),
        ("/v1/installs/", &install),
    ];
    for name in ["--install=prod", "--install=inl00000000000000000000001"] {
        let ran = run_with(&[name, "--component=all"], served);
        assert_eq!(ran.ended(), (0, "passed", ""), "{}", ran.err);
        assert_eq!(ran.report["fleet"]["targets"], 2, "{}", ran.err);
        assert!(ran.out.starts_with("passed: all 2 targets passed"), "{}", ran.out);
    }
}

#[test]
fn ten_thousand_installs_are_listed() {
    let pages: Vec<Answer> = (0..100)
        .map(|nth| {
            let installs: Vec<Value> = (1..=100).map(|of| install(nth * 100 + of, &json!({"tier": of}))).collect();
            page(&installs).header("x-nuon-page-next", if nth < 99 { "true" } else { "false" })
        })
        .collect();
    let ran = gate(&[&APP[..], &["--min-targets=10001"]].concat(), &routes("/apps/app1/installs", pages, &[]));
    assert_eq!((ran.ended().2, ran.looks.len()), ("never-appeared", 100));
    assert!(ran.message().contains("the number of targets is 10000"), "{}", ran.message());
    assert!(ran.err.contains("10000 targets: ") && ran.err.contains(", and 9980 more"), "{}", ran.err);
}

#[test]
fn a_query_is_recorded_and_a_signal_ends_it() {
    let list = vec![page(&[install(1, &Value::Null), install(2, &Value::Null)])];
    let flags = [&APP[..], &["--record=FOLDER/run.jsonl"]].concat();
    let ran = gate(&flags, &routes("/apps/app1/installs", list, &["active", "active"]));
    assert_eq!(ran.code, 0);
    let (code, verdict) = replay(ran.path("run.jsonl"), ["-q"]);
    assert!(code == 0 && verdict.starts_with("passed: all 2 targets passed"), "{verdict}");
    let busy = [http(502, "")];
    let ran = run_until(&APP, &[("/apps/app1/installs", &busy)], Some((5, Signal::Terminate)));
    assert_eq!(ran.ended(), (143, "interrupted", ""));
    holds_together(&ran);
}

#[test]
fn what_cannot_be_meant_is_misuse() {
    let cases: &[(&[&str], &str)] = &[
        (&["--install=all", "--component=api"], "--app (NUON_APP_ID)"),
        (&["--install=all", "--app=a", "--component=all"], "it can only be one"),
        (&["--install=all", "--install=inl2", "--app=a", "--component=api"], "no other must be given"),
        (&["--component=all", "--component=api"], "no other must be given"),
        (&["--install=a", "--install=b", "--component=all"], "is of one install"),
        (
            &["--install=all", "--app=a", "--component=api", "--workflow=inw00000000000000000000001"],
            "is of one install",
        ),
        (&["--component=all", "--deploy=dpl00000000000000000000001"], "is about one target"),
        (&["--install=all", "--app=a", "--component=api", "--after=dpl00000000000000000000001"], "is about one target"),
        (&["--label=a=b"], "--label (DEPLOY_GATE_LABEL)"),
        (&["--install=all", "--app=a", "--component=api", "--label=a"], "KEY=VALUE"),
        (&["--install=all", "--app=../x", "--component=api"], "--app (NUON_APP_ID)"),
        (&["--min-targets=many"], "--min-targets"),
    ];
    for (flags, words) in cases {
        let ran = run(flags, &[deploy("active")]);
        assert_eq!((ran.code, ran.looks.len()), (2, 0), "{flags:?}: {}", ran.err);
        assert!(ran.err.contains(words), "{flags:?}: {}", ran.err);
    }
    // The Nuon CLI sets this everywhere.
    assert_eq!(run(&["--app=app1"], &[deploy("active")]).code, 0);
}
