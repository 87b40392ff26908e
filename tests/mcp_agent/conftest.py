"""These tests need an agent framework: ``make test-mcp-agent`` runs them, nothing else does."""

from __future__ import annotations

import os

collect_ignore = ["scripted_agent.py"]
if not os.environ.get("LAVENDERTOWN_TEST_MCP_AGENT"):
    collect_ignore += ["test_agent_framework.py"]
