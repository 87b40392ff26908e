"""Run tasks in separate processes, with limits on memory and time."""

from __future__ import annotations

from lavendertown.worker.pool import QueuedTask, WorkerPool
from lavendertown.worker.process import Failure, ResourceLimits, Worker

__all__ = ["Failure", "QueuedTask", "ResourceLimits", "Worker", "WorkerPool"]
