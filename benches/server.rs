//! A server that plays deploys, for `benches/run`. It prints its URL, then answers until it is killed.
//!
//! Every component has one deploy, which is `executing` for the first `--polls` looks and the first `--seconds` after
//! the first look, and `--status` then. With `--flow N`, the first N are deployed by one workflow, one after the other, so
//! that the last is over after `--seconds`. With `--installs N`, an app has so many installs. `/stats` counts and forgets.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a program of its own, with real sockets and real time"
)]

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use clap::Parser;

/// An entry of a history.
const HISTORY: &str = r#"{"status":"executing","created_at_ts":1768400000,"status_human_description":"padding"},"#;

#[derive(Parser)]
struct Arguments {
    /// How many looks a deploy is not over for
    #[arg(long, default_value_t = 0)]
    polls: u32,
    /// How many seconds since its first look a deploy is not over for
    #[arg(long, default_value_t = 0.0)]
    seconds: f64,
    /// How it ends
    #[arg(long, default_value = "active")]
    status: String,
    /// How large its document is, at least
    #[arg(long, default_value_t = 4096)]
    bytes: usize,
    /// How many components one workflow deploys
    #[arg(long)]
    flow: Option<usize>,
    /// How many installs an app has
    #[arg(long, default_value_t = 0)]
    installs: usize,
    /// How many requests a second are answered; to the others it has too much to do
    #[arg(long)]
    rate: Option<u32>,
}

struct Server {
    arguments: Arguments,
    padding: String,
    seen: Mutex<HashMap<String, (u32, Instant)>>,
    second: Mutex<(Instant, u32)>,
    /// When the first request came.
    began: Mutex<Option<Instant>>,
    bytes: AtomicU64,
    requests: AtomicU64,
    refused: AtomicU64,
    connections: AtomicU64,
}

fn main() -> std::io::Result<()> {
    let arguments = Arguments::parse();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}", listener.local_addr()?);
    let history = HISTORY;
    let server = Arc::new(Server {
        padding: history.repeat(arguments.bytes / history.len()),
        arguments,
        seen: Mutex::default(),
        second: Mutex::new((Instant::now(), 0)),
        began: Mutex::default(),
        bytes: AtomicU64::new(0),
        requests: AtomicU64::new(0),
        refused: AtomicU64::new(0),
        connections: AtomicU64::new(0),
    });
    for stream in listener.incoming() {
        let (server, stream) = (Arc::clone(&server), stream?);
        // A thread a connection, small, since there can be a thousand.
        std::thread::Builder::new().stack_size(128 << 10).spawn(move || server.serve(&stream))?;
    }
    Ok(())
}

impl Server {
    fn serve(&self, stream: &TcpStream) -> Option<()> {
        let _ = stream.set_nodelay(true);
        let (mut reader, mut writer) = (BufReader::new(stream), stream);
        let mut is_first = true;
        loop {
            let mut path = String::new();
            let mut line = String::new();
            loop {
                line.clear();
                if reader.read_line(&mut line).ok()? == 0 {
                    return None;
                }
                match line.trim_end() {
                    "" => break,
                    head if path.is_empty() => path = head.split(' ').nth(1).unwrap_or_default().into(),
                    _ => {}
                }
            }
            if path == "/stats" {
                let [requests, refused, connections, bytes] =
                    [&self.requests, &self.refused, &self.connections, &self.bytes]
                        .map(|count| count.swap(0, Ordering::SeqCst));
                self.seen.lock().ok()?.clear();
                let body = format!(
                    r#"{{"requests":{requests},"refused":{refused},"connections":{connections},"bytes":{bytes}}}"#
                );
                send(&mut writer, "200 OK", &body)?;
                continue;
            }
            if std::mem::take(&mut is_first) {
                self.connections.fetch_add(1, Ordering::SeqCst);
            }
            self.requests.fetch_add(1, Ordering::SeqCst);
            if self.is_too_much()? {
                self.refused.fetch_add(1, Ordering::SeqCst);
                send(&mut writer, "429 Too Many Requests\r\nretry-after: 1", "{}")?;
                continue;
            }
            let body = self.body(&path)?;
            self.bytes.fetch_add(body.len() as u64, Ordering::SeqCst);
            send(&mut writer, "200 OK\r\ncontent-type: application/json", &body)?;
        }
    }

    /// Whether this second has had all the requests that it may have.
    fn is_too_much(&self) -> Option<bool> {
        let Some(rate) = self.arguments.rate else { return Some(false) };
        let mut second = self.second.lock().ok()?;
        if second.0.elapsed() >= Duration::from_secs(1) {
            *second = (Instant::now(), 0);
        }
        second.1 += 1;
        Some(second.1 > rate)
    }

    /// How long it is since the first request.
    fn elapsed(&self) -> Option<f64> {
        Some(self.began.lock().ok()?.get_or_insert_with(Instant::now).elapsed().as_secs_f64())
    }

