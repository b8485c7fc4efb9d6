#!/bin/sh
# A lint for pull requests: are the flags and the assertions of the gate such that it could ever pass? Nothing is asked.
# Usage: lint.sh ASSERTIONS, the file that the gate is given as --assert-file.
set -eu
deploy-gate doctor --offline --install any --component any --assert-file "${1:?usage: lint.sh ASSERTIONS}"
