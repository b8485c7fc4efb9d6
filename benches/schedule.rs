//! How long after its end a deploy is noticed, against how many looks that takes: the gate's own schedule beside fixed
//! intervals and those of the peers. `cargo run --release --example schedule` prints the tables of `SCHEDULE.md` and
//! writes the plot, `benches/schedule.svg`; `--search` tries other schedules.
//!
//! The deploys are of two kinds: with one status from 5 s to 2 h, log-uniform; and with changes on the way, as the
//! recordings have them. The schedule is that of `src/watch/schedule.rs`, which starts again at each change that a look sees.

#![allow(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a program for people that deals in figures"
)]

use std::fmt::Write as _;
use std::time::Duration;

use deploy_gate::watch::schedule::Schedule;

/// How many deploys of each kind.
const DEPLOYS: usize = 20_000;

/// A deploy: when its status changes, the last being its end, in seconds since the gate's first look.
type Deploy = Vec<f64>;

/// Something that says when to look next, told whether the last look saw a change.
enum Looker {
    Gate(Box<Schedule>),
    Fixed(f64),
    /// Waits that grow by a factor, maybe from the first again at each change.
    Growing {
        first: f64,
        next: f64,
        factor: f64,
        longest: f64,
        restarts: bool,
    },
}

impl Looker {
    fn wait(&mut self, changed: bool) -> f64 {
        match self {
            Looker::Gate(schedule) => {
                if changed {
                    schedule.restart();
                }
                schedule.next_wait().as_secs_f64()
            }
            Looker::Fixed(interval) => *interval,
            Looker::Growing { first, next, factor, longest, restarts } => {
                if changed && *restarts {
                    *next = *first;
                }
                let wait = *next;
                *next = (*next * *factor).min(*longest);
                wait
            }
        }
    }
}

/// A point of the plot.
struct Result {
    mean: f64,
    p50: f64,
    p99: f64,
    looks: f64,
}

fn run(deploys: &[Deploy], new: impl Fn(u64) -> Looker) -> Result {
    let mut delays = Vec::with_capacity(deploys.len());
    let mut looks = 0_u64;
    for (seed, deploy) in (0..).zip(deploys) {
        let end = deploy.last().copied().unwrap_or_default();
        let mut looker = new(seed);
        let (mut now, mut seen) = (0.0, 0);
        loop {
            looks += 1;
            if now >= end {
                delays.push(now - end);
                break;
            }
            let changes = deploy.iter().filter(|change| **change <= now).count();
            // The first look sees a status for the first time.
            let changed = changes != seen || now == 0.0;
            seen = changes;
            now += looker.wait(changed);
        }
    }
    delays.sort_by(f64::total_cmp);
    let at = |share: f64| delays[((delays.len() - 1) as f64 * share) as usize];
    Result {
        mean: delays.iter().sum::<f64>() / delays.len() as f64,
        p50: at(0.5),
        p99: at(0.99),
        looks: looks as f64 / deploys.len() as f64,
    }
}

/// From 5 s to 2 h, each order of magnitude as likely.
fn length(dice: &mut fastrand::Rng) -> f64 {
    5.0 * (7200.0_f64 / 5.0).powf(dice.f64())
}

fn plain() -> Vec<Deploy> {
    let mut dice = fastrand::Rng::with_seed(1);
    (0..DEPLOYS).map(|_| vec![length(&mut dice)]).collect()
}

/// Queued, planning, executing, and often an approval between, which takes any time: shares of the whole as in the
/// recordings, where the last stretch is the shorter one.
fn changing() -> Vec<Deploy> {
    let mut dice = fastrand::Rng::with_seed(2);
    let deploy = |_| {
        let end = length(&mut dice);
        let shares: &[f64] = if dice.bool() { &[0.02, 0.35, 0.1] } else { &[0.01, 0.12, 0.6, 0.05] };
        let mut at = 0.0;
        let mut changes = Vec::new();
        for share in shares {
            at += share * (0.5 + dice.f64());
            changes.push(at.min(0.98) * end);
        }
        changes.push(end);
        changes
    };
    (0..DEPLOYS).map(deploy).collect()
}

