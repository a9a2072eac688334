"""What a batch names of the library: found in every input that can hold it, and for each session by itself."""

from typing import Any

import pytest
from support.queues import open_queue
from support.toys import TOYS

from impasto.app.called_graphs import CalledGraphs
from impasto.app.references import Library, find_references, missing_references
from impasto.app.submissions import Submissions
from impasto.app.workflows import WorkflowLibrary
from impasto.errors import GraphValidationError
from impasto.graph import Graph
from impasto.host import Catalogue
from impasto.host.contributions import Registered
from impasto.host.plugin import PluginInfo, PluginState
from impasto.queue.records import Batch
from impasto.storage.database import Database
from impasto.storage.event_log import EventLog
from impasto_sdk.context import InvocationContext
from impasto_sdk.fields import FieldValue, InputField, IntegerOutput, LoRAField, ModelIdentifierField
from impasto_sdk.node import BaseInvocation, invocation

PLUGIN = PluginInfo(name="toys", version="1.0.0", entry_point="toys", state=PluginState.ACTIVE)


class Nested(FieldValue):
    """A value that may hold its like."""

    model: ModelIdentifierField | None = None
    inner: "Nested | None" = None


Nested.model_rebuild()


@invocation("toy_models", version="1.0.0")
class ToyModels(BaseInvocation):
    """Names models in every way."""

    seed: int = InputField(0, description="No model")
    model: ModelIdentifierField | None = InputField(None, description="One")
    loras: list[LoRAField] = InputField(default=[], description="Some")
    nested: Nested | None = InputField(None, description="One inside another")

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        return IntegerOutput(value=self.seed)


CATALOGUE = Catalogue([Registered(toy, PLUGIN) for toy in (*TOYS, ToyModels)])


def lora(key: str) -> dict[str, Any]:
    return {"lora": {"key": key}, "weight": 1}


def a_batch(data: list[list[dict[str, Any]]] | None = None, **inputs: Any) -> Batch:
    nodes = {"a": {"type": "toy_models", **inputs}, "b": {"type": "toy_models"}}
    return Batch.model_validate({"graph": {"nodes": nodes, "edges": []}, "data": data})


def datum(field: str, *items: Any, node: str = "a") -> dict[str, Any]:
    return {"node_path": node, "field_name": field, "items": list(items)}


@pytest.fixture
def submissions(database: Database, log: EventLog, workflows: WorkflowLibrary) -> Submissions:
    library = Library(images_that_exist=lambda names: set(names), model_exists=lambda key: key != "gone")
    queue = open_queue(database, log=log, affinity_window=8)
    called = CalledGraphs(CATALOGUE, workflows)
    return Submissions(CATALOGUE, queue, library, called, lambda proposal: None, max_graph_nodes=10)


def stored_models(database: Database) -> list[str | None]:
    with database.read() as connection:
        return list(connection.exec_driver_sql("SELECT models FROM queue_items ORDER BY item_id").scalars())


def test_models_are_found_wherever_an_input_can_hold_one() -> None:
    batch = a_batch(
        model={"key": "main", "default_settings": {"key": "no model, for it is inside a record"}},
        loras=[lora("one"), lora("two")],
        nested={"inner": {"inner": {"model": {"key": "deep"}}}},
    )
    references = find_references(batch, Graph.from_document(batch.graph), CATALOGUE)
    assert [(found.field, found.name) for found in references.models] == [
        ("model", "main"),
        ("loras", "one"),
        ("loras", "two"),
        ("nested", "deep"),
    ]
    assert references.session_models.written == {
        ("a", "model"): ["main"],
        ("a", "loras"): ["one", "two"],
        ("a", "nested"): ["deep"],
    }
    assert references.session_models.given == {}


def test_data_for_an_input_that_holds_no_model_costs_nothing() -> None:
    batch = a_batch([[datum("seed", *range(5))]])
    references = find_references(batch, Graph.from_document(batch.graph), CATALOGUE)
    assert references.session_models.given == {}


def test_a_model_inside_a_value_must_exist_too() -> None:
    batch = a_batch(loras=[lora("here"), lora("gone")])
    references = find_references(batch, Graph.from_document(batch.graph), CATALOGUE)
    library = Library(images_that_exist=lambda names: names, model_exists=lambda key: key != "gone")
    (problem,) = missing_references(references, library)
    assert (problem.code, problem.node_id, problem.field, problem.found) == ("model_not_found", "a", "loras", "gone")


def test_each_item_is_stored_with_the_models_of_its_own_session(submissions: Submissions, database: Database) -> None:
    data = [
        [datum("model", {"key": "m1"}, {"key": "m2"}), datum("seed", 1, 2)],
        [datum("loras", [lora("l")], [], node="b")],
    ]
    submissions.enqueue("default", a_batch(data, loras=[lora("always")]))
    submissions.enqueue("default", a_batch([[datum("seed", 1, 2)]], model={"key": "m3"}))
    submissions.enqueue("default", a_batch())
    assert stored_models(database) == [
        ",always,l,m1,",
        ",always,m1,",
        ",always,l,m2,",
        ",always,m2,",
        ",m3,",
        ",m3,",
        None,
    ]


def test_a_model_that_only_one_session_names_must_exist_too(submissions: Submissions, database: Database) -> None:
    data = [[datum("model", {"key": "here"}, {"key": "gone"})]]
    with pytest.raises(GraphValidationError, match=r"a\.model: there is no model 'gone'"):
        submissions.enqueue("default", a_batch(data))
    assert stored_models(database) == []
