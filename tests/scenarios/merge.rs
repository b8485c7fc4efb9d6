//! The results of shards as one: a pass only if all of them are there, of one run, sound, and passed.

use deploy_gate::World;
use deploy_gate::args::Variables;
use deploy_gate::clock::VirtualClock;
use serde_json::{Value, json};

use crate::script::{Answer, document, run_with, seen, with};

/// The results of all shards of a fleet of so many targets, of which these do not pass.
fn results(of: usize, targets: usize, failing: &[usize], flags: &[&str]) -> Vec<Value> {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let lines = (1..=targets).map(|nth| format!("inl00000000000000000000001 cmp{nth:023}\n"));
    std::fs::write(file.path(), lines.collect::<String>()).expect("writes");
    let answers: Vec<[Answer; 1]> = (1..=targets)
        .map(|nth| {
            let status = if failing.contains(&nth) { "error" } else { "active" };
            [seen(&with(document(status), "id", json!(format!("dpl{nth:023}"))))]
        })
        .collect();
    let latest: Vec<String> = (1..=targets).map(|nth| format!("/components/cmp{nth:023}/deploys/latest")).collect();
    let by_id: Vec<String> = (1..=targets).map(|nth| format!("/deploys/dpl{nth:023}")).collect();
    let routes: Vec<(&str, &[Answer])> = latest
        .iter()
        .zip(&answers)
        .chain(by_id.iter().zip(&answers))
        .map(|(path, answers)| (path.as_str(), answers.as_slice()))
        .collect();
    let shard = |index| {
        let own =
            [format!("--targets={}", file.path().display()), format!("--shard={index}/{of}"), "--run-id=77".into()];
        let all: Vec<&str> = own.iter().map(String::as_str).chain(flags.iter().copied()).collect();
        run_with(&all, &routes).report
    };
    (1..=of).map(shard).collect()
}

/// Merges results that are written as these texts.
fn merge_texts(texts: &[String], flags: &[&str]) -> (u8, String, Value) {
    let folder = tempfile::tempdir().expect("a folder");
    let report = folder.path().join("whole.json");
    let mut arguments = vec!["deploy-gate".to_owned(), "merge".into(), format!("--report=json={}", report.display())];
    for (index, text) in texts.iter().enumerate() {
        let path = folder.path().join(format!("{index}.json"));
        std::fs::write(&path, text).expect("writes");
        arguments.push(path.display().to_string());
    }
    arguments.extend(flags.iter().map(ToString::to_string));
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = deploy_gate::run(
        &arguments.into_iter().map(Into::into).collect::<Vec<_>>(),
        &mut World {
            variables: &Variables::new(),
            clock: &mut VirtualClock::new(None),
            connect: &mut |_| panic!("merge asks no network"),
            hire: &mut |_, _| panic!("merge asks no network"),
            out: &mut out,
            err: &mut err,
            screens: Default::default(),
            seed: 1,
        },
    );
    let report = std::fs::read_to_string(report).unwrap_or_default();
    out.extend(err);
    (code, String::from_utf8(out).expect("text"), serde_json::from_str(&report).unwrap_or_default())
}

fn merge(results: &[Value]) -> (u8, String, Value) {
    merge_texts(&results.iter().map(ToString::to_string).collect::<Vec<_>>(), &[])
}

#[test]
fn all_shards_that_passed_are_a_pass() {
    let mut results = results(3, 7, &[], &["--assert=$.plan_only == false"]);
    results.reverse();
    let (code, out, whole) = merge(&results);
    assert_eq!((code, &whole["outcome"], &whole["exit_code"]), (0, &json!("passed"), &json!(0)), "{out}");
    assert_eq!(whole["targets"].as_array().map(Vec::len), Some(7));
    assert_eq!(whole["fleet"], json!({"targets": 7, "passed": 7, "min_pass": 7, "max_fail": 0}));
    assert!(out.starts_with("passed: all 7 targets of 3 shards passed\n"), "{out}");
    let verdict = |of: &Value| {
        of["targets"]
            .as_array()
            .and_then(|all| all.iter().find(|row| row["component"] == "cmp00000000000000000000002"))
            .cloned()
    };
    assert_eq!(verdict(&whole), results.iter().find_map(verdict), "word for word");
    assert_eq!(merge(&self::results(2, 2, &[], &[])).0, 0, "a target a shard");
}

#[test]
fn a_shard_that_did_not_pass_decides() {
    let (code, out, whole) = merge(&results(2, 4, &[2], &[]));
    assert_eq!((code, &whole["reason"]), (1, &json!("deploy-failed")), "{out}");
    assert_eq!(whole["targets"][0]["outcome"], "failed", "the worst first");
    // The quorum of each shard is its own.
    let (code, out, whole) = merge(&results(2, 4, &[2], &["--min-pass=50%"]));
    // One of the first shard was not awaited any more.
    assert_eq!((code, &whole["fleet"]["passed"]), (0, &json!(2)), "{out}");
}

