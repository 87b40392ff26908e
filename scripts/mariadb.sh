#!/bin/sh
# Ensure that MariaDB is installed for `make test-mariadb`: installs Debian's as root, else explains how.
set -eu
found() {
    PATH="$PATH:/usr/sbin" command -v mariadbd >/dev/null && command -v mariadb-install-db >/dev/null
}
found && exit 0
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    echo "Installing MariaDB for its tests"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mariadb-server
    found && exit 0
fi
echo "These tests need a MariaDB server; run: sudo apt-get install -y mariadb-server" >&2
exit 1
