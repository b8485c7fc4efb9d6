#!/bin/sh
# The action's own build, from no more than what the action needs: what action/install.sh does in a tree of no release.
set -eu
cd "$(dirname "$0")/../.."
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
mkdir "$temp/action" "$temp/runner"
cp -R action Cargo.toml Cargo.lock schema src "$temp/action/"
GITHUB_ACTION_PATH=$temp/action RUNNER_TEMP=$temp/runner GITHUB_OUTPUT=$temp/output sh action/install.sh
bin=$(sed -n 's/^bin=//p' "$temp/output")
"$bin" --version
