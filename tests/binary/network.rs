//! The network as it is: over real sockets, with the faults that it really has.

use std::io::Write;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::loopback::{
    LATEST, Reply, Server, TOKEN, answer, authority, authority_of, deploy, document, header, ran, wait,
};

#[test]
fn a_deploy_from_nothing_to_active_over_one_connection() {
    let server = Server::start(vec![
        answer("404 Not Found", "", r#"{"error":"record not found"}"#),
        deploy(""),
        deploy("planning"),
        answer("502 Bad Gateway", "", "<html><h1>502</h1></html>"),
        deploy("executing"),
        deploy("active"),
    ]);
    let folder = tempfile::tempdir().expect("a folder");
    let (outputs, summary) = (folder.path().join("outputs"), folder.path().join("summary"));
    std::fs::write(&outputs, "earlier=1\n").expect("writes");
    std::fs::write(&summary, "of another step\n").expect("writes");
    let mut command = wait(&server.url("http"), &["--org=org1", "--assert=$.build_id == 'bld1'"]);
    command.env("GITHUB_ACTIONS", "true").env("GITHUB_OUTPUT", &outputs).env("GITHUB_STEP_SUMMARY", &summary);
    command.arg(format!("--report=markdown={}", summary.display()));
    let (code, out, err) = ran(&mut command);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.starts_with("passed: deploy dpl1 is \"active\", the assertion is true\n"), "{out}");
    let outputs = std::fs::read_to_string(outputs).expect("outputs");
    assert!(outputs.starts_with("earlier=1\noutcome<<ghadelimiter_") && outputs.contains("\npassed\n"), "{outputs}");
    let summary = std::fs::read_to_string(summary).expect("a summary");
    assert!(summary.starts_with("of another step\n### ✅ Deploy gate: passed\n"), "{summary}");
    assert_eq!(summary.matches("###").count(), 1, "asked for twice, written once");
    let heads = server.heads();
    assert_eq!(server.looks().len(), 6);
    let heads: Vec<String> =
        heads.into_iter().filter(|head| !head.starts_with("GET /v1/installs/inl00000000000000000000001 ")).collect();
    assert!(heads[5].starts_with(&format!("GET {LATEST} HTTP/1.1\r\n")), "{heads:?}");
    for head in &heads {
        assert_eq!(header(head, "authorization"), format!("Bearer {TOKEN}"));
        assert_eq!(header(head, "x-nuon-org-id"), "org1");
        assert_eq!(header(head, "user-agent"), concat!("deploy-gate/", env!("CARGO_PKG_VERSION")));
        assert_eq!(header(head, "accept-encoding"), "gzip");
        assert_eq!(header(head, "x-nuon-trace-id").len(), 36);
    }
    assert_ne!(header(&heads[0], "x-nuon-trace-id"), header(&heads[1], "x-nuon-trace-id"));
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
}

#[test]
fn https_needs_a_certificate_that_verifies() {
    let (pem, config) = authority();
    let server = Server::start_tls(vec![deploy("planning"), deploy("active")], config);
    let folder = tempfile::tempdir().expect("a folder");
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, pem).expect("writes");
    let (code, out, _) = ran(&mut wait(&server.url("https"), &[]));
    assert_eq!(code, 3, "{out}");
    assert!(out.starts_with("undecided (bad-answer): the server's certificate does not verify"), "{out}");
    assert!(out.contains("--ca-file (DEPLOY_GATE_CA_FILE)") && server.heads().is_empty(), "{out}");
    let (code, out, err) = ran(&mut wait(&server.url("https"), &["--ca-file", &ca.to_string_lossy()]));
    assert_eq!(code, 0, "{out}{err}");
    assert_eq!(server.connections.load(Ordering::SeqCst), 2, "one for each run");
}

