#!/bin/sh
# A release from any shell: trigger, wait for that very deploy, go on. NUON_API_TOKEN is set; needs curl.
# Usage: release.sh INSTALL COMPONENT BUILD
set -eu
: "${3:?usage: release.sh INSTALL COMPONENT BUILD}"
api=${NUON_API_URL:-https://api.nuon.co}
outputs=$(mktemp -d)
trap 'rm -rf "$outputs"' EXIT
curl -sS -i -o "$outputs/trigger" -X POST "$api/v1/installs/$1/components/$2/deploys" \
    -H "Authorization: Bearer ${NUON_API_TOKEN:?}" -H "X-Nuon-Org-ID: ${NUON_ORG_ID-}" \
    -H 'Content-Type: application/json' -d "{\"build_id\": \"$3\"}"

code=0
deploy-gate wait --install "$1" --component "$2" --workflow "@$outputs/trigger" --require-pin --timeout 30m \
    --assert '$.plan_only == false' --report dir="$outputs" || code=$?
case "$code" in
    0) echo "deploy $(cat "$outputs/deploy-id") is live" ;;
    4) echo "somebody must approve: $(cat "$outputs/url")" ;;
    *) echo "no release: $(cat "$outputs/outcome") $(cat "$outputs/reason")" ;;
esac
exit "$code"
