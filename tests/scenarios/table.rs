//! Every status, with every outcome of an assertion, every pin, every fault and every deadline, has exactly one ending.
//! The table of statuses is written down a second time here: it is the contract.

use crate::script::*;

const PASSES: [&str; 3] = ["active", "auto-skipped", "no-drift"];
const FAILS: [&str; 13] = [
    "error",
    "noop",
    "cancelled",
    "approval-denied",
    "approval-expired",
    "not-attempted",
    "user-skipped",
    "drift-detected",
    "drifted",
    "expired",
    "health-failed",
    "failed-pending-retry",
    "inactive",
];
const RUNS: [&str; 22] = [
    "",
    "queued",
    "pending",
    "planning",
    "syncing",
    "executing",
    "pending-approval",
    "approval-awaiting",
    "awaiting-user-run",
    "in-progress",
    "checking-plan",
    "building",
    "applying",
    "provisioning",
    "deleting",
    "retrying",
    "approval-retry",
    "approved",
    "generating",
    "retried",
    "discarded",
    "outdated",
];
const UNKNOWN: [&str; 6] = ["unknown", "warming-up", "Active", " active", "success", "warning"];

const ASSERTIONS: [(&str, &[&str], &str); 4] = [
    ("none", &[], ""),
    ("true", &["--assert=$.install_deploy_type == 'apply'"], ""),
    ("false", &["--assert=$.install_deploy_type == 'teardown'"], "assertion-false"),
    ("vacuous", &["--assert=$.plan.only == false"], "assertion-vacuous"),
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Pin {
    None,
    Holds,
    DoesNotHold,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    /// Only the first look goes wrong.
    First,
    /// Every look goes wrong.
    Every,
    Absent,
    Refused(u16),
}

const FAULTS: [Fault; 7] = [
    Fault::None,
    Fault::First,
    Fault::Every,
    Fault::Absent,
    Fault::Refused(401),
    Fault::Refused(403),
    Fault::Refused(400),
];

/// What the contract says.
fn ending(status: &str, assertion: &str, pin: Pin, fault: Fault, deadline: u64) -> (u8, &'static str, &'static str) {
    match fault {
        Fault::Refused(401) => return (3, "undecided", "unauthorized"),
        Fault::Refused(403) => return (3, "undecided", "forbidden"),
        Fault::Refused(_) => return (3, "undecided", "bad-answer"),
        Fault::Absent => return (3, "undecided", "never-appeared"),
        Fault::Every => return (124, "timed-out", "unreachable"),
        Fault::First if deadline == 0 => return (124, "timed-out", "unreachable"),
        Fault::First | Fault::None => {}
    }
    if pin == Pin::DoesNotHold {
        return (3, "undecided", "never-appeared");
    }
    if PASSES.contains(&status) {
        return match assertion {
            "" => (0, "passed", ""),
            "assertion-false" => (1, "failed", "assertion-false"),
            _ => (1, "failed", "assertion-vacuous"),
        };
    }
    if FAILS.contains(&status) {
        return (1, "failed", "deploy-failed");
    }
    if RUNS.contains(&status) {
        return (124, "timed-out", "still-running");
    }
    (124, "timed-out", "unknown-status")
}

#[test]
fn everything_has_exactly_one_ending() {
    let statuses = [&PASSES[..], &FAILS, &RUNS, &UNKNOWN].concat();
    let table: Vec<&str> = deploy_gate::nuon::deploy::TABLE.iter().map(|row| row.status).collect();
    assert!(table.iter().all(|word| statuses.contains(word)), "the gate knows a status that the contract does not");
    let runs = std::thread::scope(|scope| {
        let shares: Vec<_> = statuses
            .chunks(10)
            .map(|share| scope.spawn(|| share.iter().map(|status| endings_of(status)).sum::<usize>()))
            .collect();
        shares.into_iter().map(|share| share.join().expect("each ends as it should")).sum::<usize>()
    });
    assert_eq!(runs, 44 * 4 * 3 * 7 * 2);
}

/// Tries everything with a status, and returns how many runs that were.
fn endings_of(status: &str) -> usize {
    let mut runs = 0;
    for (assertion, flags, reason) in ASSERTIONS {
        for pin in [Pin::None, Pin::Holds, Pin::DoesNotHold] {
            for fault in FAULTS {
                for deadline in [0, 40] {
                    let timeout = format!("--timeout={deadline}s");
                    let mut arguments = vec![timeout.as_str()];
                    arguments.extend(flags);
                    match pin {
                        Pin::None => {}
                        Pin::Holds => arguments.push("--build=bld00000000000000000000001"),
                        Pin::DoesNotHold => arguments.push("--build=bld00000000000000000000002"),
                    }
                    let answers = match fault {
                        Fault::None => vec![deploy(status)],
                        Fault::First => vec![reset(), deploy(status)],
                        Fault::Every => vec![reset()],
                        Fault::Absent => vec![http(404, "")],
                        Fault::Refused(code) => vec![http(code, "")],
                    };
                    let ran = run(&arguments, &answers);
                    let case = format!("{status:?}, {assertion}, {pin:?}, {fault:?}, {deadline}");
                    assert_eq!(ran.ended(), ending(status, reason, pin, fault, deadline), "{case}\n{}", ran.out);
                    assert!(ran.seconds() <= deadline, "{case}");
                    runs += 1;
                }
            }
        }
    }
    runs
}
