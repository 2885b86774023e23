#!/bin/sh
# Starts the processes of the built images once, without a Docker engine, and asks whether they are alive and ready.
# Wants root, buildah, redis-server and the images of docker/build.sh; SANTUN_TAG [trial]. It calls nobody.
set -eu
cd "$(dirname "$0")"
tag=${SANTUN_TAG:-trial}
for program in buildah redis-server curl openssl; do
    command -v "$program" >/dev/null || { echo "$program is not on PATH: install it, then start again" >&2; exit 1; }
done
work=$(mktemp -d /tmp/santun-try-XXXXXX)
pids= boxes=
cleanup() {
    for pid in $pids; do kill "$pid" 2>/dev/null || true; done
    for pid in $pids; do wait "$pid" 2>/dev/null || true; done
    for box in $boxes; do buildah rm "$box" >/dev/null; done
    rm -rf "$work"
}
trap cleanup EXIT INT TERM

port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
redis=$(port) ami=$(port) sip=$(port) agi=$(port) engine=$(port) ivr=$(port) web=$(port)
export SANTUN_AMI_SECRET=$(openssl rand -hex 16) SANTUN_PERSON_KEY=$(openssl rand -hex 32)
mkdir "$work/data"
sed -e "s/:6379/:$redis/" -e "s/^host = \"127.0.0.1\"/&\nport = $ami/" -e "s/:9108/:$engine/" santun.toml >"$work/santun.toml"
printf '\n[ivr]\nport = %s\n[web]\nlisten = "127.0.0.1:%s"\n' "$agi" "$web" >>"$work/santun.toml"
{ printf 'ami_port = %s\nsip_port = %s\nivr_port = %s\n' "$ami" "$sip" "$agi"; cat pbx1.toml; } >"$work/pbx1.toml"
chown -R 10001:10001 "$work" && chmod 755 "$work"

santun=$(buildah from "localhost/santun-santun:$tag") && boxes="$santun"
asterisk=$(buildah from "localhost/santun-asterisk:$tag") && boxes="$boxes $asterisk"
inside() {
    box=$1 && shift
    exec buildah run --isolation chroot --user 10001:10001 --env "SANTUN_AMI_SECRET=$SANTUN_AMI_SECRET" --env "SANTUN_PERSON_KEY=$SANTUN_PERSON_KEY" \
        --env "SANTUN_SITE_KEYS=${SANTUN_SITE_KEYS:-}" \
        --volume "$work/data:/var/lib/santun" --volume "$work/santun.toml:/etc/santun/santun.toml:ro" \
        --volume "$work/pbx1.toml:/etc/santun/pbx1.toml:ro" "$box" -- "$@"
}
begin() {
    name=$1 && shift
    ("$@") >"$work/$name.log" 2>&1 &
    pids="$! $pids"
}
# Waits for a page to say yes.
answers() {
    for _ in $(seq 60); do
        if curl -fsS -m 2 "$2" </dev/null >"$work/answer" 2>&1 || grep -q "Call Manager" "$work/answer"; then
            echo "$1: $(head -n 1 "$work/answer" | tr -d '\r')"
            return
        fi
        sleep 1
    done
    echo "$1: $(cat "$work/answer"), $2" >&2
    tail -n 20 "$work"/*.log >&2
    exit 1
}

SANTUN_SITE_KEYS=$(inside "$santun" dialer key | grep -v '^#')
redis-server --port "$redis" --bind 127.0.0.1 --appendonly yes --appendfsync always --dir "$work" >"$work/redis.log" &
pids=$!
(inside "$santun" sh -c 'ivr prompts render --out /var/lib/santun/sounds --company Santun && dialer conf /etc/santun/pbx1.toml')
begin asterisk inside "$asterisk" sh -c 'ls "$ASTERISK_CONF" && exec asterisk -f -C "$ASTERISK_CONF"'
answers "asterisk" "telnet://127.0.0.1:$ami"
begin ivr inside "$santun" ivr serve --prompts /var/lib/santun/sounds --redis "redis://127.0.0.1:$redis/0" \
    --listen "127.0.0.1:$agi" --metrics "127.0.0.1:$ivr"
begin engine inside "$santun" dialer engine
begin web inside "$santun" dialer web
answers "ivr ready" "http://127.0.0.1:$ivr/readyz"
answers "engine alive" "http://127.0.0.1:$engine/healthz"
answers "engine ready" "http://127.0.0.1:$engine/readyz"
answers "web alive" "http://127.0.0.1:$web/health"
curl -fsS "http://127.0.0.1:$engine/metrics" | grep '^santun_manager_link_up'
(inside "$santun" dialer check)
