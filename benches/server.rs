//! A server that plays deploys, for `benches/run`. It prints its URL, then answers until it is killed.
//!
//! Every component has one deploy, which is `executing` for the first `--polls` looks and the first `--seconds` after
//! the first look, and `--status` then. `/stats` counts and forgets.

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
    /// How many requests a second are answered; to the others it has too much to do
    #[arg(long)]
    rate: Option<u32>,
}

struct Server {
    arguments: Arguments,
    padding: String,
    seen: Mutex<HashMap<String, (u32, Instant)>>,
    second: Mutex<(Instant, u32)>,
    requests: AtomicU64,
    refused: AtomicU64,
    connections: AtomicU64,
}

fn main() -> std::io::Result<()> {
    let arguments = Arguments::parse();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}", listener.local_addr()?);
    let history = r#"{"status":"executing","created_at_ts":1768400000,"status_human_description":"padding"},"#;
    let server = Arc::new(Server {
        padding: history.repeat(arguments.bytes / history.len()),
        arguments,
        seen: Mutex::default(),
        second: Mutex::new((Instant::now(), 0)),
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
                let [requests, refused, connections] =
                    [&self.requests, &self.refused, &self.connections].map(|count| count.swap(0, Ordering::SeqCst));
                self.seen.lock().ok()?.clear();
                let body = format!(r#"{{"requests":{requests},"refused":{refused},"connections":{connections}}}"#);
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

    fn body(&self, path: &str) -> Option<String> {
        let Some((component, rest)) = path.split_once("/components/").and_then(|(_, rest)| rest.split_once('/')) else {
            return Some("{}".into());
        };
        let mut seen = self.seen.lock().ok()?;
        let (looks, first) = seen.entry(component.into()).or_insert((0, Instant::now()));
        *looks += u32::from(rest == "deploys/latest");
        let is_over = *looks > self.arguments.polls && first.elapsed().as_secs_f64() >= self.arguments.seconds;
        let status = if is_over { self.arguments.status.as_str() } else { "executing" };
        let id = format!("dpl{}", component.trim_start_matches("cmp"));
        Some(
            format!(r#"{{"id":"{id}","build_id":"bld","install_deploy_type":"apply","plan_only":false,"status":"x","#,)
                + &format!(
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
