//! `deploy-gate doctor` over real sockets: no host, no port, no TLS, no trust, no proxy, no token.

use std::io::Write;

use crate::loopback::{Server, answer, authority, deploy, deploy_gate, ran};

/// What it says of a server; `environment` is one variable beside the usual.
fn examined(url: &str, (name, value): (&str, &str)) -> (i32, String) {
    let mut command =
        deploy_gate(&["doctor", "--install=inl00000000000000000000001", "--component=cmp00000000000000000000001"]);
    command.args(["--request-timeout=2s", "--api-url", url]).env(name, value);
    let (code, out, err) = ran(&mut command);
    (code, out + &err)
}

#[test]
fn each_fault_of_the_connection_names_its_remedy() {
    let (_, config) = authority();
    // It answers in plain text where TLS should begin.
    let plain = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url_of_plain = format!("https://{}", plain.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for mut stream in plain.incoming().flatten() {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let unknown = Server::start_tls(vec![deploy("active")], config);
    let proxy = Server::start(vec![answer("403 No", "", "")]);
    for (url, variable, words, remedy) in [
        ("https://no-such-host.invalid".to_owned(), ("", ""), "does not resolve", "DNS"),
        ("http://127.0.0.1:1".to_owned(), ("", ""), "refused", "nothing listens"),
        (url_of_plain, ("", ""), "does not speak TLS", "--allow-http"),
        (unknown.url("https"), ("", ""), "does not verify", "--ca-file (DEPLOY_GATE_CA_FILE)"),
        (
            "https://api.nuon.co".to_owned(),
            ("HTTPS_PROXY", proxy.url("http").as_str()),
            "through the proxy",
            "NO_PROXY",
        ),
    ] {
        let variable = if variable.0.is_empty() { ("NO_PROXY", "*") } else { variable };
        let (code, out) = examined(&url, variable);
        assert_eq!(code, 3, "{url}: {out}");
        let mut lines = out.lines().skip_while(|line| !line.starts_with("  failed   connection"));
        let (found, told) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        assert!(found.contains(words) && told.contains(remedy), "{words}: {out}");
    }
}

#[test]
fn no_token_is_said_before_anything_is_asked_with_it() {
    let server = Server::start(vec![answer("200 OK", "", "{}")]);
    let (code, out) = examined(&server.url("http"), ("NUON_API_TOKEN", ""));
    assert!(code == 3 && out.contains("  failed   token        there is none"), "{out}");
    assert_eq!(server.heads().len(), 1);
}
