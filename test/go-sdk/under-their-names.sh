#!/bin/sh
# Runs a program that has Chainguard's host names built in, unmodified, in a network of its own where those names are ours:
#   unshare -r -n -m sh under-their-names.sh FOLDER PROGRAM...
# FOLDER holds server.crt and server.key for the three names and 127.0.0.1. What the program prints goes to stdout.
set -eu
folder=$1
shift
tidemark=$(dirname "$0")/../../bin/tidemark
ip link set lo up
echo '127.0.0.1 localhost console-api.enforce.dev issuer.enforce.dev cgr.dev' > "$folder/hosts"
mount --bind "$folder/hosts" /etc/hosts

export HOME="$folder" TIDEMARK_HOME="$folder/data" SSL_CERT_FILE="$folder/server.crt" NODE_EXTRA_CA_CERTS="$folder/server.crt"
export TIDEMARK_SERVER=https://127.0.0.1 XDG_CACHE_HOME="$folder/cache"
"$tidemark" registry serve --listen 127.0.0.1:5000 > "$folder/registry.url" 2> "$folder/registry.log" &
children=$!
"$tidemark" serve --listen 127.0.0.1:443 --tls-cert "$folder/server.crt" --tls-key "$folder/server.key" \
  --host console-api.enforce.dev,issuer.enforce.dev,cgr.dev > "$folder/server.url" 2> "$folder/server.log" &
children="$children $!"
# shellcheck disable=SC2086
trap 'kill $children; wait' EXIT
tries=0
until [ -s "$folder/server.url" ] && [ -s "$folder/registry.url" ]; do
  tries=$((tries + 1))
  [ "$tries" -lt 600 ] || { cat "$folder"/*.log >&2; exit 1; }
  sleep 0.1
done

group=720909c9f5279097d847ad02a2f24ba8f59de36a
{
  "$tidemark" iam group create chainguard --id "$group"
  "$tidemark" repo add chainguard/alpine --upstream 127.0.0.1:5000/library/alpine
  "$tidemark" watch add 127.0.0.1:5000/library/alpine:3.10 --every 1s
  "$tidemark" iam identity create --id "$group/a033a6fabe0bfa0d" --assumable-by any-user --role viewer
  "$tidemark" auth login --chainguard-cache
  tries=0
  until "$tidemark" history 127.0.0.1:5000/library/alpine:3.10 -o json | grep -q '"digest"'; do
    tries=$((tries + 1))
    [ "$tries" -lt 600 ] || exit 1
    sleep 0.1
  done
} > "$folder/commands.log" 2>&1 || { cat "$folder"/*.log >&2; exit 1; }
"$@"
