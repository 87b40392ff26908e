#!/bin/sh
# Install Java for Spark if there is none: scripts/java.sh, called by `make test-engines`.
set -eu
command -v java >/dev/null && exit 0
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq default-jre-headless
    exit 0
fi
echo "Spark needs Java; run: sudo apt-get install -y default-jre-headless" >&2
exit 1
