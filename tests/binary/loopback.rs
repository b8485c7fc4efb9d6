//! The binary, and a loopback server that answers what a test wants, byte by byte.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The token of every run.
pub const TOKEN: &str = "secret-token-0123456789";
/// Where the latest deploy of [`wait`] is.
pub const LATEST: &str = "/v1/installs/inl00000000000000000000001/components/cmp00000000000000000000001/deploys/latest";

/// The binary with a clean environment.
pub fn deploy_gate(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deploy-gate"));
    command.args(arguments).env_clear().env("NUON_API_TOKEN", TOKEN).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// `deploy-gate wait` at a server, looking often.
pub fn wait(url: &str, arguments: &[&str]) -> Command {
    let mut command =
        deploy_gate(&["wait", "--install=inl00000000000000000000001", "--component=cmp00000000000000000000001"]);
    // A default for tests that would wait for ever if they failed; a flag beats it.
    command.env("DEPLOY_GATE_TIMEOUT", "20s");
    command.args(["--interval=5ms", "--max-interval=5ms", "--api-url", url]).args(arguments);
    command
}

pub fn ran(command: &mut Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("it prints text");
    let (out, err) = (text(stdout), text(stderr));
    assert!(!out.contains(TOKEN) && !err.contains(TOKEN), "{out}{err}");
    (status.code().expect("it ends by itself"), out, err)
}

pub fn header<'h>(head: &'h str, name: &str) -> &'h str {
    let found = head.lines().find_map(|line| {
        let (key, value) = line.split_once(": ")?;
        key.eq_ignore_ascii_case(name).then_some(value)
    });
    found.unwrap_or("no such header")
}

/// Waits for something that another process does.
pub fn until(is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(20), "it never happened");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[cfg(unix)]
/// Sends a signal to a process.
pub fn signal(child: &std::process::Child, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status();
    assert!(sent.expect("kill runs").success());
}

/// What one request is answered.
#[derive(Clone)]
pub enum Reply {
    /// These bytes, and the connection stays open.
    Bytes(Vec<u8>),
    /// These bytes, and the connection is closed.
    Last(Vec<u8>),
    /// These bytes again and again, until the client goes away.
    Endless(Vec<u8>, Vec<u8>),
    /// These bytes one by one, each after a while.
    Drip(Vec<u8>, Duration),
    /// Nothing, until the client goes away.
    Silence,
}

