//! From arguments to a connection: URL, token, org, proxy and trust, each checked before the first request.

use std::io::ErrorKind;
use std::net::IpAddr;
use std::path::Path;

use serde::Deserialize;
use ureq::Proxy;
use ureq::http::Uri;
use ureq::tls::{Certificate, PemItem, RootCerts};

use crate::base::disk::Disk;
use crate::base::environment::Variables;
use crate::cli::args::NetworkArgs;
use crate::net::connection::{Connection, Secret, Token, port};
use crate::nuon::id::Id;
use crate::nuon::target::Target;
use crate::run::world::World;
use crate::text::redact::Secrets;

/// The Nuon CLI's own file. Keys that the gate has no use for are passed over.
#[derive(Default, Deserialize)]
pub struct NuonFile {
    #[serde(default)]
    api_url: Option<String>,
    #[serde(default)]
    api_token: Option<String>,
    #[serde(default)]
    org_id: Option<String>,
    #[serde(default)]
    install_id: Option<String>,
}

impl NuonFile {
    fn read(path: Option<&Path>, world: &World<'_>) -> Result<Self, String> {
        let home = world.variables.get("HOME").filter(|home| !home.is_empty());
        let (path, named) = match (path, home) {
            (Some(path), _) => (path.to_path_buf(), true),
            (None, Some(home)) => (Path::new(home).join(".nuon"), false),
            (None, None) => return Ok(Self::default()),
        };
        let complain = |why: String| format!("--config (NUON_CONFIG_FILE) {}: {why}", path.display());
        let text = match world.disk.read_text(&path) {
            Ok(text) => text,
            Err(error) if !named && matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(Self::default());
            }
            Err(error) => return Err(complain(format!("it cannot be read: {error}"))),
        };
        Self::parse(&text).map_err(complain)
    }

    /// Reads the text of the file.
    ///
    /// # Errors
    /// What it should be. What it is instead is not said: a line of this file can be the token.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        yaml_serde::from_str(text).map_err(|_| "it is not the YAML that the Nuon CLI writes (key: value lines)".into())
    }
}

/// The way to the server, from flags and variables first, then the Nuon CLI's file; and the install that the file names.
///
/// # Errors
/// What is missing or malformed, with its flag and variable.
pub fn connection(
    network: &NetworkArgs,
    secrets: &Secrets,
    world: &World<'_>,
) -> Result<(Connection, Option<String>), String> {
    let file = NuonFile::read(network.config.as_deref(), world)?;
    // What is given is taken as it is: an empty flag would lead elsewhere than to the place that the file names.
    let filled =
        |given: &Option<String>, fallback: Option<String>| given.clone().or(fallback.filter(|value| !value.is_empty()));
    let url = filled(&network.api_url, file.api_url).unwrap_or_else(|| "https://api.nuon.co".into());
    let (uri, origin, base) = api(&url)?;
    let token = token(network.token_file.as_deref(), file.api_token.as_deref(), secrets, world)?;
    let org = filled(&network.org, file.org_id);
    if let Some(org) = &org
        && (org.is_empty() || !org.bytes().all(|byte| byte.is_ascii_graphic()))
    {
        return Err(format!(
            "--org (NUON_ORG_ID) \"{org}\" is empty or holds blanks or characters beyond ASCII; it should be an id like org…"
        ));
    }
    let proxy = proxy(&uri, world.variables)?;
    let plain = uri.scheme_str() == Some("http");
    // Behind a proxy elsewhere, localhost is another host.
    let stays_here = is_loopback(&host(&uri)) && proxy.as_ref().is_none_or(|proxy| is_loopback(proxy.host()));
    if plain && !network.allow_http && !matches!(token, Token::None) && !stays_here {
        return Err(format!(
            "--api-url (NUON_API_URL) {url} would send the token over plain HTTP; use https://, or --allow-http \
             (DEPLOY_GATE_ALLOW_HTTP) if you trust the network"
        ));
    }
    let connection = Connection {
        proxy,
        origin,
        base,
        org,
        token,
        secrets: secrets.clone(),
        roots: roots(network.ca_file.as_deref(), world)?,
        max_body: network.max_body,
        request_timeout: network.request_timeout,
    };
    Ok((connection, file.install_id))
}

