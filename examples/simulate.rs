//! Simulates any number of runs and judges each: `cargo run --release --example simulate -- --seeds 1000000`.
//!
//! `--fleets` simulates many targets a run; `--from N` begins at another seed; `--trace SEED` shows one run.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::exit,
    reason = "a program for people, that tells its own speed"
)]

#[path = "../tests/simulated/mod.rs"]
mod simulated;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use clap::Parser;
use simulated::{Coverage, fleet, oracle, run, scratch, trace};

#[derive(Parser)]
struct Arguments {
    /// How many seeds
    #[arg(long, default_value_t = 20_000)]
    seeds: u64,
    /// Many targets a run
    #[arg(long)]
    fleets: bool,
    /// The first of them
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// One seed only, with its log
    #[arg(long)]
    trace: Option<u64>,
}

fn main() {
    let arguments = Arguments::parse();
    if let Some(seed) = arguments.trace {
        let run = run(seed, scratch("deploy-gate-simulate-").path());
        println!("{}{}\n{}", run.err, run.out, trace(&run, &oracle::violations(&run)));
        return;
    }
    let began = Instant::now();
    let next = AtomicU64::new(arguments.from);
    let end = arguments.from + arguments.seeds;
    let (coverage, broken) =
        (Mutex::new(if arguments.fleets { Coverage::default() } else { Coverage::new() }), Mutex::new(Vec::new()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut own = Coverage::default();
                loop {
                    let first = next.fetch_add(100, Ordering::Relaxed);
                    if first >= end {
                        break;
                    }
                    let folder = scratch("deploy-gate-simulate-");
                    for seed in first..(first + 100).min(end) {
                        if arguments.fleets {
                            let run = fleet::run(seed, folder.path());
                            *own.0.entry(format!("outcome of a fleet {}", run.outcome)).or_default() += 1;
                            if !run.violations.is_empty() {
                                broken.lock().expect("no panic").push((seed, run.trace));
                            }
                            continue;
                        }
                        let run = run(seed, folder.path());
                        own.note(&run);
                        let violations = oracle::violations(&run);
                        if !violations.is_empty() {
                            broken.lock().expect("no panic").push((seed, trace(&run, &violations)));
                        }
                    }
                }
                coverage.lock().expect("no panic").join(own);
            });
        }
    });
    let (coverage, mut broken) = (coverage.into_inner().expect("no panic"), broken.into_inner().expect("no panic"));
    broken.sort();
    for (name, count) in &coverage.0 {
        println!("{count:>10}  {name}");
    }
    broken.iter().take(10).for_each(|(_, trace)| println!("\n{trace}"));
    let seconds = began.elapsed().as_secs_f64();
    let missing = coverage.missing();
    println!(
        "\n{} seeds in {seconds:.1} s ({:.0} a second on {threads} threads), {} violations, never seen: {missing:?}",
        arguments.seeds,
        arguments.seeds as f64 / seconds,
        broken.len()
    );
    std::process::exit(i32::from(!broken.is_empty() || !missing.is_empty()));
}
