"""A release from an empty repository, as docs/releasing.md tells it, with the real workflow under act; then a user's job
that pins it. Stand-ins: the artifacts, the signing, what asks GitHub and the registry, and the compiler, since each of the
five executables would need a machine of its kind: GATE is all of them.

usage: release.py GATE   where GATE is the executable; act, git and openssl are on PATH
"""

import hashlib
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

import server
from commands import check, run

ROOT = Path(__file__).parents[2]
GATE = Path(sys.argv[1]).resolve()
VERSION = re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.M)[1]
IMAGES = ["ubuntu-latest", "ubuntu-22.04", "ubuntu-22.04-arm", "macos-latest", "windows-latest"]

# The programs that would leave this machine. Each says how it was called.
PROGRAMS = {
    "sudo": "",
    "rustup": "",
    "docker": 'case "$1 $2" in "buildx build") ls stage/out >>"$LOG"; echo \'{"containerimage.digest": "sha256:1"}\' >metadata.json ;; login*) cat >/dev/null ;; esac',
    "cargo": """case "$1" in
build) while [ "$1" != --target ]; do shift; done; mkdir -p "target/$2/release"; cp "$GATE" "target/$2/release/deploy-gate"; echo "$2" >>"target/$2/release/deploy-gate"
    case "$2" in *windows*) mv "target/$2/release/deploy-gate" "target/$2/release/deploy-gate.exe" ;; esac ;;
cyclonedx) echo '{"bomFormat": "CycloneDX"}' >deploy-gate.cdx.json ;;
esac""",
    "gh": """case "$1 $2" in
"release create") tag=$3 commit=$6; mkdir -p "$RELEASES/draft"; echo "$commit" >"$RELEASES/commit"; cp "${10}" "$RELEASES/notes"; shift 10
    cp "$@" "$RELEASES/draft/" ;;
"release edit") mv "$RELEASES/draft" "$RELEASES/$3"; git push -q origin "$(cat "$RELEASES/commit"):refs/tags/$3" ;;
"attestation verify") grep -q "$(sha256sum <"$3" | cut -d ' ' -f 1)" "$ATTESTED" ;;
esac""",
}
# The actions that would, as steps of a composite one.
ACTIONS = {
    "actions/upload-artifact": 'mkdir -p "$ARTIFACTS" && cp "$INPUT_PATH"/* "$ARTIFACTS/"',
    "actions/download-artifact": 'mkdir -p "$INPUT_PATH" && cp "$ARTIFACTS"/* "$INPUT_PATH/"',
    "actions/attest-build-provenance": '[ -z "$INPUT_SUBJECT" ] || sha256sum $INPUT_SUBJECT >>"$ATTESTED"',
    "actions/cache": "false",
    # The one of act knows no ref.
    "actions/checkout": 'git init -q && git fetch -q "$ORIGIN" "${INPUT_REF:-main}" && git checkout -qf FETCH_HEAD',
}


def git(folder, *arguments):
    code, said = run(["git", "-c", "user.name=e2e", "-c", "user.email=e2e@example.com", *arguments], folder)
    if code != 0:
        sys.exit(f"{said}\n\ngit {' '.join(map(str, arguments))}")
    return said.strip()


def stand_ins(scratch):
    """Writes the stand-ins, and returns what act has to be told."""
    environment = {"GATE": GATE, "LOG": scratch / "log", "RELEASES": scratch / "www/acme/deploy-gate/releases/download", "ARTIFACTS": scratch / "artifacts", "ATTESTED": scratch / "attested", "ORIGIN": scratch / "origin.git"}
    environment["RELEASES"].mkdir(parents=True)
    (scratch / "bin").mkdir()
    for name, script in PROGRAMS.items():
        path = scratch / "bin" / name
        path.write_text(f'#!/bin/sh\nset -eu\necho "{name} $*" >>"$LOG"\n{script}\n')
        path.chmod(0o755)
    told = [("--env", f"{name}={value}") for name, value in environment.items()]
    text = (ROOT / ".github/workflows/release.yml").read_text() + (ROOT / "action.yml").read_text()
    for name, script in ACTIONS.items():
        folder = scratch / name.replace("/", "-")
        inputs = "".join(f"  {it}:\n    description: {it}\n" for it in ["name", "path", "key", "ref", "persist-credentials", "merge-multiple", "if-no-files-found", "subject-path", "subject-name", "subject-digest", "push-to-registry"])
        step = f"    - shell: bash\n      run: |\n        {script}\n      env:\n        INPUT_PATH: ${{{{ inputs.path }}}}\n        INPUT_SUBJECT: ${{{{ inputs.subject-path }}}}\n        INPUT_REF: ${{{{ inputs.ref }}}}\n"
        for inner in [folder, folder / "restore", folder / "save"]:
            inner.mkdir()
            (inner / "action.yml").write_text(f"name: {name}\ndescription: stands in\ninputs:\n{inputs}runs:\n  using: composite\n  steps:\n{step}")
        for version in set(re.findall(rf"{name}(?:/\w+)?@(\w+)", text)):
            told.append(("--local-repository", f"{name}@{version}={folder}"))
    return told


