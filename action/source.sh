#!/bin/sh
# Prints one hash of all that the binary is made from. Run it at the root of the tree.
set -eu

sha256() {
    if command -v sha256sum >/dev/null; then
        sha256sum
    else
        shasum -a 256
    fi | cut -d ' ' -f 1
}

# Each file is hashed without its name, since hosts write a name in different ways.
find Cargo.toml Cargo.lock schema src -type f | LC_ALL=C sort | while IFS= read -r file; do
    printf '%s %s\n' "$(sha256 <"$file")" "$file"
done | sha256