/// A target, from what was given as its ids or names.
///
/// # Errors
/// Which is malformed.
pub fn target(install: &str, component: &str) -> Result<Target, String> {
    Ok(Target {
        install: name("--install (NUON_INSTALL_ID)", install)?,
        component: name("--component (NUON_COMPONENT_ID)", component)?,
    })
}

/// An id or a name that was given.
///
/// # Errors
/// It can be neither.
pub fn name<T: Id>(flag: &str, value: &str) -> Result<T, String> {
    let wrong = value == "." || value == ".." || value.chars().any(|c| c.is_control() || "/?#\\".contains(c));
    T::new(value).filter(|_| !wrong).ok_or_else(|| {
        format!(
            "{flag} \"{}\" is neither an id nor a name: both are without / ? # \\ and are not empty",
            value.escape_debug()
        )
    })
}

/// The URL of the API as it is used: whole, its origin, and the path before `/v1/`.
fn api(url: &str) -> Result<(Uri, String, String), String> {
    let complain = |why: &str| format!("--api-url (NUON_API_URL): {why}; it should be like https://api.nuon.co");
    let uri: Uri = url.trim().parse().map_err(|_| complain("what was given is not a URL"))?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(complain("what was given has no scheme or no host"));
    };
    if !matches!(scheme, "http" | "https") {
        return Err(complain("the scheme is neither https nor http"));
    }
    if authority.as_str().contains('@') || uri.query().is_some() || url.contains('#') {
        return Err(complain(
            "there is a user, a query or a fragment in the URL; a token goes into NUON_API_TOKEN or --token-file, never into a URL",
        ));
    }
    if authority.host().is_empty() {
        return Err(complain("the host is empty"));
    }
    let origin = format!("{scheme}://{}", authority.as_str().to_lowercase());
    // People paste the address that the API's page shows.
    let base = uri.path().trim_end_matches('/');
    let base = base.strip_suffix("/v1").unwrap_or(base).trim_end_matches('/').to_owned();
    Ok((uri, origin, base))
}

fn token(file: Option<&Path>, fallback: Option<&str>, secrets: &Secrets, world: &World<'_>) -> Result<Token, String> {
    let secret = |text: &str, from: &str| {
        let secret = Secret::new(text).map_err(|why| format!("{from}: {why}"))?;
        secrets.add(secret.expose());
        Ok(secret)
    };
    match file {
        Some(path) => {
            let from = "--token-file (NUON_API_TOKEN_FILE)";
            let shown = if may_be_a_token(path, world.disk) {
                "(its name is not shown: it could be the token itself)".into()
            } else {
                path.display().to_string()
            };
            let text = world.disk.read_text(path).map_err(|error| format!("{from} {shown} cannot be read: {error}"))?;
            let secret = secret(&text, &format!("{from} {shown}"))?;
            // What is no file, as a pipe or stdin, can be read once.
            let is_file = world.disk.find(path).is_ok_and(|found| found.is_some());
            Ok(if is_file { Token::File(path.into()) } else { Token::Fixed(secret) })
        }
        None => {
            let variable = world.variables.get("NUON_API_TOKEN").map(|text| (text.as_str(), "NUON_API_TOKEN"));
            let fallback = fallback.map(|text| (text, "api_token in the --config file (NUON_CONFIG_FILE)"));
            match variable.into_iter().chain(fallback).find(|(text, _)| !text.trim().is_empty()) {
                Some((text, from)) => secret(text, from).map(Token::Fixed),
                None => Ok(Token::None),
            }
        }
    }
}

/// Whether a path can be a token that was given in place of its file: nothing is there, nor the folder that it names.
fn may_be_a_token(path: &Path, disk: &dyn Disk) -> bool {
    let is_there = |path: &Path| disk.find(path).is_ok();
    let folder = path.parent().filter(|folder| !["", "/"].map(Path::new).contains(folder));
    path.as_os_str() != "-" && !is_there(path) && !folder.is_some_and(is_there)
}

/// Whether a host is this machine.
fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The host without the brackets of IPv6, in lower case.
fn host(uri: &Uri) -> String {
    uri.host().unwrap_or_default().trim_matches(['[', ']']).to_lowercase()
}

