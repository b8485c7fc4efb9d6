"""Runs the action through act, and the component and the examples through gitlab-ci-local, sh and act.

usage: run.py GATE   where GATE is the executable; act, gitlab-ci-local and openssl are on PATH
"""

import hashlib
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree
from pathlib import Path

import server
from commands import check, run

ROOT = Path(__file__).parents[2]
GATE = Path(sys.argv[1]).resolve()


def repository(folder):
    """Makes a repository of a folder, as the runners want one."""
    git = ["git", "-c", "user.name=e2e", "-c", "user.email=e2e@example.com"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "Toy"]):
        subprocess.run([*git, *command], cwd=folder, check=True)
    subprocess.run([*git, "remote", "add", "origin", "https://git.example.com/toy/toy.git"], cwd=folder, check=True)


def action(folder, url):
    """Puts the action into a folder, as a release whose executable is GATE."""
    for name in ["action.yml", "Cargo.toml", "Cargo.lock"]:
        Path(folder).mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder)
    for name in ["action", "schema", "src"]:
        shutil.copytree(ROOT / name, Path(folder, name))
    source = subprocess.run(["sh", "action/source.sh"], cwd=folder, check=True, capture_output=True, text=True).stdout
    checksum = hashlib.sha256(GATE.read_bytes()).hexdigest()
    Path(folder, "action/release.txt").write_text(f"url {url}\nsource {source}{triple()} {checksum}\n")


def triple():
    return f"{platform.machine()}-unknown-linux-musl"


def act(folder, api, ca, *arguments, cache="", **variables):
    command = ["act", *(arguments or ["push"]), "-P", "ubuntu-latest=-self-hosted", "--pull=false"]
    command += ["--env", f"CURL_CA_BUNDLE={ca}", "--env", f"E2E_CACHE={cache}", "--secret", f"NUON_API_TOKEN={server.TOKEN}"]
    # The real ones are not to be reached from here.
    for name, file in [("cache", "action.yml"), ("attest", "examples/github/evidence.yml")]:
        version = re.search(rf"actions/{name}(?:/\w+)?@(\w+)", (ROOT / file).read_text())[1]
        command += ["--local-repository", f"actions/{name}@{version}={ROOT / 'tests/e2e' / name}"]
    for name, value in {"NUON_API_URL": api, **variables}.items():
        command += ["--var", f"{name}={value}"]
    return run(command, folder)


def github(scratch, api, url, ca):
    toy = Path(scratch, "github")
    Path(toy, ".github/workflows").mkdir(parents=True)
    shutil.copy(ROOT / "tests/e2e/github.yml", toy / ".github/workflows")
    action(toy / "gate", url)
    repository(toy)
    for job, code in [("passes", 0), ("fails", 0), ("stops", 1)]:
        got, said = act(toy, api, ca, "push", "--job", job)
        check(f"the job {job} ends with {code}", got == code, said)
        read = re.findall(r"\| READ: (.*)", said)
        check(f"the steps after the gate in {job} read {read}", read == ([job] if code == 0 else []), said)
        check(f"the token is not in the log of {job}", server.TOKEN not in said, said)
        if job == "passes":
            check("doctor says what it found before the gate", "workflow     inwpasses" in said and "doctor is no gate" in said, said)
        if job == "fails":
            check("a wrong value is refused by the name of its input", "'maybe' for '--on-approval" in said, said)


def action_without_a_release(scratch, api, ca):
    """A commit of the action that is no release is built in the first job and comes from the cache in the next."""
    toy = Path(scratch, "unreleased")
    Path(toy, ".github/workflows").mkdir(parents=True)
    shutil.copy(ROOT / "tests/e2e/github.yml", toy / ".github/workflows")
    action(toy / "gate", "")
    shutil.copy(ROOT / "action/release.txt", toy / "gate/action")
    repository(toy)
    for says, not_says in [("building it", "built of these sources before"), ("built of these sources before", "building it")]:
        code, said = act(toy, api, ca, "push", "--job", "stops", cache=Path(scratch, "cache"))
        is_so = code == 1 and says in said and not_says not in said and "failed (deploy-failed)" in said
        check(f"where the action is no release, the log says: {says}", is_so, said)