const FIXED: [f64; 7] = [1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0];

fn gate(first: f64, longest: f64) -> impl Fn(u64) -> Looker {
    move |seed| {
        let schedule = Schedule::new(Duration::from_secs_f64(first), Duration::from_secs_f64(longest), seed);
        Looker::Gate(Box::new(schedule))
    }
}

fn growing(first: f64, factor: f64, longest: f64, restarts: bool) -> Looker {
    Looker::Growing { first, next: first, factor, longest, restarts }
}

fn main() {
    let (plain, changing) = (plain(), changing());
    if std::env::args().any(|argument| argument == "--search") {
        return search(&plain, &changing);
    }
    let mut panels = Vec::new();
    for (title, deploys) in [("One status, 5 s to 2 h", &plain), ("Changes on the way", &changing)] {
        println!("### {title}\n\n| schedule | looks, mean | delay, mean | p50 | p99 |\n|---|---|---|---|---|");
        let row = |name: &str, result: &Result| {
            println!(
                "| {name} | {:.1} | {:.2} s | {:.2} s | {:.2} s |",
                result.looks, result.mean, result.p50, result.p99
            );
        };
        let ours = run(deploys, gate(2.0, 30.0));
        row("**deploy-gate, 2 s to 30 s**", &ours);
        let mut fixed = Vec::new();
        for interval in FIXED {
            let result = run(deploys, |_| Looker::Fixed(interval));
            row(&format!("every {interval} s (hurl, a shell loop)"), &result);
            fixed.push((interval, result));
        }
        let peers = [
            ("1 s doubling to 60 s (a retry action)", run(deploys, |_| growing(1.0, 2.0, 60.0, false))),
            ("1 s doubling without end (`curl --retry`, to 10 min)", run(deploys, |_| growing(1.0, 2.0, 600.0, false))),
        ];
        for (name, result) in &peers {
            row(name, result);
        }
        println!();
        panels.push((title, ours, fixed, peers));
    }
    let svg = plot(&panels);
    match std::fs::write("benches/schedule.svg", svg) {
        Ok(()) => println!("benches/schedule.svg is written"),
        Err(error) => println!("benches/schedule.svg: {error}"),
    }
}

/// What other schedules come to: the looks and the mean delay, and that as a share of what the fixed interval with as
/// many looks has.
fn search(plain: &[Deploy], changing: &[Deploy]) {
    println!("| first | factor | longest | restarts | looks | delay | of fixed | looks | delay | of fixed |");
    println!("|---|---|---|---|---|---|---|---|---|---|");
    let row = |first: f64, factor: f64, longest: f64, restarts: bool| {
        let mut line = format!("| {first} s | {factor} | {longest} s | {} |", if restarts { "yes" } else { "no" });
        for deploys in [plain, changing] {
            let result = run(deploys, |_| growing(first, factor, longest, restarts));
            let share = result.mean / fixed_delay(deploys, result.looks);
            let _ = write!(line, " {:.1} | {:.2} s | {share:.2} |", result.looks, result.mean);
        }
        println!("{line}");
    };
    for longest in [10.0, 15.0, 20.0, 30.0, 60.0, 120.0] {
        row(2.0, 1.5, longest, true);
    }
    [1.0, 3.0, 5.0].into_iter().for_each(|first| row(first, 1.5, 30.0, true));
    [1.1, 1.25, 2.0, 3.0].into_iter().for_each(|factor| row(2.0, factor, 30.0, true));
    row(2.0, 1.5, 30.0, false);
}