#[test]
fn broken_answers_are_asked_again() {
    let whole = document("active");
    let cut = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{}", whole.len(), &whole[..20]);
    let chunked = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{whole}\r\n", whole.len());
    let whole_but_no_end = Reply::Last(chunked.clone().into_bytes());
    let server = Server::start(vec![
        Reply::Last(Vec::new()),
        Reply::Last(cut.into_bytes()),
        whole_but_no_end,
        Reply::Last(b"SSH-2.0-nonsense\r\n".to_vec()),
        answer("200 OK", "", ""),
        answer("200 OK", "content-encoding: gzip\r\n", "not gzip"),
        Reply::Bytes(format!("{chunked}0\r\n\r\n").into_bytes()),
    ]);
    let (code, out, err) = ran(&mut wait(&server.url("http"), &[]));
    assert_eq!((code, server.looks().len()), (0, 7), "{out}{err}");
}

#[test]
fn a_server_that_is_not_there_is_waited_for() {
    let (code, out, _) = ran(&mut wait("http://127.0.0.1:1", &["--timeout=300ms"]));
    assert_eq!(code, 124, "{out}");
    assert!(out.starts_with("timed-out (unreachable): no usable answer at the last look:"), "{out}");
}

#[test]
fn a_server_that_never_answers_is_left_at_the_deadline() {
    for reply in [Reply::Silence, Reply::Endless(b"HTTP/1.1 200 OK\r\n".to_vec(), b"a: b\r\n".to_vec())] {
        let server = Server::start(vec![reply]);
        let start = Instant::now();
        let (code, out, _) = ran(&mut wait(&server.url("http"), &["--timeout=1s", "--request-timeout=2s"]));
        assert!(matches!(code, 3 | 124), "{out}");
        assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    }
}

