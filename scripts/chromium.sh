#!/bin/sh
# Ensure that Chromium is installed for the browser tests: installs Debian's as root, else explains how.
set -eu
[ -n "${LAVENDERTOWN_TEST_CHROMIUM:-}" ] && exit 0
for name in chromium chromium-browser google-chrome google-chrome-stable; do
    command -v "$name" >/dev/null && exit 0
done
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    echo "Installing Chromium for the browser tests"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core
    exit 0
fi
echo "The browser tests need Chromium; run: sudo apt-get install -y chromium" >&2
echo "(or set LAVENDERTOWN_TEST_CHROMIUM to the path of a Chromium)" >&2
exit 1