    /// When a component of the workflow is deployed, in seconds since the first request.
    fn end_of(&self, component: usize) -> f64 {
        self.arguments.seconds * component as f64 / self.arguments.flow.unwrap_or(1) as f64
    }

    /// The workflow that deploys one component after the other.
    fn workflow(&self, path: &str, count: usize) -> Option<String> {
        let now = self.elapsed()?;
        let id = path.trim_start_matches("/v1/workflows/").split('?').next().unwrap_or_default();
        let step = |component: usize| {
            let (begin, end) = (self.end_of(component - 1), self.end_of(component));
            let status = if now >= end {
                "success"
            } else if now >= begin {
                "in-progress"
            } else {
                "pending"
            };
            let target = if now >= begin { format!("dpl{component:023}") } else { String::new() };
            format!(
                r#"{{"id":"iws{component:023}","name":"deploy {component}","group_idx":{component},"status":{{"status":"{status}","history":[{}{{}}]}},"step_target_type":"install_deploys","step_target_id":"{target}"}}"#,
                &self.padding[..self.padding.len() / 4 / HISTORY.len() * HISTORY.len()]
            )
        };
        let steps: Vec<String> = (1..=count).map(step).collect();
        let (status, finished) = if now >= self.arguments.seconds { ("success", true) } else { ("in-progress", false) };
        Some(format!(
            r#"{{"id":"{id}","owner_id":"inl00000000000000000000001","plan_only":false,"finished":{finished},"status":{{"status":"{status}"}},"steps":[{}]}}"#,
            steps.join(",")
        ))
    }

    /// A deploy of that workflow.
    fn of_workflow(&self, component: usize) -> Option<String> {
        let is_over = self.elapsed()? >= self.end_of(component);
        let status = if is_over { self.arguments.status.as_str() } else { "executing" };
        Some(format!(
            r#"{{"id":"dpl{component:023}","install_id":"inl00000000000000000000001","component_id":"cmp{component:023}","install_component_id":"inc{component:023}","build_id":"bld","install_workflow_id":"inw00000000000000000000001","install_deploy_type":"apply","plan_only":false,"created_at":"2026-01-14T17:00:00Z","status_v2":{{"status":"{status}","history":[{}{{}}]}}}}"#,
            self.padding
        ))
    }

    /// A page of the installs of an app.
    fn page(&self, path: &str) -> String {
        let number = |name: &str| {
            let rest = path.split_once(name)?.1;
            rest.split('&').next()?.parse::<usize>().ok()
        };
        let (offset, limit) = (number("offset=").unwrap_or(0), number("limit=").unwrap_or(10));
        let entries = (offset + 1..=self.arguments.installs).take(limit);
        let entries: Vec<String> = entries.map(|nth| format!(r#"{{"id":"inl{nth:023}","name":"i{nth}"}}"#)).collect();
        format!("[{}]", entries.join(","))
    }

    fn body(&self, path: &str) -> Option<String> {
        if path.starts_with("/v1/apps/") {
            return Some(self.page(path));
        }
        if let Some(count) = self.arguments.flow {
            if path.starts_with("/v1/workflows/") {
                return self.workflow(path, count);
            }
            let number = |prefix: &str| path.split_once(prefix)?.1.get(..23)?.parse::<usize>().ok();
            if let Some(component) = number("/deploys/dpl").or_else(|| number("/components/cmp")) {
                return self.of_workflow(component);
            }
        }
        if let Some(install) = path.strip_prefix("/v1/installs/").filter(|rest| !rest.contains('/')) {
            return Some(format!(r#"{{"id":"{install}"}}"#));
        }
        let install = path.strip_prefix("/v1/installs/").and_then(|rest| rest.split('/').next()).unwrap_or_default();
        let Some((component, rest)) = path.split_once("/components/").and_then(|(_, rest)| rest.split_once('/')) else {
            return Some("{}".into());
        };
        let mut seen = self.seen.lock().ok()?;
        let (looks, first) = seen.entry(format!("{install}{component}")).or_insert((0, Instant::now()));
        *looks += u32::from(rest == "deploys/latest");
        let is_over = *looks > self.arguments.polls && first.elapsed().as_secs_f64() >= self.arguments.seconds;
        let status = if is_over { self.arguments.status.as_str() } else { "executing" };
        let id = format!("dpl{}", component.trim_start_matches("cmp"));
        Some(
            format!(
                r#"{{"id":"{id}","component_id":"{component}","install_component_id":"inc","build_id":"bld","install_deploy_type":"apply","plan_only":false,"status":"x","#,
            ) + &format!(
                r#""status_v2":{{"status":"{status}","status_human_description":"x","history":[{}{{}}]}}}}"#,
                self.padding
            ),
        )
    }
}

fn send(writer: &mut impl Write, status: &str, body: &str) -> Option<()> {
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    writer.write_all(answer.as_bytes()).ok()
}