def examples_for_github(scratch, api, url, ca):
    """The examples as they are, but for the name of the action and what a dispatch would bring."""
    for name, variables, ends in [
        ("after-deploy", {"NUON_INSTALL_ID": server.install("passes")}, (0, "is deployed by dpl")),
        ("after-deploy", {"NUON_INSTALL_ID": server.install("fails")}, (1, "failed (deploy-failed)")),
        ("matrix", {"NUON_INSTALL_IDS": json.dumps([server.install("passes")])}, (0, "every install has it")),
        ("branch-run", {"NUON_APP_ID": "shop", "APP_BRANCH": "passes"}, (0, "every install of shop/passes is up to date")),
        ("branch-run", {"NUON_APP_ID": "shop", "APP_BRANCH": "fails"}, (1, "failed (deploy-failed)")),
        ("approval", {"NUON_INSTALL_ID": server.install("asks")}, (0, "Somebody must approve")),
        ("approval", {"NUON_INSTALL_ID": server.install("passes")}, (0, "| released")),
        ("approval", {"NUON_INSTALL_ID": server.install("fails")}, (1, "deploy-failed")),
        ("evidence", {"NUON_INSTALL_ID": server.install("passes")}, (0, "signed https://in-toto.io/attestation/test-result/v0.1")),
        ("evidence", {"NUON_INSTALL_ID": server.install("passes"), "digest": "sha256:" + 64 * "0"}, (1, "It is about this image")),
        ("evidence", {"NUON_INSTALL_ID": server.install("fails")}, (1, "failed (deploy-failed)")),
    ]:
        toy = Path(tempfile.mkdtemp(dir=scratch))
        text = (ROOT / f"examples/github/{name}.yml").read_text()
        # act takes the action from the repository; a checkout puts it there, as on a runner.
        text = text.replace("uses: OWNER/deploy-gate@v0.1.0", "uses: ./gate")
        text = text.replace("    steps:\n", "    steps:\n      - uses: actions/checkout@v6\n")
        Path(toy, ".github/workflows").mkdir(parents=True)
        Path(toy, ".github/workflows/example.yml").write_text(text)
        action(toy / "gate", url)
        repository(toy)
        server.Api.looks.clear()
        variables = {"NUON_COMPONENT_ID": server.COMPONENT, "NUON_ORG_ID": "org1", **variables}
        workflow = server.workflow_id(variables.get("NUON_INSTALL_ID", server.install("passes")))
        digest = variables.pop("digest", server.DIGEST)
        inputs = {"build": server.BUILD, "workflow": workflow, "since": "2026-01-14T16:00:00Z", "digest": digest}
        inputs = [word for name, value in inputs.items() for word in ("--input", f"{name}={value}")]
        code, said = act(toy, api, ca, "workflow_dispatch", *inputs, **variables)
        check(f"examples/github/{name}.yml ends with {ends} for {variables}", code == ends[0] and ends[1] in said, said)


