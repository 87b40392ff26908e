#!/bin/sh
# Install the requirement of `make test-mcp-agent`: an agent framework, in an environment of its own in the folder
# given as first argument, because it needs other versions of the MCP libraries than the server.
set -eu
if [ ! -x "$1/bin/python" ]; then
    echo "Installing an agent framework in $1"
    .venv/bin/python -m venv "$1"
fi
"$1/bin/python" -m pip install --quiet --disable-pip-version-check -r tests/mcp_agent/requirements.txt
