//! Every state of the watch. `cargo run --release --example exhaustive` prints how many there are, and ends with 1 if a
//! promise is broken in one of them.

#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a program for people, who see how long it takes")]

#[path = "../tests/exhaustive/mod.rs"]
mod exhaustive;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

use exhaustive::model::{Menu, THEMES};
use exhaustive::{Flags, Found, explore};

fn main() -> ExitCode {
    let looks: u32 = std::env::args().nth(1).and_then(|looks| looks.parse().ok()).unwrap_or(3);
    let (mut all, began) = (Found::default(), Instant::now());
    for theme in &THEMES {
        let (menu, began) = (Menu::new(theme), Instant::now());
        let mut of_theme = Found::default();
        for flags in Flags::of(theme) {
            of_theme.join(explore(flags, &menu, looks));
        }
        let seconds = began.elapsed().as_secs_f64();
        let Found { states, transitions, depth, .. } = of_theme;
        println!("{:<14} {states:>9} states {transitions:>10} answers {depth:>2} looks {seconds:>6.1} s", theme.name);
        all.join(of_theme);
    }
    let Found { states, transitions, depth, rows, ends, broken } = &all;
    println!("{states} states, {transitions} answers, {depth} looks, {:.1} s", began.elapsed().as_secs_f64());
    println!("{} rows: {rows:?}", rows.len());
    println!("{ends:?}");
    let mut kinds: BTreeMap<String, (usize, &str)> = BTreeMap::new();
    for broken in broken {
        let kind = broken.lines().next().unwrap_or_default();
        kinds.entry(kind.chars().take(60).collect()).or_insert((0, broken)).0 += 1;
    }
    for (count, first) in kinds.values() {
        println!("{count} times: {first}");
    }
    println!("{} promises broken", broken.len());
    ExitCode::from(u8::from(!broken.is_empty()))
}