def gitlab(scratch, api):
    toy = Path(scratch, "gitlab")
    Path(toy, "templates").mkdir(parents=True)
    shutil.copy(ROOT / "tests/e2e/gitlab-ci.yml", toy / ".gitlab-ci.yml")
    shutil.copy(ROOT / "templates/deploy-gate.yml", toy / "templates")
    repository(toy)
    local = ["gitlab-ci-local", "--force-shell-executor", "--variable", f"NUON_API_TOKEN={server.TOKEN}"]
    local += ["--variable", f"NUON_API_URL={api}"]

    code, said = run([*local, "--needs", "reads"], toy)
    check("the job of the component passes, and a later job reads its variables", code == 0 and "READ: passes" in said, said)
    check("JUnit has no failure", junit(toy, "passes") == (4, 0, 0), said)
    code, said = run([*local, "fails"], toy)
    check("the job fails where the deploy does", code == 1 and "failed (deploy-failed)" in said, said)
    check("JUnit has the failure", junit(toy, "fails") == (1, 1, 0), said)
    code, said = run([*local, "times-out"], toy)
    check("a timeout can be allowed by its exit code", code == 0 and "timed-out (still-running)" in said, said)

    log = Path(scratch, "cancelled.log")
    with log.open("w") as out:
        job = subprocess.Popen([*local, "is-cancelled"], cwd=toy, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        while "is \"executing\"" not in log.read_text():
            time.sleep(0.05)
        # As the runner does: every process of the job, but not the runner.
        gates = subprocess.run(["pgrep", "-f", "^deploy-gate wait"], capture_output=True, text=True).stdout.split()
        began = time.monotonic()
        for gate in gates:
            os.kill(int(gate), signal.SIGTERM)
        job.wait(timeout=30)
    said = log.read_text()
    check("cancelling took less than five seconds", gates and time.monotonic() - began < 5, said)
    check("a cancelled job fails, with its reports", "FAIL 143" in said and junit(toy, "is-cancelled") == (1, 0, 1), said)
    variables = next(toy.glob(".gitlab-ci-local/artifacts/is-cancelled/.gitlab-ci-reports/dotenv/*"), None)
    variables = variables or toy / "deploy-gate.env"
    check("and with its variables", "GATE_OUTCOME=interrupted" in variables.read_text(), said)

    toy = Path(scratch, "gitlab-plain")
    toy.mkdir()
    shutil.copy(ROOT / "examples/gitlab/plain.gitlab-ci.yml", toy / ".gitlab-ci.yml")
    repository(toy)
    for install, code, word in [("passes", 0, "deploy dpl00000000000000000000001 is live"), ("fails", 1, "deploy-failed")]:
        target = ["--variable", f"NUON_INSTALL_ID={server.install(install)}", "--variable", f"NUON_COMPONENT_ID={server.COMPONENT}"]
        got, said = run([*local, *target, "--variable", f"BUILD={server.BUILD}"], toy)
        check(f"examples/gitlab/plain.gitlab-ci.yml ends with {code} where the deploy {install}", got == code and word in said, said)

    toy = Path(scratch, "gitlab-branch-run")
    toy.mkdir()
    shutil.copy(ROOT / "examples/gitlab/branch-run.gitlab-ci.yml", toy / ".gitlab-ci.yml")
    repository(toy)
    for branch, code, word in [("passes", 0, "every install of shop/passes is up to date"), ("fails", 1, "deploy-failed")]:
        variables = ["--variable", "NUON_APP_ID=shop", "--variable", f"APP_BRANCH={branch}"]
        got, said = run([*local, *variables], toy)
        check(f"examples/gitlab/branch-run.gitlab-ci.yml ends with {code} where the run {branch}", got == code and word in said, said)


def junit(folder, job):
    """How many tests, failures and errors the job's own JUnit file has."""
    files = sorted(folder.glob(f".gitlab-ci-local/artifacts/{job}/**/deploy-gate.xml")) or [folder / "deploy-gate.xml"]
    suite = xml.etree.ElementTree.parse(files[0]).getroot()
    return tuple(int(suite.get(name)) for name in ("tests", "failures", "errors"))


def shell(scratch, api):
    variables = {"NUON_API_URL": api, "NUON_API_TOKEN": server.TOKEN}
    for install, code, word in [("passes", 0, "is live"), ("fails", 1, "no release: failed deploy-failed")]:
        command = ["sh", ROOT / "examples/shell/release.sh", server.install(install), server.COMPONENT, server.BUILD]
        got, said = run(command, scratch, **variables)
        check(f"examples/shell/release.sh ends with {code} where the deploy {install}", got == code and word in said, said)
    for install, code, word in [("passes", 0, "is up to date"), ("fails", 1, "failed (deploy-failed)")]:
        got, said = run(["sh", ROOT / "examples/shell/nuon-gate.sh", "shop", install], scratch, NUON_ORG_ID="org1", **variables)
        check(f"examples/shell/nuon-gate.sh ends with {code} where the branch {install}", got == code and word in said, said)
    for text, code, word in [("$.plan_only == false", 0, "nothing was asked"), ("$.plan_only == 'no'", 2, "plan_only")]:
        Path(scratch, "assertions").write_text(text)
        got, said = run(["sh", ROOT / "examples/shell/lint.sh", "assertions"], scratch)
        check(f"examples/shell/lint.sh ends with {code} for {text}", got == code and word in said, said)
    # The agent of Buildkite is not to be had here: a stand-in takes what the example tells it.
    agent = Path(scratch, "bin/buildkite-agent")
    for install, code, word in [("passes", 0, "--style success"), ("fails", 1, "--style error")]:
        workflow = server.workflow_id(server.install(install))
        agent.write_text(f'#!/bin/sh\ncase "$1" in meta-data) echo {workflow} ;; *) echo "$@"; cat ;; esac\n')
        agent.chmod(0o755)
        server.Api.looks.clear()
        target = {"NUON_INSTALL_ID": server.install(install), "NUON_COMPONENT_ID": server.COMPONENT}
        got, said = run(["sh", ROOT / "examples/buildkite/gate.sh"], scratch, **variables, **target)
        check(f"examples/buildkite/gate.sh ends with {code} where the deploy {install}", got == code and word in said, said)


def nuon_cli(path, api):
    """The Nuon CLI is not to be had here: a stand-in triggers what it would, and starts the extension as it would."""
    path.write_text(f"""#!/bin/sh
if [ "$1" = gate ]; then
    shift
    NUON_EXT_NAME=gate NUON_API_TOKEN={server.TOKEN} NUON_API_URL={api} exec deploy-gate "$@"
fi
[ "$1 $2 $3 $5 $7 $8 $9" = "branches trigger -a -b --no-wait --output json" ] || exit 64
exec curl -sS -X POST "{api}/v1/apps/$4/branches/$6/runs" -H "Authorization: Bearer {server.TOKEN}" -d '{{}}'
""")
    path.chmod(0o755)


def main():
    with tempfile.TemporaryDirectory() as scratch:
        for folder in ["bin", "release", "tls"]:
            Path(scratch, folder).mkdir()
        shutil.copy(GATE, Path(scratch, "bin/deploy-gate"))
        shutil.copy(GATE, Path(scratch, f"release/deploy-gate-{triple()}"))
        os.environ["PATH"] = f"{scratch}/bin{os.pathsep}{os.environ['PATH']}"
        api = server.api()
        nuon_cli(Path(scratch, "bin/nuon"), api)
        url, ca = server.release(Path(scratch, "release"), Path(scratch, "tls"))
        shell(scratch, api)
        gitlab(scratch, api)
        github(scratch, api, url, ca)
        action_without_a_release(scratch, api, ca)
        examples_for_github(scratch, api, url, ca)


main()