def act(folder, told, url, *arguments):
    command = ["act", *arguments, *(word for pair in told for word in pair), "--pull=false", "--concurrent-jobs", "1"]
    command += [word for image in IMAGES for word in ("-P", f"{image}=-self-hosted")]
    command += ["--env", f"GITHUB_SERVER_URL={url}", "--env", "GITHUB_REPOSITORY=acme/deploy-gate"]
    return run(command, folder)


def main():
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        (scratch / "tls").mkdir()
        (scratch / "www").mkdir()
        url, ca = server.release(scratch / "www", scratch / "tls")
        told = stand_ins(scratch)
        os.environ["PATH"] = f"{scratch}/bin{os.pathsep}{os.environ['PATH']}"

        # Once: the repository, and its owner.
        git(scratch, "init", "-q", "--bare", "-b", "main", "origin.git")
        git(scratch, "clone", "-q", ROOT, "tree")
        tree = scratch / "tree"
        git(tree, "remote", "set-url", "origin", scratch / "origin.git")
        git(tree, "checkout", "-q", "-B", "main")
        check("owner.sh puts the owner in place", run(["sh", "action/owner.sh", "acme"], tree)[0] == 0)
        # Each time: the version.
        changes = (tree / "CHANGELOG.md").read_text()
        (tree / "CHANGELOG.md").write_text(changes.replace("## Unreleased", f"## {VERSION}", 1))
        git(tree, "commit", "-qam", f"Version {VERSION}")
        git(tree, "push", "-q", "origin", "main")
        before = git(tree, "rev-parse", "HEAD")
        code, said = act(tree, told, url, "workflow_dispatch", "-W", ".github/workflows/release.yml", "--input", f"version={VERSION}")
        check("the workflow Release ends well", code == 0, said)

        origin, log = scratch / "origin.git", (scratch / "log").read_text()
        tag = git(origin, "rev-parse", f"v{VERSION}")
        check("the tag names the commit after the one that was built", git(origin, "rev-parse", f"v{VERSION}^") == before)
        check("main has it", git(origin, "rev-parse", "main") == tag)
        check("the major version moved to it", git(origin, "rev-parse", f"v{VERSION.partition('.')[0]}^{{}}") == tag, log)
        check("the commit changes what says which executables there are, and nothing else", git(origin, "diff", "--name-only", before, tag) == "action/release.txt")
        files = {path.name for path in (scratch / "www/acme/deploy-gate/releases/download" / f"v{VERSION}").iterdir()}
        executables = {name for name in files if name.startswith(("deploy-gate-", "nuon-ext-gate-"))}
        others = {"SHA256SUMS", "deploy-gate.1", "deploy-gate.cdx.json", *(f"deploy-gate.{shell}" for shell in ["bash", "zsh", "fish", "powershell"])}
        check("the release has each executable by two names, and what belongs to them", len(executables) == 10 and files - executables == others, str(sorted(files)))
        entries = git(origin, "show", f"{tag}:action/release.txt")
        known = {f"deploy-gate-{it}{'.exe' * ('windows' in it)}": checksum for it, checksum in re.findall(r"^(\w+-\w+-[\w-]+) ([0-9a-f]{64})$", entries, re.M)}
        release = scratch / "www/acme/deploy-gate/releases/download" / f"v{VERSION}"
        checksums = {it: hashlib.sha256((release / it).read_bytes()).hexdigest() for it in executables if it.startswith("deploy")}
        check("the action knows the checksum of each, and no two are the same", known == checksums and len(set(checksums.values())) == 5, entries)
        attested = (scratch / "attested").read_text()
        check("each of them was attested", all(f"dist/{name}" in attested for name in files), attested)
        notes = (scratch / "www/acme/deploy-gate/releases/download/notes").read_text()
        check("its notes are this version's part of the changelog", notes.strip() == changes.partition("## Unreleased\n")[2].partition("\n## ")[0].strip(), notes)
        check("the draft came before the release", re.search(rf"gh release create v{VERSION} --draft --target {tag} .*\n(.*\n)*gh release edit v{VERSION} --draft=false", log), log)
        check("the image takes the two executables that were attested", "deploy-gate-amd64\ndeploy-gate-arm64\n" in log and "--platform linux/amd64,linux/arm64" in log, log)
        check("nothing was built for the image", log.count("cargo build") == 5, log)

        # A user pins it: the action downloads the executable of the release and checks it.
        toy = scratch / "toy"
        (toy / ".github/workflows").mkdir(parents=True)
        shutil.copy(ROOT / "tests/e2e/github.yml", toy / ".github/workflows")
        git(scratch, "clone", "-q", "--branch", f"v{VERSION}", origin, "toy/gate")
        shutil.rmtree(toy / "gate/.git")
        git(toy, "init", "-q")
        git(toy, "add", "-A")
        git(toy, "commit", "-qm", "Toy")
        # Here the checkout of act itself will do.
        told = [(flag, value) for flag, value in told if not value.startswith("actions/checkout@")]
        user = ["push", "--job", "passes", "--env", f"CURL_CA_BUNDLE={ca}", "--secret", f"NUON_API_TOKEN={server.TOKEN}", "--var", f"NUON_API_URL={server.api()}"]
        code, said = act(toy, told, url, *user)
        check("a job that pins the release downloads its executable, and passes", code == 0 and f"downloading {url}/acme/deploy-gate/releases/download/v{VERSION}/" in said and "READ: passes" in said, said)


main()
