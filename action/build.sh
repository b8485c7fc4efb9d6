#!/bin/sh
# Builds deploy-gate in the folder $1, unless what is there was built of these sources, and names it in the step output
# `bin`; `built` is true where it is new.
set -eu

fail() {
    printf '::error title=Deploy gate%%3A not installed::%s\n' "$1"
    exit 1
}

folder=$1
source=${folder##*-} # action/install.sh names it by the hash of the sources
cd "${GITHUB_ACTION_PATH:?}"
case "$(uname -s)" in MINGW* | MSYS* | CYGWIN*) bin=$folder/deploy-gate.exe ;; *) bin=$folder/deploy-gate ;; esac
version="deploy-gate $(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)"

# Whatever a cache brings is taken only if it says that it is of these sources, and starts here.
if [ "$(cat "$folder/source" 2>/dev/null)" = "$source" ] && [ "$("$bin" --version 2>/dev/null)" = "$version" ]; then
    echo "deploy-gate is $bin, which was built of these sources before"
    printf 'bin=%s\n' "$bin" >>"${GITHUB_OUTPUT:?}"
    exit
fi

command -v cargo >/dev/null || fail "this commit of the action has no release for this host, and there is no cargo to build it. \
Pin the action to a release, install Rust $(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml) or newer before it, or use the container image."
# Cargo reads its settings from the folder it runs in and from variables: neither may come from the checkout of the user.
for name in $(env | sed -nE 's/^(CARGO_(BUILD|TARGET|PROFILE)_[A-Z0-9_]*)=.*/\1/p'); do
    unset "$name"
done
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS RUSTC RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER RUSTUP_TOOLCHAIN
echo 'this commit of the action is no release: building it'
cargo build --locked --profile action --target-dir "$folder.target" --bin deploy-gate ||
    fail 'deploy-gate could not be built; the log above says why. Pinning the action to a release needs no build.'
mkdir -p "$folder"
cp "$folder.target/action/${bin##*/}" "$bin"
echo "$source" >"$folder/source"
echo "deploy-gate is $bin"
printf 'bin=%s\nbuilt=true\n' "$bin" >>"${GITHUB_OUTPUT:?}"