/// The proxy for this URL, chosen as `curl` does: by its scheme, else `ALL_PROXY`, unless `NO_PROXY` names the host.
fn proxy(uri: &Uri, variables: &Variables) -> Result<Option<Proxy>, String> {
    let either = |name: &'static str| {
        let find =
            |name: &str| variables.get(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        find(&name.to_lowercase()).or_else(|| find(name)).map(|value| (name, value))
    };
    let own = if uri.scheme_str() == Some("http") { "HTTP_PROXY" } else { "HTTPS_PROXY" };
    let Some((name, value)) = either(own).or_else(|| either("ALL_PROXY")) else { return Ok(None) };
    if either("NO_PROXY").is_some_and(|(_, list)| no_proxy(&list, &host(uri), port(uri))) {
        return Ok(None);
    }
    match Proxy::new(&value) {
        Ok(proxy) if matches!(proxy.protocol(), ureq::ProxyProtocol::Http | ureq::ProxyProtocol::Https) => {
            Ok(Some(proxy))
        }
        // The value is not shown: it can hold a password.
        _ => Err(format!(
            "the variable {name} does not name a proxy that the gate can use; it should be like http://host:3128"
        )),
    }
}

/// Whether `NO_PROXY` names the host: `*`, a name and all below it, an address or a network of them; with its port or
/// without.
fn no_proxy(list: &str, host: &str, port: u16) -> bool {
    let ip = host.parse::<IpAddr>().ok();
    list.split([',', ' ']).map(|entry| entry.trim().to_lowercase()).filter(|entry| !entry.is_empty()).any(|entry| {
        let entry = match entry.rsplit_once(':') {
            // An address of version 6 has colons of its own.
            Some((name, of)) if !name.contains(':') || name.ends_with(']') => match of.parse::<u16>() {
                Ok(of) if of != port => return false,
                Ok(_) => name,
                Err(_) => &entry,
            },
            _ => &entry,
        };
        let name = entry.trim_start_matches('*').trim_start_matches('.').trim_matches(['[', ']']);
        entry == "*"
            || host == name
            || ip.is_some_and(|ip| is_within(ip, name))
            || (!name.is_empty() && host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.')))
    })
}

/// Whether an address is of a network like `10.0.0.0/8`.
fn is_within(ip: IpAddr, network: &str) -> bool {
    let bits = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => (u128::from(u32::from(ip)) << 96, 32),
        IpAddr::V6(ip) => (u128::from(ip), 128),
    };
    let Some((base, length)) = network.split_once('/') else { return false };
    let (Ok(base), Ok(length)) = (base.parse::<IpAddr>(), length.parse::<u32>()) else { return false };
    let ((ip, most), (base, of)) = (bits(ip), bits(base));
    most == of && length <= most && (length == 0 || (ip ^ base) >> (128 - length) == 0)
}

