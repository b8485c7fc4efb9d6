//! Any body of any status, as an answer about the latest deploy and about a workflow.
#![no_main]

use deploy_gate::base::source::Response;
use deploy_gate::nuon::id::{Id, WorkflowId};
use deploy_gate::nuon::look::{self, Look};
use deploy_gate::nuon::target::Target;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u16, Vec<u8>)| {
    let (status, body) = input;
    // Most of what is tried should be read as a document.
    let status = if status % 4 == 0 { status } else { 200 };
    let target = Target::of_latest("/v1/installs/inl1/components/cmp1/deploys/latest").expect("a target");
    let answer = || Ok(Response { status, headers: Vec::new(), body: body.clone() });
    if let Ok(Look::Seen(deploy, whole)) = look::deploy(answer(), None, &target, None) {
        assert_eq!(status, 200);
        assert!(!deploy.id().is_empty());
        if let Ok(value) = whole.read() {
            assert_eq!(value["id"], **deploy.id());
        }
    }
    let _ = look::workflow(answer(), &WorkflowId::new("inw1").expect("an id"), &target, None);
});
