#!/bin/sh
# Makes dialer/web/static/vendor/jssip.min.js (SIP in the browser) from npm's package, with the licences of all that is in it.
# Needs node and npm; only for a new version: the bundle is kept in the repository. Then read the diff of jssip.sha256.
set -eu
jssip=3.13.8
esbuild=0.28.2
out=$(cd "$(dirname "$0")/../dialer/web/static/vendor" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"private": true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts "jssip@$jssip" "esbuild@$esbuild"
echo "import JsSIP from 'jssip'; export default JsSIP;" >entry.js
node_modules/.bin/esbuild entry.js --bundle --format=esm --platform=browser --target=es2022 --minify --legal-comments=none \
    --log-level=warning --outfile="$out/jssip.min.js"
{
    echo "jssip.min.js holds these packages, each with its licence:"
    for package in jssip debug ms events sdp-transform; do
        version=$(sed -n 's/^[[:space:]]*"version": "\(.*\)",*$/\1/p' "node_modules/$package/package.json")
        printf '\n==== %s %s\n\n' "$package" "$version"
        cat "node_modules/$package"/[Ll][Ii][Cc][Ee][Nn][SsCc][Ee]*
    done
} >"$out/jssip.LICENSE.txt"
cd "$out"
sha256sum jssip.min.js >jssip.sha256
