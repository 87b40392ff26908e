#!/bin/sh
# Install the requirements of `make test-rpc-clients`: Node.js (Debian's as root, else explains how), and the npm
# packages of each client in the folder given as first argument.
set -eu
if ! { command -v node >/dev/null && command -v npm >/dev/null; }; then
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        echo "Installing Node.js for the RPC clients"
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nodejs npm
    else
        echo "These tests need Node.js; run: sudo apt-get install -y nodejs npm" >&2
        exit 1
    fi
fi
for client in document current; do
    mkdir -p "$1/$client"
    cp "tests/rpc_clients/$client/package.json" "$1/$client/"
    # No lock file, as it would contain the registry URL of this machine.
    (cd "$1/$client" && npm install --no-package-lock --no-audit --no-fund --loglevel=error)
done
