"""Run the agent of docs/mcp.md with a scripted model; it runs in the agent framework's environment.

The model is the framework's own for tests: a function in place of a network call. All else is real: the
agent, its toolset, the client and the server.

Usage: python scripted_agent.py SETTINGS.json, in the folder that has agent.py.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelResponse, RetryPromptPart, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.models.test import TestModel

sys.path.insert(0, str(Path.cwd()))
from agent import read_toolset, triage

Step = tuple[str, dict[str, Any]]
SEEN: dict[str, Any] = {}
"""What the tools answered, for the test."""


def work_on_findings() -> Generator[Step, Any, None]:
    """Yield one tool call after the other, and receive its answer."""
    found = yield "search_findings", {"dataset": ["orders"], "status": ["open"]}
    name = found["findings"][0]["finding_id"]
    ids = {"finding_ids": [name], "on_behalf_of": "Ana"}
    SEEN["description"] = found["findings"][0]["description"]
    SEEN["reports"] = len((yield "read_finding", {"finding_id": name})["occurrences"])
    yield "comment", {**ids, "comment": "The supplier knows.", "tags": ["supplier"]}
    yield "assign", {**ids, "assignee": "Ben"}
    yield "snooze", {**ids, "until": "2999-01-31"}
    SEEN["refusal"] = yield "set_status", {**ids, "status": "accepted"}
    accepted = yield "set_status", {**ids, "status": "accepted", "reason": "Known."}
    SEEN["accepted"] = (yield "read_finding", {"finding_id": name})["finding"]["status"]
    SEEN["undone"] = yield "undo", {"undo": accepted["undo"]}
    SEEN["read"] = yield "read_finding", {"finding_id": name}


def scripted_model() -> FunctionModel:
    steps = work_on_findings()

    async def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        SEEN["tools"] = sorted(tool.name for tool in info.function_tools)
        last = messages[-1].parts[-1]
        returned = None if len(messages) == 1 else last.content
        if isinstance(last, RetryPromptPart):
            returned = str(last.content)
        try:
            tool, arguments = steps.send(returned)
        except StopIteration:
            return ModelResponse(parts=[TextPart("All is decided.")])
        return ModelResponse(parts=[ToolCallPart(tool, arguments)])

    return FunctionModel(answer)


async def search_with_generated_arguments(settings: str) -> str:
    """Let the framework's test model fill in what a tool's schema asks for."""
    model = TestModel(call_tools=["search_findings"])
    agent = Agent(model, toolsets=[read_toolset(settings)])
    async with agent:
        return str((await agent.run("Search.")).output)


async def main(settings: str) -> None:
    SEEN["output"] = await triage(scripted_model(), settings)
    SEEN["generated"] = json.loads(await search_with_generated_arguments(settings))
    print(json.dumps(SEEN))


asyncio.run(main(sys.argv[1]))