/// The public roots, and those of `--ca-file` with them.
fn roots(ca_file: Option<&Path>, world: &World<'_>) -> Result<RootCerts, String> {
    let Some(path) = ca_file else { return Ok(RootCerts::WebPki) };
    let complain = |why: String| format!("--ca-file (DEPLOY_GATE_CA_FILE) {}: {why}", path.display());
    let pem = world.disk.read(path).map_err(|error| complain(format!("it cannot be read: {error}")))?;
    let mut certificates = Vec::new();
    for item in ureq::tls::parse_pem(&pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => certificates.push(certificate),
            Ok(_) => {}
            Err(error) => return Err(complain(format!("it is not PEM: {error}"))),
        }
    }
    if certificates.is_empty() {
        return Err(complain(
            "there is no certificate in it; it should hold -----BEGIN CERTIFICATE----- blocks".into(),
        ));
    }
    let public = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().map(|der| Certificate::from_der(der).to_owned());
    certificates.extend(public);
    Ok(RootCerts::new_with_certs(&certificates))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_holds_no_secret_and_is_whole() {
        let good = [
            ("https://api.nuon.co", "https://api.nuon.co", ""),
            ("https://API.nuon.co:8443/", "https://api.nuon.co:8443", ""),
            ("https://api.nuon.co/v1", "https://api.nuon.co", ""),
            ("https://api.nuon.co/v1/", "https://api.nuon.co", ""),
            ("https://example.com/nuon/v1/", "https://example.com", "/nuon"),
            ("http://127.0.0.1:1/nuon/", "http://127.0.0.1:1", "/nuon"),
            ("http://[::1]:1", "http://[::1]:1", ""),
        ];
        for (url, origin, base) in good {
            let (_, got_origin, got_base) = api(url).expect(url);
            assert_eq!((got_origin.as_str(), got_base.as_str()), (origin, base));
        }
        for bad in [
            "",
            "api.nuon.co",
            "ftp://x",
            "https://",
            "https://u:secret@x",
            "https://x?token=secret",
            "https://x/#secret",
            "/v1",
        ] {
            let error = api(bad).expect_err(bad);
            assert!(error.contains("--api-url (NUON_API_URL)") && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn proxies_are_read_as_curl_reads_them() {
        let chosen = |url: &str, variables: &[(&str, &str)]| {
            let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            let uri = url.parse().expect("a URL");
            proxy(&uri, &variables).map(|proxy| proxy.map_or_else(String::new, |proxy| proxy.host().into()))
        };
        let cases: &[(&str, &[(&str, &str)], &str)] = &[
            ("https://a.co", &[], ""),
            ("https://a.co", &[("HTTPS_PROXY", "http://p1:1"), ("HTTP_PROXY", "http://p2:1")], "p1"),
            ("http://a.co", &[("HTTPS_PROXY", "http://p1:1"), ("HTTP_PROXY", "http://p2:1")], "p2"),
            ("https://a.co", &[("HTTP_PROXY", "http://p2:1")], ""),
            ("https://a.co", &[("ALL_PROXY", "p3:1")], "p3"),
            ("https://a.co", &[("HTTPS_PROXY", "p1"), ("https_proxy", "p4"), ("ALL_PROXY", "p3")], "p4"),
            ("https://a.co", &[("HTTPS_PROXY", "p1"), ("NO_PROXY", "*")], ""),
            ("https://a.b.co", &[("HTTPS_PROXY", "p1"), ("no_proxy", "x, .b.co")], ""),
            ("https://b.co", &[("HTTPS_PROXY", "p1"), ("NO_PROXY", ".b.co")], ""),
            ("https://ab.co", &[("HTTPS_PROXY", "p1"), ("NO_PROXY", "b.co")], "p1"),
            ("https://[::1]:5", &[("HTTPS_PROXY", "p1"), ("NO_PROXY", "[::1]")], ""),
            ("https://b.co:8443", &[("HTTPS_PROXY", "p1"), ("NO_PROXY", "b.co:8443")], ""),
            ("https://b.co", &[("HTTPS_PROXY", "p1"), ("NO_PROXY", "b.co:443")], ""),
            ("https://b.co", &[("HTTPS_PROXY", "p1"), ("NO_PROXY", "b.co:8443")], "p1"),
            ("https://10.1.2.3", &[("HTTPS_PROXY", "p1"), ("NO_PROXY", "10.0.0.0/8")], ""),
            ("https://11.1.2.3", &[("HTTPS_PROXY", "p1"), ("NO_PROXY", "10.0.0.0/8,11.1.2.0/25")], ""),
            ("https://11.1.2.3", &[("HTTPS_PROXY", "p1"), ("NO_PROXY", "10.0.0.0/8,11.1.2.128/25")], "p1"),
            ("https://[fd00::5]", &[("HTTPS_PROXY", "p1"), ("NO_PROXY", "fd00::/8")], ""),
            ("https://[fd00::5]:1", &[("HTTPS_PROXY", "p1"), ("NO_PROXY", "[fd00::5]:1")], ""),
            ("https://10.1.2.3", &[("HTTPS_PROXY", "p1"), ("NO_PROXY", "10.0.0.0/33,x/8")], "p1"),
        ];
        for (url, variables, host) in cases {
            assert_eq!(chosen(url, variables).as_deref(), Ok(*host), "{url} {variables:?}");
        }
        let error = chosen("https://a.co", &[("HTTPS_PROXY", "socks5://u:secret@p")]).expect_err("no SOCKS");
        assert!(error.contains("HTTPS_PROXY") && !error.contains("secret"), "{error}");
    }
}
