#!/bin/sh
# The command of the gate's step: the verdict becomes an annotation, and the exit code stays that of the gate.
set -eu
workflow=$(buildkite-agent meta-data get nuon-workflow)
code=0
deploy-gate wait --workflow "$workflow" --require-pin --report json=gate.json --report markdown=gate.md || code=$?
style=error
[ "$code" -ne 0 ] || style=success
# No annotation is no reason to change the verdict.
buildkite-agent annotate --style "$style" --context deploy-gate <gate.md || true
exit "$code"