#[test]
fn a_body_that_is_too_large_is_not_taken() {
    let zeros = vec![b' '; 1 << 20];
    let head = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec();
    let mut bomb = Vec::new();
    let mut gzip = flate2::write::GzEncoder::new(&mut bomb, flate2::Compression::best());
    (0..64).for_each(|_| gzip.write_all(&zeros).expect("compresses"));
    gzip.finish().expect("compresses");
    let long = format!(r#"{{"id":"dpl1","status_v2":{{"status":"active"}},"x":"{}"}}"#, "x".repeat(20_000_000));
    for reply in
        [Reply::Endless(head, zeros), answer("200 OK", "content-encoding: gzip\r\n", bomb), answer("200 OK", "", long)]
    {
        let server = Server::start(vec![reply]);
        let (code, out, err) = ran(&mut wait(&server.url("http"), &[]));
        assert_eq!(code, 3, "{out}{err}");
        assert!(out.starts_with("undecided (bad-answer): the answer is larger than --max-body"), "{out}");
    }
    let server = Server::start(vec![answer("200 OK", "", document("active"))]);
    assert_eq!(ran(&mut wait(&server.url("http"), &["--max-body=10"])).0, 3);
}

#[test]
fn the_token_never_leaves_the_origin() {
    let elsewhere = Server::start(vec![deploy("active")]);
    let away = answer("302 Found", &format!("location: {}{LATEST}\r\n", elsewhere.url("http")), "");
    let server = Server::start(vec![away]);
    let (code, out, _) = ran(&mut wait(&server.url("http"), &[]));
    assert_eq!(code, 3, "{out}");
    assert!(elsewhere.heads().is_empty(), "{out}");
    let server = Server::start(vec![answer("307 Temporary Redirect", "location: /v2/here\r\n", ""), deploy("active")]);
    assert_eq!(ran(&mut wait(&server.url("http"), &[])).0, 0);
    let heads = server.heads();
    assert!(heads[1].starts_with("GET /v2/here ") && heads[1].contains(TOKEN), "{heads:?}");
    let server = Server::start(vec![answer("302 Found", "location: /again\r\n", "")]);
    let (code, out, _) = ran(&mut wait(&server.url("http"), &[]));
    assert_eq!((code, server.heads().len()), (3, 5), "{out}");
}

#[test]
fn a_token_over_plain_http_stays_on_this_machine() {
    let (code, _, err) = ran(&mut wait("http://api.example", &[]));
    assert_eq!(code, 2);
    assert!(err.contains("--allow-http") && err.contains("NUON_API_URL"), "{err}");
    // The localhost of a proxy elsewhere is another host.
    let (code, _, err) = ran(wait("http://localhost:9", &[]).env("HTTP_PROXY", "http://192.0.2.2:1"));
    assert!(code == 2 && err.contains("--allow-http"), "{err}");
    // Through a proxy on this machine, so that nothing leaves it here either.
    let proxy = Server::start(vec![answer("503 No", "", "")]);
    let mut command = wait("http://api.example", &["--allow-http", "--timeout=0"]);
    let (code, _, err) = ran(command.env("HTTP_PROXY", proxy.url("http")));
    assert_eq!((code, proxy.heads().len()), (124, 1), "{err}");
}

#[test]
fn a_proxy_is_asked_to_connect() {
    let proxy = Server::start(vec![answer("503 No", "", "")]);
    let server = Server::start(vec![deploy("active")]);
    let arguments = ["--timeout=100ms"];
    let (code, ..) = ran(wait(&server.url("http"), &arguments).env("HTTP_PROXY", proxy.url("http")));
    assert_eq!((code, server.heads().len()), (124, 0));
    let authority = server.url("http").replace("http://", "");
    assert!(proxy.heads()[0].starts_with(&format!("CONNECT {authority} HTTP/1.1\r\n")), "{:?}", proxy.heads());
    assert!(!proxy.heads()[0].contains(TOKEN));
    let variables = [("HTTP_PROXY", proxy.url("http")), ("NO_PROXY", "127.0.0.1".into())];
    assert_eq!(ran(wait(&server.url("http"), &arguments).envs(variables)).0, 0);
}

#[test]
fn a_certificate_of_another_host_or_time_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let ca = folder.path().join("ca.pem");
    for (host, year, why) in [("127.0.0.1", 2020, "expired"), ("api.example", 4000, "not valid for")] {
        let (pem, config) = authority_of(host, year);
        let server = Server::start_tls(vec![deploy("active")], config);
        std::fs::write(&ca, pem).expect("writes");
        let (code, out, _) = ran(&mut wait(&server.url("https"), &["--ca-file", &ca.to_string_lossy()]));
        assert_eq!((code, server.heads().len()), (3, 0), "{out}");
        assert!(out.starts_with("undecided (bad-answer): the server's certificate does not verify"), "{out}");
        assert!(out.contains(why), "{out}");
    }
}

#[test]
fn a_handshake_that_is_cut_is_tried_again() {
    // It closes the connection where TLS should begin, or answers in plain text, which will not get better.
    for (reply, ended) in [
        (Reply::Last(Vec::new()), "timed-out (unreachable): no usable answer at the last look:"),
        (deploy("active"), "undecided (bad-answer): the server does not speak TLS"),
    ] {
        let server = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("https://{}", server.local_addr().expect("an address"));
        let (sender, connections) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for mut stream in server.incoming().flatten() {
                if let Reply::Bytes(bytes) = &reply {
                    let _ = stream.write_all(bytes);
                }
                let _ = sender.send(());
            }
        });
        let (_, out, _) = ran(&mut wait(&url, &["--timeout=300ms"]));
        assert!(out.starts_with(ended), "{out}");
        assert_eq!(connections.try_iter().count() > 1, ended.starts_with("timed-out"), "whether it was tried again");
    }
}

