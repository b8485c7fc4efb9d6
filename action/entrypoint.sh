#!/bin/sh
# The entrypoint of the image: GitLab and others start a shell in it, everybody else the gate.
set -eu
case "${1-}" in
    sh | bash | /bin/sh | /bin/bash) exec "$@" ;;
    *) exec deploy-gate "$@" ;;
esac
