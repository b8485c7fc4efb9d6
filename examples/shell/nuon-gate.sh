#!/bin/sh
# A release for whoever has logged in with the Nuon CLI and installed the gate as its extension; needs jq.
# Usage: nuon-gate.sh APP BRANCH
set -eu
run=$(nuon branches trigger -a "${1:?usage: nuon-gate.sh APP BRANCH}" -b "${2:?}" --no-wait --output json | jq -er .id)
nuon gate wait --branch-run "$1/$2/$run" --require-pin --timeout 1h
echo "every install of $1/$2 is up to date"
