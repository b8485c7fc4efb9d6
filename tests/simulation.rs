//! Thousands of simulated runs, each judged by an oracle that shares no code with the gate.

mod simulated;

use simulated::{Coverage, fleet, oracle, run, scratch, trace};

/// Seeds that once broke a promise.
const REGRESSIONS: [u64; 8] = [234_583, 236_046, 236_976, 265_635, 321_934, 429_243, 487_518, 983_195];
/// How many others are tried.
const SEEDS: u64 = 20_000;
/// How many fleets.
const FLEETS: u64 = 3000;

#[test]
fn no_seed_breaks_a_promise() {
    let threads = 4;
    let share = |thread: u64| {
        let folder = scratch("deploy-gate-simulation-");
        let mut coverage = Coverage::new();
        let mut broken = Vec::new();
        for seed in REGRESSIONS.into_iter().chain(1..=SEEDS).filter(|seed| seed % threads == thread) {
            let run = run(seed, folder.path());
            coverage.note(&run);
            let violations = oracle::violations(&run);
            if !violations.is_empty() {
                broken.push(trace(&run, &violations));
            }
        }
        (coverage, broken)
    };
    let shares = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|thread| scope.spawn(move || share(thread))).collect();
        handles.into_iter().map(|handle| handle.join().expect("no panic")).collect::<Vec<_>>()
    });
    let mut coverage = Coverage::default();
    let mut broken = Vec::new();
    for (seen, wrong) in shares {
        coverage.join(seen);
        broken.extend(wrong);
    }
    assert!(broken.is_empty(), "{} seeds break a promise\n{}", broken.len(), broken[..broken.len().min(5)].join("\n"));
    assert_eq!(coverage.missing(), [""; 0], "never seen");
}

#[test]
fn no_fleet_breaks_a_promise() {
    let folder = scratch("deploy-gate-fleets-");
    let mut broken = Vec::new();
    let mut outcomes = std::collections::BTreeMap::<String, u32>::new();
    for seed in 1..=FLEETS {
        let run = fleet::run(seed, folder.path());
        *outcomes.entry(run.outcome).or_default() += 1;
        if !run.violations.is_empty() {
            broken.push(run.trace);
        }
    }
    assert!(broken.is_empty(), "{} seeds break a promise\n{}", broken.len(), broken[..broken.len().min(3)].join("\n"));
    let every = ["passed", "failed", "undecided", "superseded", "approval-required", "timed-out", "interrupted"];
    assert!(every.iter().all(|outcome| outcomes.contains_key(*outcome)), "never seen: {outcomes:?}");
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for seed in 1..=200 {
        let (one, other) = (scratch("a"), scratch("b"));
        let (first, second) = (run(seed, one.path()), run(seed, other.path()));
        assert_eq!((first.code, &first.out, &first.err), (second.code, &second.out, &second.err), "seed {seed}");
        assert_eq!(first.report, second.report, "seed {seed}");
    }
}
