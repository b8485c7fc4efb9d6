#!/bin/sh
# The last stage of the Dockerfile by hand, since there may be no Docker: a root with a busybox, the gate and its
# entrypoint, entered as the image's user. Also a root with nothing but the gate.
# usage: image.sh GATE
set -eu
cd "$(dirname "$0")/../.."
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"
mkdir -p "$root/bin" "$root/usr/local/bin" "$root/empty" "$root/tmp"
chmod 1777 "$root/tmp"
cp "$(command -v busybox)" "$root/bin/busybox"
for name in sh grep cat; do ln -s busybox "$root/bin/$name"; done
cp "$1" "$root/usr/local/bin/deploy-gate"
cp action/entrypoint.sh "$root/usr/local/bin/deploy-gate-entrypoint"
cp "$1" "$root/empty/deploy-gate"
cp examples/recordings/noop.jsonl "$root/tmp/"

if [ "$(id -u)" = 0 ]; then
    enter() { chroot --userspec=65532:65532 "$@"; }
elif sudo -n true 2>/dev/null; then
    enter() { sudo chroot --userspec=65532:65532 "$@"; }
else
    echo 'roots could not be tried here: that takes root'
    exit 0
fi
export PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin

# docker run IMAGE --help, and with a verdict that is not 0
enter "$root" deploy-gate-entrypoint --help | grep -q 'EXIT STATUS'
code=0
enter "$root" deploy-gate-entrypoint replay /tmp/noop.jsonl --report dir=/tmp/outputs >/dev/null 2>&1 || code=$?
[ "$code" = 1 ]
# GitLab starts a shell in the image, with or without the entrypoint
# shellcheck disable=SC2016 # the shell in the root expands it
enter "$root" deploy-gate-entrypoint sh -c 'deploy-gate explain status | grep -q auto-skipped && [ "$(cat /tmp/outputs/outcome)" = failed ]'
enter "$root" sh -c 'deploy-gate explain status | grep -q auto-skipped'
# One file on a machine with nothing on it at all
enter "$root/empty" /deploy-gate explain status | grep -q auto-skipped
echo 'runs as the user of the image, as a command and in a shell, and in an empty root'
