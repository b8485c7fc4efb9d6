#!/usr/bin/env bash
# The gate on hosts with other name services than the one it was built on: never a crash, always a code of its own.
# A static glibc loads the modules that nsswitch.conf names, and dies of those that another glibc was built for.
# usage: hosts.sh GATE ROOTS  (ROOTS is a folder for the roots of Debian, which are made once)
set -euo pipefail
gate=$(realpath "$1")
mkdir -p "$2"
roots=$(realpath "$2")
if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null && exec sudo "$0" "$gate" "$roots"
    echo 'hosts could not be tried here: that takes root'
    exit 0
fi
export PATH=$PATH:/usr/sbin:/sbin
work=$(mktemp -d)
server=
trap 'rm -rf "$work"; [ -z "$server" ] || kill "$server"' EXIT

# A deploy that is over, for every path.
cat >"$work/server.py" <<'PYTHON'
import http.server, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{"id":"dpl00000000000000000000001","component_id":"cmp00000000000000000000001","status_v2":{"status":"active"},"plan_only":false}'
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
print(server.server_port, flush=True)
server.serve_forever()
PYTHON
python3 "$work/server.py" >"$work/port" &
server=$!
until [ -s "$work/port" ]; do sleep 0.05; done
port=$(cat "$work/port")

for suite in trixie bullseye; do
    [ -e "$roots/$suite.made" ] || {
        rm -rf "${roots:?}/$suite"
        debootstrap --variant=minbase --include=libnss-myhostname,libnss-mdns "$suite" "$roots/$suite" >"$work/log" 2>&1 ||
            { tail -5 "$work/log"; exit 1; }
        touch "$roots/$suite.made"
    }
    root=$roots/$suite
    cp "$gate" "$root/deploy-gate"
    echo 'nameserver 127.0.0.1' >"$root/etc/resolv.conf"
    wait_at() { chroot "$root" /deploy-gate wait --install=inl00000000000000000000001 --component=cmp00000000000000000000001 --api-url="$1" "${@:2}" >"$work/out" 2>&1; }
    for hosts in 'files dns' 'files myhostname dns' 'files mdns4_minimal [NOTFOUND=return] dns' \
        'files mymachines resolve [!UNAVAIL=return] myhostname dns' 'no-such-service'; do
        echo "hosts: $hosts" >"$root/etc/nsswitch.conf"
        for try in "0 http://localhost:$port" '124 https://deploy-gate.invalid' '124 https://deploy-gate.local'; do
            echo '127.0.0.1 localhost' >"$root/etc/hosts"
            code=0
            wait_at "${try#* }" --timeout=0 || code=$?
            [ "$code" = "${try%% *}" ] || { echo "$suite, hosts: $hosts, $try: exit $code"; cat "$work/out"; exit 1; }
        done
    done
    # A name that does not resolve, then does. What the run before said is not of this one.
    rm -f "$work/out"
    wait_at "http://deploy-gate.test:$port" --interval=100ms --max-interval=100ms --timeout=30s &
    gate_run=$!
    until grep -q 'no usable answer' "$work/out" 2>/dev/null; do sleep 0.05; done
    echo '127.0.0.1 deploy-gate.test' >>"$root/etc/hosts"
    wait "$gate_run" || { cat "$work/out"; exit 1; }
    # As PID 1, which has no default for any signal.
    for try in 'INT 130' 'TERM 143'; do
        rm -f "$work/out"
        unshare --fork --pid chroot "$root" /deploy-gate wait --install=inl00000000000000000000001 --component=cmp00000000000000000000001 \
            --api-url=https://deploy-gate.invalid --interval=60s --timeout=60s >"$work/out" 2>&1 &
        outer=$!
        until grep -q 'no usable answer' "$work/out" 2>/dev/null; do sleep 0.05; done
        kill "-${try% *}" "$(pgrep -P "$outer")"
        code=0
        wait "$outer" || code=$?
        [ "$code" = "${try#* }" ] || { echo "as PID 1, $try: exit $code"; cat "$work/out"; exit 1; }
    done
    rm "$root/deploy-gate"
done
echo 'names resolve or not with any name service, then do; as PID 1 both signals end the run'
