//! The order of the rooms of `src/`: each may use those below it, never one above; and what decides is pure.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// From the top to the bottom.
const ROOMS: [&str; 9] = ["cli", "run", "report", "watch", "judge", "nuon", "net", "text", "base"];

/// The rooms that decide, and what they may not name: files, the network, processes, threads, the wall clock.
const PURE: [&str; 3] = ["watch", "judge", "nuon"];
const IMPURE: [&str; 9] = [
    "std::fs",
    "std::net",
    "std::env",
    "std::io",
    "std::process",
    "std::thread",
    "Instant",
    "SystemTime",
    "Timestamp::now",
];
/// Assertions are evaluated on a thread of their own, so that a costly one can be given up.
const EXCEPT: [(&str, &str); 1] = [("judge/assertion/background.rs", "std::thread")];

fn files(folder: &Path, all: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        match entry.path() {
            path if path.is_dir() => files(&path, all),
            path => all.push(path),
        }
    }
}

/// Each line of code of each room: the file, its room, the line. Tests inside of a file and comments are left out.
fn lines() -> Vec<(String, String, String)> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut all, mut lines) = (Vec::new(), Vec::new());
    files(&source, &mut all);
    for path in all {
        let name = path.strip_prefix(&source).expect("below").to_string_lossy().replace('\\', "/");
        let Some((room, _)) = name.split_once('/') else { continue };
        let text = std::fs::read_to_string(&path).expect("a file");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for line in code.lines().map(str::trim).filter(|line| !line.starts_with("//")) {
            lines.push((name.clone(), room.to_owned(), line.to_owned()));
        }
    }
    lines
}

#[test]
fn a_room_uses_only_those_below_it() {
    let mut uses = 0;
    for (file, room, line) in lines() {
        let place = |room: &str| ROOMS.iter().position(|other| *other == room);
        let own = place(&room).unwrap_or_else(|| panic!("{file}: no room"));
        for path in line.split("crate::").skip(1) {
            let used = path.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
            assert!(place(used).is_some_and(|used| used >= own), "{file} is above or beside what it uses: {line}");
            uses += 1;
        }
    }
    assert!(uses > 100, "{uses} uses were found");
}

/// The files that each file uses, by the names of their modules (`watch::pin`).
fn graph() -> BTreeMap<String, BTreeSet<String>> {
    let module = |file: &str| file.trim_end_matches(".rs").trim_end_matches("/mod").replace('/', "::");
    let all: BTreeSet<String> = lines().iter().map(|(file, ..)| module(file)).collect();
    let mut graph = BTreeMap::<String, BTreeSet<String>>::new();
    for (file, _, line) in lines() {
        let own = module(&file);
        let above = own.rsplit_once("::").map_or("", |(above, _)| above).to_owned();
        let mut paths: Vec<String> = Vec::new();
        for (word, prefix) in [("crate::", String::new()), ("super::", format!("{above}::"))] {
            for path in line.split(word).skip(1) {
                let (head, names) = path.split_once('{').unwrap_or((path, ""));
                let head = head.trim_end_matches(';');
                paths.push(format!("{prefix}{head}"));
                let names = names.split('}').next().unwrap_or_default().split(',');
                paths.extend(names.map(|name| format!("{prefix}{head}{}", name.trim())));
            }
        }
        // What a room shows of the files in it.
        paths.extend(line.strip_prefix("pub use ").map(|path| format!("{own}::{path}")));
        for path in paths {
            let end = path.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':').unwrap_or(path.len());
            let mut found = path[..end].trim_end_matches(':');
            while !found.is_empty() && !all.contains(found) {
                found = found.rsplit_once("::").map_or("", |(above, _)| above);
            }
            if !found.is_empty() && found != own {
                graph.entry(own.clone()).or_default().insert(found.to_owned());
            }
        }
    }
    graph
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let mut graph = graph();
    let edges: usize = graph.values().map(BTreeSet::len).sum();
    assert!(edges > 200, "{edges} uses were found");
    // Whatever uses nothing that is left is in no circle.
    loop {
        let there: BTreeSet<String> = graph.keys().cloned().collect();
        graph.values_mut().for_each(|uses| uses.retain(|used| there.contains(used)));
        let before = graph.len();
        graph.retain(|_, uses| !uses.is_empty());
        if graph.len() == before {
            break;
        }
    }
    assert!(graph.is_empty(), "{graph:#?}");
}

#[test]
fn what_decides_is_pure() {
    for (file, room, line) in lines() {
        let named = IMPURE.iter().find(|name| PURE.contains(&room.as_str()) && line.contains(**name));
        let is_known = named.is_some_and(|name| EXCEPT.contains(&(file.as_str(), name)));
        assert!(named.is_none() || is_known, "{file} is to be pure: {line}");
    }
}
