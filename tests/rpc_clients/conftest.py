"""These tests need Node.js and packages of npm: ``make test-rpc-clients`` runs them, nothing else does."""

from __future__ import annotations

import os

collect_ignore = [] if os.environ.get("LAVENDERTOWN_TEST_RPC_CLIENTS") else ["test_typescript.py"]
