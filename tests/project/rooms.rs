//! The order of the rooms of `src/`: each may use those below it, never one above; and what decides is pure.

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

#[test]
fn what_decides_is_pure() {
    for (file, room, line) in lines() {
        let named = IMPURE.iter().find(|name| PURE.contains(&room.as_str()) && line.contains(**name));
        let is_known = named.is_some_and(|name| EXCEPT.contains(&(file.as_str(), name)));
        assert!(named.is_none() || is_known, "{file} is to be pure: {line}");
    }
}
