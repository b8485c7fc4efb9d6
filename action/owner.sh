#!/bin/sh
# Puts the name of whoever publishes this repository in place of OWNER: owner.sh NAME. Run it once, at the root of the tree.
set -eu
case "${1-}" in
    '' | *[!A-Za-z0-9-]*)
        echo 'usage: owner.sh NAME, with a name of letters, digits and hyphens' >&2
        exit 2
        ;;
esac
git grep -lw OWNER -- . ':!action/owner.sh' | while IFS= read -r file; do
    # Not in place, which is said in two ways.
    sed "s/\\bOWNER\\b/$1/g" "$file" >"$file.new"
    cat "$file.new" >"$file"
    rm "$file.new"
done
git diff --stat
