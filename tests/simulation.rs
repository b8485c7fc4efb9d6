//! Thousands of simulated runs, each judged by an oracle that knows the truth of its world and shares no code with the
//! gate.
//!
//! `SEEDS=1000000 cargo test --release --test simulation -- --nocapture no_seed` tries more of them, and `no_fleet` more
//! runs of many targets; `FIRST=N` begins at another seed; `TRACE=SEED cargo test --test simulation -- --nocapture one`
//! shows one run.

#![expect(clippy::disallowed_methods, clippy::print_stderr, reason = "for people, who say how many and see how fast")]

mod simulated;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use simulated::{Coverage, Judged, branch_runs, lists, many, mates, oracle, run, trace, whole};

/// Seeds that once broke a promise.
const REGRESSIONS: [u64; 13] =
    [1751, 8385, 9544, 13_882, 21_253, 33_810, 39_677, 38_087, 157_394, 530_930, 559_602, 677_920, 702_156];
/// How many others are tried, if `SEEDS` does not say.
const SEEDS: u64 = 20_000;
/// How many of many targets.
const FLEETS: u64 = 3000;
/// How many pairs of targets of one workflow.
const MATES: u64 = 3000;
/// How many lists of targets.
const LISTS: u64 = 3000;
/// How many runs of an app branch.
const BRANCH_RUNS: u64 = 3000;
/// How many workflows as a whole.
const WHOLES: u64 = 5000;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|value| value.parse().expect("a number"))
}

/// Tries the seeds on all cores; `simulate` runs one and gives its trace where it breaks a promise.
fn none_of(default: u64, always: &[u64], simulate: impl Fn(u64, &mut Coverage) -> Option<String> + Sync) -> Coverage {
    let (began, first) = (Instant::now(), number("FIRST").unwrap_or(1));
    let (next, end) = (AtomicU64::new(first), first + number("SEEDS").unwrap_or(default));
    let (coverage, broken) = (Mutex::new(Coverage::default()), Mutex::new(Vec::new()));
    let share = |seeds: &mut dyn Iterator<Item = u64>| {
        let mut own = Coverage::default();
        for seed in seeds {
            let trace = simulate(seed, &mut own);
            broken.lock().expect("no panic").extend(trace.map(|trace| (seed, trace)));
        }
        coverage.lock().expect("no panic").join(own);
    };
    share(&mut always.iter().copied());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let first = next.fetch_add(100, Ordering::Relaxed);
                    if first >= end {
                        break;
                    }
                    share(&mut (first..(first + 100).min(end)));
                }
            });
        }
    });
    let (coverage, mut broken) = (coverage.into_inner().expect("no panic"), broken.into_inner().expect("no panic"));
    for (name, count) in &coverage.0 {
        eprintln!("{count:>10}  {name}");
    }
    eprintln!("seeds {first} to {} in {:.1} s", end - 1, began.elapsed().as_secs_f64());
    broken.sort();
    broken.dedup_by_key(|(seed, _)| *seed);
    for (kind, seeds) in kinds_of(&broken) {
        eprintln!("{:>10}  seeds, as {:?}: {kind}", seeds.len(), &seeds[..seeds.len().min(6)]);
    }
    let traces: Vec<_> = broken.iter().take(5).map(|(_, trace)| trace.as_str()).collect();
    assert!(broken.is_empty(), "{} seeds break a promise\n{}", broken.len(), traces.join("\n"));
    coverage
}

/// The same for runs that are judged already; each of these outcomes has to be seen.
fn none_breaks_a_promise(default: u64, run: fn(u64) -> Judged, every: &[&str]) {
    let seen = none_of(default, &[], |seed, coverage| {
        let run = run(seed);
        *coverage.0.entry(run.outcome).or_default() += 1;
        (!run.violations.is_empty()).then_some(run.trace)
    });
    assert!(every.iter().all(|outcome| seen.0.contains_key(*outcome)), "never seen: {:?}", seen.0);
}

/// Which seeds broke a promise in the same way.
fn kinds_of(broken: &[(u64, String)]) -> BTreeMap<String, Vec<u64>> {
    let mut kinds: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (seed, trace) in broken {
        for line in trace.lines().filter_map(|line| line.trim().strip_prefix("VIOLATION ")) {
            let kind: String = line.chars().filter(|c| !c.is_ascii_digit()).take(60).collect();
            kinds.entry(kind).or_default().push(*seed);
        }
    }
    kinds
}

#[test]
fn no_seed_breaks_a_promise() {
    let seen = none_of(SEEDS, &REGRESSIONS, |seed, coverage| {
        let run = run(seed);
        coverage.note(&run);
        let violations = oracle::violations(&run);
        (!violations.is_empty()).then(|| trace(&run, &violations))
    });
    let mut coverage = Coverage::new();
    coverage.join(seen);
    assert_eq!(coverage.missing(), [""; 0], "never seen");
}

#[test]
fn no_fleet_breaks_a_promise() {
    none_breaks_a_promise(
        FLEETS,
        many::run,
        &["passed", "failed", "undecided", "superseded", "approval-required", "timed-out", "interrupted"],
    );
}

#[test]
fn no_targets_of_one_workflow_break_a_promise() {
    none_breaks_a_promise(
        MATES,
        mates::run,
        &["passed", "failed", "undecided", "approval-required", "timed-out", "interrupted"],
    );
}

#[test]
fn no_list_of_targets_breaks_a_promise() {
    none_breaks_a_promise(
        LISTS,
        lists::run,
        &["passed ", "failed deploy-failed", "undecided never-appeared", "timed-out unreachable"],
    );
}

#[test]
fn no_branch_run_breaks_a_promise() {
    none_breaks_a_promise(
        BRANCH_RUNS,
        branch_runs::run,
        &["passed", "failed", "undecided", "approval-required", "timed-out", "interrupted"],
    );
}

#[test]
fn no_workflow_as_a_whole_breaks_a_promise() {
    none_breaks_a_promise(
        WHOLES,
        whole::run,
        &["passed ", "failed deploy-failed", "failed workflow-failed", "undecided not-found", "approval-required "],
    );
}

#[test]
fn one_seed_is_shown() {
    let run = run(number("TRACE").unwrap_or(1));
    eprintln!("{}{}\n{}", run.err, run.out, trace(&run, &oracle::violations(&run)));
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for seed in 1..=200 {
        let (first, second) = (run(seed), run(seed));
        assert_eq!((first.code, &first.out, &first.err), (second.code, &second.out, &second.err), "seed {seed}");
        assert_eq!(first.report, second.report, "seed {seed}");
    }
}
