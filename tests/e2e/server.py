"""A Nuon API on loopback that plays deploys, and a release over HTTPS. No install is real: its name says what happens."""

import http.server
import json
import ssl
import subprocess
import threading
from pathlib import Path

TOKEN = "e2e-token-0123456789"
BUILD = "bld00000000000000000000001"
COMPONENT = "cmp00000000000000000000001"
DEPLOY = "dpl00000000000000000000001"
# Signs that mean something to a shell, YAML, JSON, a CI system or a terminal.
HOSTILE = "a \"b\" 'c' $d ${e} \\ %25 | é😀 ::set-output name=outcome::passed ##[add-mask]e `f` $(g)"


def install(name):
    """The id of an install of that name."""
    return "inl" + name.ljust(23, "0")


STATUSES = {
    install("passes"): ["planning", "executing", "active"],
    install("passes2"): ["planning", "active"],
    install("fails"): ["planning", "error"],
    install("stays"): ["executing"],
    install("asks"): ["pending-approval"],
}


# Of the image that is deployed.
DIGEST = "sha256:" + 32 * "5e"
RUN = "abr00000000000000000000001"


def run_of_branch(branch):
    """A run that updates two installs, the second when the first has begun; it ends as they do."""
    looks = Api.looks.get(branch, 0)
    state = {"passes": "success", "fails": "error"}[branch] if looks > 3 else "in-progress"
    return {
        "id": workflow_id(install("run")),
        "owner_type": "app_branches",
        "plan_only": False,
        "finished": state != "in-progress",
        "status": {"status": state},
        "steps": [{"id": "iws1", "name": "deploy install group: all", "status": {"status": state}}],
        "app_branch_runs": [{"id": RUN, "workflow_id": workflow_id(install("run"))}],
    }


def updated_by(branch):
    begun = ["passes", branch] if Api.looks.get(branch, 0) > 1 else ["passes"]
    targets = [install("passes2") if name == "passes" and at else install(name) for at, name in enumerate(begun)]
    return [{"install_id": target, "workflow_id": workflow_id(target)} for target in targets]


def workflow_id(target):
    """The id of the workflow that deploys to an install."""
    return "inw" + target[3:]


def document(target, status):
    return {
        "id": DEPLOY,
        "install_id": target,
        "component_id": COMPONENT,
        "created_at": "2026-01-14T17:00:00Z",
        "component_name": HOSTILE,
        "build_id": BUILD,
        "install_workflow_id": workflow_id(target),
        "install_deploy_type": "apply",
        "plan_only": False,
        "oci_artifact": {"repository": "registry.example.com/shop/api", "tag": "1.2", "digest": DIGEST},
        "status_v2": {"status": status, "status_human_description": f"about {status}"},
    }


def workflow(target, status):
    state = {"active": "success", "error": "error"}.get(status, "in-progress")
    step = {"active": "success", "error": "error", "pending-approval": "approval-awaiting"}.get(status, "in-progress")
    approval = {"approval": {"id": "wsa1"}} if step == "approval-awaiting" else {}
    return {
        "id": workflow_id(target),
        "owner_id": target,
        "plan_only": False,
        "finished": state != "in-progress",
        "status": {"status": state},
        "steps": [
            {
                "id": "iws1",
                "name": "deploy",
                "status": {"status": step},
                "step_target_type": "install_deploys",
                "step_target_id": DEPLOY,
                **approval,
            }
        ],
    }


class Api(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    looks = {}

    def do_GET(self):
        parts = self.path.split("?")[0].split("/")
        if self.headers.get("authorization") != f"Bearer {TOKEN}":
            return self.answer(401, {"error": "unauthorized"})
        target = parts[3] if len(parts) > 3 else ""
        if parts[2] == "apps":
            branch = parts[5]
            if parts[-1] == "install-groups":
                return self.answer(200, updated_by(branch))
            Api.looks[branch] = Api.looks.get(branch, 0) + 1
            return self.answer(200, run_of_branch(branch))
        if parts[2] == "workflows":
            target = "inl" + target[3:]
        if target not in STATUSES:
            return self.answer(404, {"error": "not found"})
        if len(parts) == 4 and parts[2] == "installs":
            return self.answer(200, {"id": target})
        if len(parts) == 4 or parts[-1] == "latest":
            # Each look finds it a little further.
            Api.looks[target] = Api.looks.get(target, 0) + 1
        statuses = STATUSES[target]
        status = statuses[min(Api.looks.get(target, 1), len(statuses)) - 1]
        if len(parts) == 4:
            return self.answer(200, workflow(target, status))
        if parts[-1] == "deploys":
            return self.answer(200, [document(target, status)])
        if "deploys" in parts:
            return self.answer(200, document(target, status))
        return self.answer(404, {"error": "not found"})

    def do_POST(self):
        """What triggers a deploy: it begins anew, and its workflow is in the body or in a header, by the server's age."""
        self.rfile.read(int(self.headers.get("content-length", 0)))
        target = self.path.split("/")[3]
        if self.path.startswith("/v1/apps/"):
            Api.looks.clear()
            return self.answer(201, {"id": RUN, "workflow_id": workflow_id(install("run"))})
        Api.looks.pop(target, None)
        if self.headers.get("authorization") != f"Bearer {TOKEN}":
            return self.answer(401, {"error": "unauthorized"})
        if target == install("passes"):
            return self.answer(201, {"id": DEPLOY, "workflow_id": workflow_id(target)})
        return self.answer(201, "ok", {"X-Nuon-Install-Workflow-ID": workflow_id(target)})

    def answer(self, status, body, headers=()):
        body = json.dumps(body).encode()
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def api():
    """Starts the API, and returns its URL."""
    return f"http://127.0.0.1:{serve(http.server.ThreadingHTTPServer(('127.0.0.1', 0), Api))}"


def release(folder, scratch):
    """Serves a folder over HTTPS. Returns the URL and the CA."""

    class Release(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=folder)

        def log_message(self, *_):
            pass

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=scratch, check=True, capture_output=True)

    Path(scratch, "san").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl("req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=ca", "-keyout", "ca.key", "-out", "ca.pem")
    openssl("req", "-newkey", "ed25519", "-nodes", "-subj", "/CN=server", "-keyout", "key", "-out", "csr")
    openssl("x509", "-req", "-in", "csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-extfile", "san", "-out", "cert")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Release)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(Path(scratch, "cert"), Path(scratch, "key"))
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    return f"https://127.0.0.1:{serve(server)}", Path(scratch, "ca.pem")


def serve(server):
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]
