#!/usr/bin/env bash
# Which changes of the deciding modules no test notices. usage: tests/mutants.sh [--shard K/N]
# Needs cargo-mutants 27.1.0. .cargo/mutants.toml says what is changed, tests/mutants.md what came of it.
# First the unit tests are put to each change; then the scenarios, which take longer, to what they let live.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_TEST_DEBUG=0

# usage: pass [OPTION ...] [-- TEST OPTION ...]; 2 is that something survived, 3 that it never ended
pass() {
    cargo mutants --iterate --baseline skip --jobs "$(nproc)" --output target "$@" || case $? in 2 | 3) ;; *) exit 1 ;; esac
}

CARGO_PROFILE_DEV_OPT_LEVEL=0 CARGO_PROFILE_TEST_OPT_LEVEL=0 pass "$@" --timeout 30 --cargo-arg=--lib
pass "$@" --timeout 60 --cargo-arg=--test=scenarios -- -- --skip everything_has_exactly_one_ending
cat target/mutants.out/{missed,timeout}.txt
