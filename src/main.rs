//! Wires the real world to [`deploy_gate::run`].

use std::ffi::OsString;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use deploy_gate::World;
use deploy_gate::base::clock::{RealClock, SignalFlag};
use deploy_gate::base::disk::RealDisk;
use deploy_gate::base::environment::Screen;
use deploy_gate::base::environment::Variables;
use deploy_gate::base::outcome;
use deploy_gate::net::http::Http;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

fn main() -> ExitCode {
    exit_with_a_code_of_its_own_on_a_bug();
    pin_name_services();
    leave_no_core();
    let signals = SignalFlag::default();
    if let Err(error) = listen(&signals) {
        return complain(&format!("signals cannot be handled: {error}"), outcome::BUG);
    }
    let variables = match variables() {
        Ok(variables) => variables,
        Err(why) => return complain(&why, outcome::MISUSE),
    };
    let arguments: Vec<_> = std::env::args_os().collect();
    let mut clock = RealClock::new(signals.clone());
    let code = deploy_gate::run(
        &arguments,
        &mut World {
            variables: &variables,
            clock: &mut clock,
            connect: &mut |connection, jobs| Box::new(Http::new(connection, jobs, signals.clone())),
            disk: &RealDisk,
            // Not locked: a panic on another thread has to be able to say so.
            out: &mut std::io::stdout(),
            err: &mut std::io::stderr(),
            screens: (screen(&std::io::stdout()), screen(&std::io::stderr())),
            size: || {
                let size = terminal_size::terminal_size_of(std::io::stderr());
                size.map_or((80, 24), |(columns, rows)| (columns.0.into(), rows.0.into()))
            },
            seed: fastrand::u64(..),
        },
    );
    ExitCode::from(code)
}

/// The environment. What is meant for the gate and is no text is misuse: unset, an assertion would check nothing.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn variables() -> Result<Variables, String> {
    let text = |(name, value): (OsString, OsString)| {
        let name = name.to_string_lossy().into_owned();
        match value.into_string() {
            Ok(value) => Ok((name, value)),
            Err(_) if name.starts_with("NUON_") || name.starts_with("DEPLOY_GATE_") => {
                Err(format!("{name} is not UTF-8 text"))
            }
            Err(value) => Ok((name, value.to_string_lossy().into_owned())),
        }
    };
    std::env::vars_os().map(text).collect()
}

fn screen(stream: &impl IsTerminal) -> Screen {
    if stream.is_terminal() { Screen::Terminal } else { Screen::File }
}

/// The first signal raises the flag: the run ends in order and still writes its reports. The second exits at once.
fn listen(raised: &SignalFlag) -> std::io::Result<()> {
    for (signal, code) in [(SIGHUP, 129), (SIGINT, 130), (SIGTERM, 143)] {
        if is_ignored(signal) {
            continue;
        }
        let number = usize::try_from(signal).unwrap_or_default();
        flag::register_conditional_shutdown(signal, code, second())?;
        flag::register(signal, second())?;
        flag::register_usize(signal, raised.cell(), number)?;
    }
    Ok(())
}

/// Whether a signal was ignored from the start, as `nohup` asks for; only Linux tells without unsafe code.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask & 1 << (signal - 1) != 0
}

/// Whether a signal has come before.
fn second() -> Arc<AtomicBool> {
    static SECOND: std::sync::OnceLock<Arc<AtomicBool>> = std::sync::OnceLock::new();
    Arc::clone(SECOND.get_or_init(Arc::default))
}

#[expect(clippy::print_stderr, reason = "before there is a world to print to")]
fn complain(why: &str, code: u8) -> ExitCode {
    eprintln!("error: {why}");
    ExitCode::from(code)
}

/// A panic says so and exits with [`outcome::BUG`], whichever thread it is on.
#[expect(
    clippy::exit,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "no code of a verdict may stand for a bug"
)]
fn exit_with_a_code_of_its_own_on_a_bug() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(String::new, |place| format!(" at {place}"));
        eprintln!("deploy-gate has a bug{place}; there is no verdict. Please report this.");
        std::process::exit(outcome::BUG.into());
    }));
}

/// A core file would hold the token, and CI systems keep what they find.
fn leave_no_core() {
    #[cfg(unix)]
    let _ = rustix::process::setrlimit(
        rustix::process::Resource::Core,
        rustix::process::Rlimit { current: Some(0), maximum: Some(0) },
    );
}

/// A static glibc still loads name service modules that the host names in nsswitch.conf, and crashes when they were
/// built for another glibc (seen with `mdns4_minimal` and `myhostname`). So it is told to use the two it has built in.
#[cfg(all(target_env = "gnu", target_feature = "crt-static"))]
#[expect(unsafe_code, reason = "the only call; glibc has no safe way to say this")]
fn pin_name_services() {
    use std::ffi::{c_char, c_int};
    unsafe extern "C" {
        fn __nss_configure_lookup(database: *const c_char, services: *const c_char) -> c_int;
    }
    // SAFETY: both are constant C strings, and no other thread is running yet.
    unsafe {
        __nss_configure_lookup(c"hosts".as_ptr(), c"files dns".as_ptr());
    }
}

#[cfg(not(all(target_env = "gnu", target_feature = "crt-static")))]
fn pin_name_services() {}
