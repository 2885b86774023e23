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
redis=$(port) ami=$(port) http=$(port) sip=$(port) agi=$(port) engine=$(port) ivr=$(port) web=$(port)
export SANTUN_AMI_SECRET=$(openssl rand -hex 16) SANTUN_ARI_PASSWORD=$(openssl rand -hex 16) SANTUN_PERSON_KEY=$(openssl rand -hex 32)
mkdir "$work/data"
sed -e "s/:6379/:$redis/" -e "s/^host = \"127.0.0.1\"/&\nport = $ami/" -e "s/:9108/:$engine/" -e "s/:8088/:$http/" \
    -e "/^\[ivr\]/a port = $agi" -e "/^\[web\]/a listen = \"127.0.0.1:$web\"" santun.toml >"$work/santun.toml"
{ printf 'ami_port = %s\nsip_port = %s\nivr_port = %s\n' "$ami" "$sip" "$agi"; sed "s/^http_port = 8088/http_port = $http/" pbx1.toml; } >"$work/pbx1.toml"
chown -R 10001:10001 "$work" && chmod 755 "$work"

santun=$(buildah from "localhost/santun-santun:$tag") && boxes="$santun"
asterisk=$(buildah from "localhost/santun-asterisk:$tag") && boxes="$boxes $asterisk"
# As compose would: read-only root, nothing of the host's but data and settings, user 10001 without any capability.
inside() {
    box=$1 && shift
    root=$(buildah mount "$box")
    mkdir -p "$root/etc/santun" && touch "$root/etc/santun/santun.toml" "$root/etc/santun/pbx1.toml"
    # shellcheck disable=SC2046 # one word each: the image's own variables
    exec env -i $(buildah inspect --type container --format '{{range .OCIv1.Config.Env}}{{.}} {{end}}' "$box") \
        "SANTUN_AMI_SECRET=$SANTUN_AMI_SECRET" "SANTUN_ARI_PASSWORD=$SANTUN_ARI_PASSWORD" \
        "SANTUN_PERSON_KEY=$SANTUN_PERSON_KEY" "SANTUN_SITE_KEYS=${SANTUN_SITE_KEYS:-}" \
        /usr/bin/unshare --mount /bin/sh -c '
            set -eu
            root=$1 work=$2 && shift 2
            PATH=$PATH:/usr/sbin:/sbin
            mount --bind "$root" "$root"
            mount --bind "$work/data" "$root/var/lib/santun"
            for file in santun.toml pbx1.toml; do mount --bind -o ro "$work/$file" "$root/etc/santun/$file"; done
            mount -t tmpfs tmpfs "$root/tmp"
            mount -t proc proc "$root/proc"
            mount --rbind /dev "$root/dev"
            mount -o remount,bind,ro "$root"
            cd "$root/var/lib/santun"
            exec chroot "$root" setpriv --reuid 10001 --regid 10001 --clear-groups --no-new-privs --bounding-set=-all \
                --inh-caps=-all "$@"' inside "$root" "$work" "$@"
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
            echo "$1: $({ grep "Call Manager" "$work/answer" || head -n 1 "$work/answer"; } | tr -d '\r')"
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
# what Asterisk has recorded, as its user: the web's keeper encrypts it
(inside "$santun" sh -c 'espeak-ng -w /var/lib/santun/recordings/trial.wav halo')
for _ in $(seq 60); do
    sealed=$(find "$work/data/recordings" -name 'trial.wav.age')
    [ -z "$sealed" ] || [ -e "$work/data/recordings/trial.wav" ] || break
    sealed= && sleep 1
done
[ -n "$sealed" ] || { echo "the recording was not encrypted" >&2; tail -n 20 "$work"/*.log >&2; exit 1; }
echo "recordings are encrypted: $(head -c 21 "$sealed")"
if (inside "$santun" touch /opt/santun/x /etc/x) 2>/dev/null; then
    echo "the root is not read-only" >&2
    exit 1
fi
echo "the root is read-only"
curl -fsS "http://127.0.0.1:$engine/metrics" | grep '^santun_manager_link_up'
(inside "$santun" dialer check)
