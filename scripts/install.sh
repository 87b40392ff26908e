#!/bin/sh
# Create .venv with the project in editable mode: scripts/install.sh EXTRAS, called by `make`.
# PYTHON sets the interpreter; the default is the newest suitable one on the PATH.
set -eu
cd "$(dirname "$0")/.."
extras=$1

suitable() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    for name in ${PYTHON:-python3.14 python3.13 python3.12 python3.11 python3}; do
        if suitable "$name"; then
            echo "$name"
            return
        fi
    done
    echo "Python 3.11 or newer is required, but ${PYTHON:-no suitable python3 on the PATH} was found; set PYTHON to one." >&2
    exit 1
}

makes_environments() {
    "$1" -c 'import venv; from ensurepip import version' >/dev/null 2>&1
}

need_venv_module() {
    makes_environments "$1" && return
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv
        makes_environments "$1" && return
    fi
    echo "$1 cannot create virtual environments; run: sudo apt-get install -y python3-venv" >&2
    exit 1
}

# Recreate the environment if an interrupted installation left it without pip.
if ! suitable .venv/bin/python || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    python=$(find_python)
    need_venv_module "$python"
    echo "Creating .venv with $("$python" --version)"
    "$python" -m venv --clear .venv
fi
echo "Installing lavendertown[$extras] into .venv"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[$extras]"
