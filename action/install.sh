#!/bin/sh
# Puts deploy-gate in place for the action, and names it in the step output `bin`.
#
# Which binary belongs to this tree is told by the content of its sources, not by a tag: where they are those of a release,
# its executable is downloaded and checked; elsewhere action/build.sh builds them, in the `folder` that is named then, and
# `key` is what that is kept by. A download that fails never falls back to a build, since that would hide a wrong checksum.
set -eu

fail() {
    printf '::error title=Deploy gate%%3A not installed::%s\n' "$1"
    exit 1
}

sha256() {
    if command -v sha256sum >/dev/null; then
        sha256sum
    else
        shasum -a 256
    fi | cut -d ' ' -f 1
}

# The target triple of the executables of a release.
target() {
    case "$(uname -m)" in
        x86_64 | amd64) cpu=x86_64 ;;
        aarch64 | arm64) cpu=aarch64 ;;
        *) cpu=$(uname -m) ;;
    esac
    case "$(uname -s)" in
        Linux) echo "$cpu-unknown-linux-musl" ;;
        Darwin) echo "$cpu-apple-darwin" ;;
        MINGW* | MSYS* | CYGWIN*) echo "$cpu-pc-windows-msvc" ;;
        *) echo unknown ;;
    esac
}

# The second word of the line of action/release.txt that begins with this word.
entry() {
    awk -v name="$1" '$1 == name { print $2; exit }' action/release.txt
}

download() {
    echo "downloading $1"
    if command -v curl >/dev/null; then
        curl --proto '=https' --tlsv1.2 -fsSL --retry 5 -o "$2" "$1"
    elif command -v wget >/dev/null; then
        wget -q -O "$2" "$1"
    else
        fail "neither curl nor wget is here to download $1"
    fi || {
        rm -f "$2"
        fail "$1 could not be downloaded; is this host allowed to reach it?"
    }
}

# The token may come from where the runner does not know it as a secret. Short ones would mask half the log.
printf '%s\n' "${NUON_API_TOKEN-}" | sed -e '/^.\{0,7\}$/d' -e 's/%/%25/g' -e 's/^/::add-mask::/'

# One that is there already: whoever put it there answers for it.
if [ -n "${GATE_BINARY-}" ]; then
    cd "${GITHUB_WORKSPACE:?}"
    bin=$(command -v "$GATE_BINARY") || fail "the input binary names $GATE_BINARY, which is no executable"
    case "$bin" in /* | [A-Za-z]:*) ;; *) bin=$PWD/$bin ;; esac
    version=$("$bin" --version) || fail "the input binary names $GATE_BINARY, which does not say its version"
    # Another version may not know an input of this one, and would check nothing by it.
    want="deploy-gate $(sed -n 's/^version = "\(.*\)"/\1/p' "${GITHUB_ACTION_PATH:?}/Cargo.toml" | head -n 1)"
    [ "$version" = "$want" ] || fail "the input binary names $GATE_BINARY, which is $version; this action is of $want"
    echo "$version is $bin"
    printf 'bin=%s\n' "$bin" >>"${GITHUB_OUTPUT:?}"
    exit
fi

cd "${GITHUB_ACTION_PATH:?}"
case "$(target)" in *windows*) suffix=.exe ;; *) suffix= ;; esac
source=$(sh action/source.sh)
folder=${RUNNER_TEMP:?}/deploy-gate-$source
want=$(entry "$(target)")
if [ "$(entry source)" = "$source" ] && [ -n "$want" ]; then
    bin=$folder/deploy-gate$suffix
    mkdir -p "$folder"
    [ -f "$bin" ] || download "$(entry url)/deploy-gate-$(target)$suffix" "$bin"
    got=$(sha256 <"$bin")
    if [ "$got" != "$want" ]; then
        rm -f "$bin"
        fail "the executable of deploy-gate has the checksum $got, and should have $want; it is not run"
    fi
    chmod +x "$bin"
    echo "deploy-gate is $bin"
    printf 'bin=%s\n' "$bin" >>"${GITHUB_OUTPUT:?}"
else
    echo 'this commit of the action is no release: what was built of it before is looked for'
    # A binary that was linked with a newer C library does not start.
    key=deploy-gate-$(target)-$({ getconf GNU_LIBC_VERSION 2>/dev/null || uname -s; } | tr ' ' -)-$source
    printf 'folder=%s\nkey=%s\n' "$folder" "$key" >>"${GITHUB_OUTPUT:?}"
fi