/// The mean delay of the fixed interval that takes so many looks.
fn fixed_delay(deploys: &[Deploy], looks: f64) -> f64 {
    let (mut low, mut high) = (0.1, 600.0);
    for _ in 0..30 {
        let middle = (low + high) / 2.0;
        if run(&deploys[..2000], |_| Looker::Fixed(middle)).looks > looks { low = middle } else { high = middle }
    }
    run(deploys, |_| Looker::Fixed(low)).mean
}

type Panel<'p> = (&'p str, Result, Vec<(f64, Result)>, [(&'p str, Result); 2]);

/// Both axes are logarithmic; down and to the left is better.
fn plot(panels: &[Panel<'_>]) -> String {
    let (width, height) = (420.0, 330.0);
    let x = |looks: f64| 60.0 + (looks / 5.0).ln() / (2000.0_f64 / 5.0).ln() * 330.0;
    let y = |delay: f64| 280.0 - (delay / 0.3).ln() / (150.0_f64 / 0.3).ln() * 240.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {height}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <title>Delay of detection against looks</title>\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        width * panels.len() as f64
    );
    for (index, (title, ours, fixed, peers)) in panels.iter().enumerate() {
        let _ = writeln!(svg, "<g transform=\"translate({},0)\">", width * index as f64);
        let _ = writeln!(svg, "<text x=\"225\" y=\"22\" text-anchor=\"middle\" font-size=\"13\">{title}</text>");
        for looks in [10.0, 30.0, 100.0, 300.0, 1000.0] {
            let at = x(looks);
            let _ = writeln!(
                svg,
                "<path d=\"M{at:.1} 40V280\" stroke=\"#ddd\"/><text x=\"{at:.1}\" y=\"296\" text-anchor=\"middle\">{looks}</text>"
            );
        }
        for delay in [0.5, 1.0, 3.0, 10.0, 30.0, 100.0] {
            let at = y(delay);
            let _ = writeln!(
                svg,
                "<path d=\"M60 {at:.1}H390\" stroke=\"#ddd\"/><text x=\"54\" y=\"{:.1}\" text-anchor=\"end\">{delay} s</text>",
                at + 4.0
            );
        }
        let _ = writeln!(svg, "<text x=\"225\" y=\"316\" text-anchor=\"middle\">looks at a deploy, mean</text>");
        let _ = writeln!(
            svg,
            "<text transform=\"translate(14,160) rotate(-90)\" text-anchor=\"middle\">delay of detection, mean</text>"
        );
        let line: Vec<String> =
            fixed.iter().map(|(_, point)| format!("{:.1},{:.1}", x(point.looks), y(point.mean))).collect();
        let _ = writeln!(svg, "<polyline points=\"{}\" fill=\"none\" stroke=\"#777\"/>", line.join(" "));
        for (interval, point) in fixed {
            let (x, y) = (x(point.looks), y(point.mean));
            let _ = writeln!(
                svg,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"#777\"/><text x=\"{:.1}\" y=\"{:.1}\" fill=\"#555\">every {interval} s</text>",
                x + 6.0,
                y - 4.0
            );
        }
        for (name, point) in peers {
            let (x, y) = (x(point.looks).max(60.0), y(point.mean).max(40.0));
            let name = name.split(" (").next().unwrap_or_default();
            let _ = writeln!(
                svg,
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"6\" height=\"6\" fill=\"#b60\"/><text x=\"{:.1}\" y=\"{:.1}\" fill=\"#b60\">{name}</text>",
                x - 3.0,
                y - 3.0,
                // Beside the line of the fixed intervals, not on it.
                (x - 118.0).max(66.0),
                y + 18.0
            );
        }
        let (x, y) = (x(ours.looks), y(ours.mean));
        let _ = writeln!(
            svg,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\" fill=\"#06c\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#06c\" font-weight=\"bold\">deploy-gate</text>",
            x - 8.0,
            y + 12.0
        );
        svg.push_str("</g>\n");
    }
    svg + "</svg>\n"
}
