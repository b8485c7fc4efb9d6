//! `deploy-gate merge`: the results of all shards of a run as one. Nothing is believed that the results cannot show:
//! they are of one run of one fleet, all of them are there, and each is sound. Pure.

use std::collections::BTreeSet;

use crate::quorum::Quorum;
use crate::report::{Fleet, Report, ShardSeen, Tool};
use crate::verdict::Ending;

/// A file, by its name, and what is in it.
pub type Named = (String, String);

/// The result of one shard.
struct Part {
    name: String,
    report: Report,
    fleet: Fleet,
    shard: ShardSeen,
    ending: Ending,
}

/// Joins the results. `run` is the run that this one belongs to, if that is known.
///
/// # Errors
/// Which result does not belong here, and why.
pub fn merge(results: &[Named], run: Option<&str>) -> Result<Report, String> {
    let mut parts: Vec<Part> = Vec::new();
    // A run that was killed leaves the file as it made it: empty.
    for (name, text) in results.iter().filter(|(_, text)| !text.trim().is_empty()) {
        let part = self::part(name, text).map_err(|why| format!("{name}: {why}"))?;
        if let Some(run) = run.filter(|run| *run != part.shard.run) {
            return Err(format!("{name}: it is of the run \"{}\", and this one is \"{run}\"", part.shard.run));
        }
        if let Some(first) = parts.first() {
            belongs(&part, first).map_err(|why| format!("{name}: {why} {}", first.name))?;
        }
        if let Some(twin) = parts.iter().find(|other| other.shard.index == part.shard.index) {
            return Err(format!("{name}: it is of shard {}, as is {}", part.shard.index, twin.name));
        }
        parts.push(part);
    }
    if parts.is_empty() {
        return Err("there is no result in any of the files; a pass over nothing is none".into());
    }
    parts.sort_by_key(|part| part.shard.index);
    let mut seen = BTreeSet::new();
    for part in &parts {
        for verdict in &part.report.targets {
            if !seen.insert((verdict.install.clone(), verdict.component.clone())) {
                let target = format!("{} / {}", verdict.install, verdict.component);
                return Err(format!("{}: the target {target} is in another result, too", part.name));
            }
        }
    }
    Ok(join(parts))
}

/// Reads one result and makes sure that it is sound.
fn part(name: &str, text: &str) -> Result<Part, String> {
    let unsound = |what: &str| Err(format!("the result contradicts itself: {what}"));
    let report: Report = serde_json::from_str(text).map_err(|error| format!("it is not a result ({error})"))?;
    if (report.schema_version, &report.tool) != (1, &Tool::THIS) {
        let Tool { name, version } = &report.tool;
        return Err(format!("it was written by {name} {version}; this is {} {}", Tool::THIS.name, Tool::THIS.version));
    }
    let Some(fleet) = report.fleet.clone() else { return Err("it is not the result of a shard".into()) };
    let Some(shard) = fleet.shard.clone() else { return Err("it is not the result of a shard".into()) };
    let Some(ending) = Ending::find(&report.outcome, &report.reason, report.exit_code) else {
        return unsound("outcome, reason and exit code do not belong together");
    };
    if !(1..=shard.of).contains(&shard.index) || shard.of > fleet.targets {
        return unsound(&format!("there is no shard {} of {}", shard.index, shard.of));
    }
    if report.targets.len() != (fleet.targets - shard.index) / shard.of + 1 {
        return unsound("it has not the targets of its share");
    }
    let passed = report.targets.iter().filter(|verdict| verdict.is_pass()).count();
    if passed != fleet.passed {
        return unsound("other targets passed than it says");
    }
    let quorum = Quorum { min_pass: fleet.min_pass, max_fail: fleet.max_fail };
    let total = report.targets.len();
    let is_pass = fleet.min_pass > 0 && quorum.certain(passed, total - passed, 0) == Some(true);
    if ending == Ending::Passed && !is_pass {
        return unsound("it passed without the targets that had to");
    }
    Ok(Part { name: name.into(), report, fleet, shard, ending })
}

/// Whether two results are of one run of one fleet.
fn belongs(part: &Part, first: &Part) -> Result<(), &'static str> {
    let (one, other) = (&part.shard, &first.shard);
    if one.run != other.run {
        Err("it is of another run than")
    } else if one.of != other.of {
        Err("there are other shards than in")
    } else if (&one.fingerprint, part.fleet.targets) != (&other.fingerprint, first.fleet.targets) {
        Err("it has other targets, or asks something else of them, than")
    } else {
        Ok(())
    }
}

fn join(parts: Vec<Part>) -> Report {
    let (of, targets) = (parts[0].shard.of, parts[0].fleet.targets);
    let there: Vec<usize> = parts.iter().map(|part| part.shard.index).collect();
    let missing: Vec<String> = (1..=of).filter(|index| !there.contains(index)).map(|index| index.to_string()).collect();
    let mut endings: Vec<(Ending, String)> = parts
        .iter()
        .filter(|part| part.ending != Ending::Passed)
        .map(|part| (part.ending, format!("shard {} of {of}: {}", part.shard.index, part.report.message)))
        .collect();
    if !missing.is_empty() {
        let why = format!("the result of shard {} of {of} is missing", missing.join(", "));
        endings.push((Ending::ShardMissing, why));
    }
    endings.sort_by_key(|(ending, _)| ending.gravity());
    let passed = parts.iter().map(|part| part.fleet.passed).sum();
    let (ending, message) = endings.into_iter().next().unwrap_or_else(|| match passed {
        all if all == targets => (Ending::Passed, format!("all {targets} targets of {of} shards passed")),
        _ => {
            (Ending::Passed, format!("{passed} of {targets} targets passed, as many as had to in each of {of} shards"))
        }
    });
    let fleet = Fleet {
        targets,
        passed,
        min_pass: parts.iter().map(|part| part.fleet.min_pass).sum(),
        max_fail: parts.iter().map(|part| part.fleet.max_fail).sum(),
        shard: None,
    };
    let reports = || parts.iter().map(|part| &part.report);
    let mut verdicts: Vec<_> = reports().flat_map(|report| report.targets.iter().cloned()).collect();
    verdicts.sort_by_key(|verdict| verdict.gravity());
    Report {
        schema_version: 1,
        tool: Tool::THIS,
        outcome: ending.outcome().name().into(),
        reason: ending.reason().into(),
        message,
        exit_code: ending.code(),
        started_at: reports().filter_map(|report| report.started_at.clone()).min(),
        finished_at: reports().filter_map(|report| report.finished_at.clone()).max(),
        duration_ms: reports().map(|report| report.duration_ms).max().unwrap_or_default(),
        fleet: Some(fleet),
        targets: verdicts,
    }
}
