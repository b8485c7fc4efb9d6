#!/bin/sh
# Prints the part of CHANGELOG.md that is about a version: notes.sh VERSION. A version without one has no release.
set -eu
notes=$(awk -v heading="## $1" '$0 == heading || index($0, heading " ") == 1 { on = 1; next } /^## / { on = 0 } on' CHANGELOG.md)
if [ -z "$notes" ]; then
    echo "CHANGELOG.md says nothing of the version $1" >&2
    exit 1
fi
printf '%s\n' "$notes"