/// A whole answer with a body.
pub fn answer(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Reply {
    let body = body.as_ref();
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
    Reply::Bytes([head.as_bytes(), body].concat())
}

/// A deploy with this `status_v2.status`; `""` leaves `status_v2` out.
pub fn deploy(status: &str) -> Reply {
    answer("200 OK", "content-type: application/json\r\n", document(status))
}

/// The document of [`deploy`].
pub fn document(status: &str) -> String {
    let status = if status.is_empty() { String::new() } else { format!(r#","status_v2":{{"status":"{status}"}}"#) };
    format!(
        r#"{{"id":"dpl1","install_id":"","install_component_id":"inc1","build_id":"bld1","plan_only":false{status}}}"#
    )
}

/// A server on a loopback port.
pub struct Server {
    address: SocketAddr,
    replies: Arc<Mutex<Vec<Reply>>>,
    /// The heads of all requests, in order.
    pub requests: Arc<Mutex<Vec<String>>>,
    /// How many connections there were.
    pub connections: Arc<AtomicUsize>,
}

impl Server {
    /// Answers in order; the last one for ever. The install is there beside that.
    pub fn start(replies: Vec<Reply>) -> Self {
        Self::start_with("127.0.0.1:0", replies, false, |stream| Some(Box::new(stream)))
    }

    /// The same, where the install is among what is answered in order.
    pub fn start_with_install(replies: Vec<Reply>) -> Self {
        Self::start_with("127.0.0.1:0", replies, true, |stream| Some(Box::new(stream)))
    }

    /// The same over IPv6.
    pub fn start_v6(replies: Vec<Reply>) -> Self {
        Self::start_with("[::1]:0", replies, false, |stream| Some(Box::new(stream)))
    }

    /// The same over TLS.
    pub fn start_tls(replies: Vec<Reply>, config: Arc<rustls::ServerConfig>) -> Self {
        Self::start_with("127.0.0.1:0", replies, false, move |stream| {
            let session = rustls::ServerConnection::new(Arc::clone(&config)).ok()?;
            Some(Box::new(rustls::StreamOwned::new(session, stream)))
        })
    }

    fn start_with(
        address: &str,
        replies: Vec<Reply>,
        is_asked: bool,
        wrap: impl Fn(TcpStream) -> Option<Box<dyn Stream>> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).expect("a port");
        let server = Self {
            address: listener.local_addr().expect("an address"),
            replies: Arc::new(Mutex::new(replies)),
            requests: Arc::default(),
            connections: Arc::default(),
        };
        let (requests, connections) = (Arc::clone(&server.requests), Arc::clone(&server.connections));
        let (wrap, replies) = (Arc::new(wrap), Arc::clone(&server.replies));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                connections.fetch_add(1, Ordering::SeqCst);
                let (requests, wrap, replies) = (Arc::clone(&requests), Arc::clone(&wrap), Arc::clone(&replies));
                std::thread::spawn(move || {
                    let Some(mut stream) = wrap(stream) else { return };
                    while let Some(head) = head(&mut *stream) {
                        let is_of_the_install =
                            !is_asked && head.starts_with("GET /v1/installs/inl00000000000000000000001 ");
                        requests.lock().expect("no panic").push(head);
                        if is_of_the_install {
                            reply(&mut *stream, &answer("200 OK", "", r#"{"id":"inl00000000000000000000001"}"#));
                            continue;
                        }
                        let mut replies = replies.lock().expect("no panic");
                        let next = if replies.len() > 1 { replies.remove(0) } else { replies[0].clone() };
                        drop(replies);
                        if !reply(&mut *stream, &next) {
                            return;
                        }
                    }
                });
            }
        });
        server
    }

    /// The URL of the server.
    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.address)
    }

    /// The heads of all looks at the latest deploy so far.
    pub fn looks(&self) -> Vec<String> {
        self.heads().into_iter().filter(|head| head.contains("/deploys/latest ")).collect()
    }

    /// The heads of all requests so far.
    pub fn heads(&self) -> Vec<String> {
        self.requests.lock().expect("no panic").clone()
    }
}

/// Anything that a connection is.
pub trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

fn head(stream: &mut dyn Stream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    String::from_utf8(head).ok()
}

/// Whether the connection goes on.
fn reply(stream: &mut dyn Stream, reply: &Reply) -> bool {
    let mut send = |bytes: &[u8]| stream.write_all(bytes).and_then(|()| stream.flush()).is_ok();
    match reply {
        Reply::Bytes(bytes) => send(bytes),
        Reply::Last(bytes) => {
            send(bytes);
            false
        }
        Reply::Endless(bytes, again) => {
            send(bytes);
            while send(again) {}
            false
        }
        Reply::Drip(bytes, pause) => bytes.iter().all(|byte| {
            std::thread::sleep(*pause);
            send(&[*byte])
        }),
        Reply::Silence => stream.read(&mut [0]).is_ok_and(|_| false),
    }
}

/// A CA as PEM, and a server's certificate of it, ready to serve.
pub fn authority() -> (String, Arc<rustls::ServerConfig>) {
    authority_of("127.0.0.1", 4000)
}

/// The same for a host, valid until the start of a year.
pub fn authority_of(host: &str, until: i32) -> (String, Arc<rustls::ServerConfig>) {
    let ca_key = rcgen::KeyPair::generate().expect("a key");
    let mut ca = rcgen::CertificateParams::new(Vec::new()).expect("parameters");
    ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let pem = ca.self_signed(&ca_key).expect("a certificate").pem();
    let issuer = rcgen::Issuer::new(ca, ca_key);
    let key = rcgen::KeyPair::generate().expect("a key");
    let mut leaf = rcgen::CertificateParams::new(vec![host.into()]).expect("parameters");
    leaf.not_after = rcgen::date_time_ymd(until, 1, 1);
    // OpenSSL takes a certificate whose issuer has its own name for one that signed itself.
    leaf.distinguished_name.push(rcgen::DnType::CommonName, "server");
    let leaf = leaf.signed_by(&key, &issuer).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("protocol versions")
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], rustls::pki_types::PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .expect("a certificate and its key");
    (pem, Arc::new(config))
}
