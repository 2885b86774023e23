#!/bin/sh
# Builds both images with buildah, no Docker engine and no registry needed: the base is made of Debian's own packages.
#
#   docker/build.sh [santun] [asterisk]         both, if none is named
#
#   SANTUN_BASE=IMAGE          build on this image of a registry instead (for one image at a time)
#   SANTUN_DEBIAN_MIRROR=URL   where Debian's packages come from [http://deb.debian.org/debian]
#   SANTUN_CA=FILE             certificates that pip is to believe while it builds, behind a proxy of your own
#   SANTUN_TRIAL=1             accept a frozen mirror, for a trial: the image is tagged `trial` and is not for production
#
# chroot isolation: works inside a container and on a machine without user namespaces. Wants root, buildah, mmdebstrap.
set -eu
cd "$(dirname "$0")/.."
mirror=${SANTUN_DEBIAN_MIRROR:-http://deb.debian.org/debian}
tag=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
check=true
if [ "${SANTUN_TRIAL:-}" = 1 ]; then
    tag=trial check=false
    echo "A trial: a mirror past its date is accepted. Do not use these images." >&2
fi

# The smallest Debian of a suite, as an image; made once.
base() {
    name="localhost/santun-base-$1:$tag"
    if ! buildah inspect --type image "$name" >/dev/null 2>&1; then
        mmdebstrap --variant=minbase --aptopt="Acquire::Check-Valid-Until \"$check\"" \
            --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
            --dpkgopt='path-exclude=/usr/share/doc/*' --include=ca-certificates "$1" ".cache/base-$1.tar" "$mirror" >&2
        box=$(buildah from scratch)
        buildah add -q "$box" ".cache/base-$1.tar" / >/dev/null
        buildah commit -q "$box" "$name" >/dev/null
        buildah rm "$box" >/dev/null
        rm -f ".cache/base-$1.tar"
    fi
    echo "$name"
}

build() {
    suite=$2
    from=${SANTUN_BASE:-$(base "$suite")}
    set -- --format docker --isolation chroot --layers --build-arg "BASE=$from" \
        --file "docker/Dockerfile.$1" --tag "localhost/santun-$1:$tag" --label "org.opencontainers.image.version=$tag"
    if [ -n "${SANTUN_CA:-}" ]; then
        set -- "$@" --volume "$SANTUN_CA:/etc/ssl/certs/ca-certificates.crt:ro" \
            --env PIP_CERT=/etc/ssl/certs/ca-certificates.crt --env SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
    fi
    buildah build "$@" .
}

mkdir -p .cache
for one in ${*:-asterisk santun}; do
    case $one in
        asterisk) build asterisk forky ;;
        santun) build santun trixie ;;
        *) echo "docker/build.sh [santun] [asterisk]: there is no image $one." >&2; exit 2 ;;
    esac
done
