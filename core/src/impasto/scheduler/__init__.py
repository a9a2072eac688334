"""The scheduler: a pure state machine that says which nodes of a graph may run next."""

from impasto.scheduler.execution_node import ExecutionNode
from impasto.scheduler.state import GraphExecutionState

__all__ = ["ExecutionNode", "GraphExecutionState"]