#[test]
fn a_connection_that_the_server_closes_between_polls_is_opened_again() {
    let closing = |status| {
        let Reply::Bytes(bytes) = deploy(status) else { unreachable!("an answer is bytes") };
        Reply::Last(bytes)
    };
    let server = Server::start(vec![closing("planning"), closing("executing"), closing("active")]);
    let (code, out, err) = ran(&mut wait(&server.url("http"), &[]));
    assert_eq!((code, server.looks().len()), (0, 3), "{out}{err}");
    assert!(!err.contains("no usable answer"), "it is no fault: {err}");
}

#[test]
fn http_1_0_ends_its_bodies_with_the_connection() {
    let old = |body: &str| Reply::Last(format!("HTTP/1.0 200 OK\r\n\r\n{body}").into_bytes());
    let whole = document("active");
    // Nothing but the JSON tells that the first was cut.
    let server = Server::start(vec![old(&whole[..whole.len() - 1]), old(&whole)]);
    let (code, out, err) = ran(&mut wait(&server.url("http"), &[]));
    assert_eq!((code, server.looks().len()), (0, 2), "{out}{err}");
}

#[test]
fn ipv6_works() {
    let server = Server::start_v6(vec![deploy("active")]);
    let (code, out, err) = ran(&mut wait(&server.url("http"), &[]));
    assert_eq!(code, 0, "{out}{err}");
    assert!(header(&server.heads()[0], "host").starts_with("[::1]:"));
}

#[test]
fn an_answer_that_comes_byte_by_byte_is_left_at_the_deadline() {
    let Reply::Bytes(bytes) = deploy("active") else { unreachable!("an answer is bytes") };
    let server = Server::start(vec![Reply::Drip(bytes, Duration::from_millis(100))]);
    let start = Instant::now();
    let (code, out, _) = ran(&mut wait(&server.url("http"), &["--timeout=500ms", "--request-timeout=1s"]));
    assert_eq!(code, 124, "{out}");
    // A request that began before the deadline has its own limit; so has that of the last look.
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn a_request_that_is_led_on_has_no_more_time_for_it() {
    let on = format!("HTTP/1.1 302 Found\r\ncontent-length: 0\r\nlocation: {LATEST}\r\n\r\n");
    // Some 1.1 s each.
    let slow = Reply::Drip(on.into_bytes(), Duration::from_millis(8));
    let server = Server::start(vec![slow.clone(), slow.clone(), slow.clone(), slow, deploy("active")]);
    let start = Instant::now();
    let (code, out, _) = ran(&mut wait(&server.url("http"), &["--timeout=0", "--request-timeout=2s"]));
    assert!(code == 124 && out.starts_with("timed-out (unreachable)"), "{out}");
    assert!(start.elapsed() < Duration::from_millis(3500), "{:?}", start.elapsed());
}

#[test]
fn a_redirect_from_https_to_http_is_not_followed() {
    let plain = Server::start(vec![deploy("active")]);
    let (pem, config) = authority();
    let away = answer("302 Found", &format!("location: {}{LATEST}\r\n", plain.url("http")), "");
    let server = Server::start_tls(vec![away], config);
    let folder = tempfile::tempdir().expect("a folder");
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, pem).expect("writes");
    let (code, out, _) = ran(&mut wait(&server.url("https"), &["--ca-file", &ca.to_string_lossy()]));
    assert_eq!((code, plain.heads().len()), (3, 0), "{out}");
    assert!(out.contains("redirects are followed only within the same origin"), "{out}");
}

#[test]
fn a_name_that_is_not_known_is_waited_for() {
    // RFC 6761: this name exists nowhere. tests/e2e/hosts.sh has one that appears later.
    let (code, out, err) = ran(&mut wait("https://deploy-gate.invalid", &["--timeout=200ms"]));
    assert_eq!(code, 124, "{out}");
    assert!(err.contains("the host deploy-gate.invalid does not resolve ("), "{err}");
    assert!(err.contains("); is --api-url (NUON_API_URL) right?"), "{err}");
    assert!(out.starts_with("timed-out (unreachable): no usable answer at the last look:"), "{out}");
}