#[test]
fn a_missing_shard_is_no_pass() {
    let all = results(3, 6, &[], &[]);
    let (code, out, whole) = merge(&all[..2]);
    assert_eq!((code, &whole["reason"]), (3, &json!("shard-missing")), "{out}");
    assert!(out.contains("the result of shard 3 of 3 is missing"), "{out}");
    // A run that was killed leaves an empty file.
    let texts = [all[0].to_string(), String::new(), all[2].to_string()];
    let (code, out, _) = merge_texts(&texts, &[]);
    assert_eq!(code, 3, "{out}");
    let with_failure = results(3, 6, &[1], &[]);
    assert_eq!(merge(&with_failure[..2]).0, 1, "a failure that is known stays one");
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let all = results(2, 4, &[], &[]);
    let changed = |pointer: &str, value: Value| {
        let mut results = all.clone();
        *results[1].pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = value;
        results
    };
    let other_fleet = results(2, 5, &[], &[]);
    let other_question = results(2, 4, &[], &["--assert=$.plan_only == false"]);
    let other_place = results(2, 4, &[], &["--api-url=https://api.example"]);
    let other_org = results(2, 4, &[], &["--org=org2"]);
    let failed = results(2, 4, &[2], &[]);
    let mut forged = failed.clone();
    forged[1]["outcome"] = json!("passed");
    forged[1]["reason"] = json!("");
    forged[1]["exit_code"] = json!(0);
    let mut of_none = results(2, 4, &[2, 4], &[]);
    of_none[1]["outcome"] = json!("passed");
    of_none[1]["reason"] = json!("");
    of_none[1]["exit_code"] = json!(0);
    of_none[1]["fleet"]["min_pass"] = json!(0);
    of_none[1]["fleet"]["max_fail"] = json!(2);
    let mut no_shard = all.clone();
    no_shard[1]["fleet"].as_object_mut().expect("an object").remove("shard");
    let mut nothing = all.clone();
    nothing[1]["targets"] = json!([]);
    let cases: Vec<(Vec<Value>, &str)> = vec![
        (vec![all[0].clone(), all[0].clone()], "it is of shard 1, as is"),
        (changed("/fleet/shard/run", json!("78")), "of another run"),
        (changed("/tool/version", json!("0.0.1")), "was written by deploy-gate 0.0.1"),
        (changed("/schema_version", json!(2)), "was written by"),
        (changed("/fleet/shard/of", json!(3)), "not the targets of its share"),
        (changed("/fleet/shard/index", json!(0)), "there is no shard 0 of 2"),
        (changed("/fleet/shard/of", json!(5)), "there is no shard 2 of 5"),
        (changed("/exit_code", json!(1)), "do not belong together"),
        (changed("/targets/0/outcome", json!("failed")), "other targets passed than it says"),
        (changed("/fleet/min_pass", json!(3)), "without the targets that had to"),
        (changed("/targets/0/component", all[0]["targets"][0]["component"].clone()), "is in another result, too"),
        (vec![all[0].clone(), other_fleet[1].clone()], "has other targets"),
        (vec![all[0].clone(), other_question[1].clone()], "asks something else"),
        (vec![all[0].clone(), other_place[1].clone()], "asks something else"),
        (vec![all[0].clone(), other_org[1].clone()], "asks something else"),
        (forged, "without the targets that had to"),
        (of_none, "without the targets that had to"),
        (no_shard, "not the result of a shard"),
        (nothing, "not the targets of its share"),
        (vec![all[0].clone(), json!({})], "it is not a result"),
        (vec![all[0].clone(), json!("passed")], "it is not a result"),
    ];
    for (results, words) in cases {
        let (code, out, whole) = merge(&results);
        assert_eq!((code, &whole), (2, &Value::Null), "{words}: {out}");
        assert!(out.contains(words), "{words}: {out}");
    }
    for texts in [vec![String::new()], vec![String::new(), String::new()]] {
        assert_eq!(merge_texts(&texts, &[]).0, 2);
    }
    let texts: Vec<String> = all.iter().map(ToString::to_string).collect();
    let (code, out, _) = merge_texts(&texts, &["--run-id=79"]);
    assert_eq!(code, 2, "yesterday's results: {out}");
    assert_eq!(merge_texts(&texts, &["--run-id="]).0, 2, "the name of the run was lost on the way");
    assert_eq!(merge_texts(&texts, &["--run-id=77"]).0, 0);
}
