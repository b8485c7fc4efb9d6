//! `deploy-gate replay` in process.

use std::ffi::OsString;

use deploy_gate::World;
use deploy_gate::base::clock::VirtualClock;
use deploy_gate::base::disk::RealDisk;
use deploy_gate::base::environment::Variables;

/// Replays a recording. Returns the exit code and the verdict.
pub fn replay(recording: impl Into<OsString>, flags: impl IntoIterator<Item = impl Into<OsString>>) -> (u8, String) {
    let arguments = ["deploy-gate".into(), "replay".into(), recording.into()].into_iter();
    let arguments: Vec<OsString> = arguments.chain(flags.into_iter().map(Into::into)).collect();
    let mut out = Vec::new();
    let world = &mut World {
        variables: &Variables::new(),
        clock: &mut VirtualClock::default(),
        connect: &mut |_, _| panic!("a replay asks no network"),
        disk: &RealDisk,
        out: &mut out,
        err: &mut Vec::new(),
        screens: Default::default(),
        size: || (80, 24),
        seed: 1,
    };
    let code = deploy_gate::run(&arguments, world);
    (code, String::from_utf8(out).expect("text"))
}
