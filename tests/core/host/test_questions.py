"""The hooks that are asked and told while the server runs."""

import sys
from pathlib import Path

import pytest
from support.distributions import Distributions, distributions

from impasto_sdk.contributions import EnqueueProposal
from impasto_sdk.errors import EnqueueRefusedError
from impasto_sdk.events import InvocationProgressEvent, QueueClearedEvent, QueueItemStatusChangedEvent

__all__ = ["distributions"]

IDENTIFY = """
from impasto_sdk.models import ModelIdentification

@hookimpl
def identify_model(path):
    return {answer}
"""


def answer(confidence: float, name: str) -> str:
    return f"ModelIdentification(confidence={confidence}, base='b', type='main', format='f', name='{name}')"


def test_the_surest_answer_identifies_a_model(distributions: Distributions) -> None:
    distributions.install("a", IDENTIFY.format(answer=answer(0.5, "from a")))
    distributions.install("b", IDENTIFY.format(answer=answer(0.9, "from b")))
    distributions.install("c", IDENTIFY.format(answer="None"))

    found = distributions.load().identify_model(Path("weights"))

    assert found is not None
    assert found.name == "from b"


def test_of_equally_sure_answers_the_first_plugin_by_name_wins(distributions: Distributions) -> None:
    distributions.install("z", IDENTIFY.format(answer=answer(0.9, "from z")))
    distributions.install("a", IDENTIFY.format(answer=answer(0.9, "from a")))

    found = distributions.load().identify_model(Path("weights"))

    assert found is not None
    assert found.name == "from a"


@pytest.mark.parametrize("wrong", ["1 / 0", "'sd-1'", answer(7, "too sure")])
def test_a_wrong_answer_is_logged_and_counts_as_none(
    distributions: Distributions, caplog: pytest.LogCaptureFixture, wrong: str
) -> None:
    distributions.install("a-wrong", IDENTIFY.format(answer=wrong))
    host = distributions.load()

    assert host.identify_model(Path("weights")) is None
    assert "plugin 'a-wrong': identify_model" in caplog.text


def proposal() -> EnqueueProposal:
    return EnqueueProposal(queue_id="default", user_id="system", graph={}, item_count=1)


def test_a_plugin_may_refuse_a_batch_with_a_reason(distributions: Distributions) -> None:
    distributions.install(
        "guard",
        """
        from impasto_sdk.errors import EnqueueRefusedError

        @hookimpl
        def before_enqueue(proposal):
            raise EnqueueRefusedError(f"{proposal.queue_id} is closed on Sundays")
        """,
    )

    with pytest.raises(EnqueueRefusedError, match="default is closed on Sundays"):
        distributions.load().before_enqueue(proposal())


def test_a_guard_that_breaks_refuses_nothing_and_the_next_is_asked(
    distributions: Distributions, caplog: pytest.LogCaptureFixture
) -> None:
    distributions.install("a-broken", "@hookimpl\ndef before_enqueue(proposal):\n    1 / 0\n")
    distributions.install(
        "b-asked", "asked = []\n@hookimpl\ndef before_enqueue(proposal):\n    asked.append(proposal)\n"
    )
    host = distributions.load()

    host.before_enqueue(proposal())

    assert "plugin 'a-broken': before_enqueue failed" in caplog.text
    b_asked = sys.modules["b_asked"]

    assert b_asked.asked == [proposal()]


LISTENER = """
told = []

@hookimpl
def on_event(event):
    told.append(("on_event", event.name))

@hookimpl
def on_queue_item_status_changed(event):
    told.append(("on_queue_item_status_changed", event.status))
"""

CHANGED = QueueItemStatusChangedEvent(
    queue_id="default", item_id=1, batch_id="b", session_id="s", status="completed", status_sequence=3
)


def test_a_listener_is_told_of_every_event_and_by_name(distributions: Distributions) -> None:
    distributions.install("ears", LISTENER)
    host = distributions.load()
    assert host.listens

    host.dispatch(CHANGED)
    host.dispatch(QueueClearedEvent(queue_id="default"))

    ears = sys.modules["ears"]

    assert ears.told == [
        ("on_event", "queue_item_status_changed"),
        ("on_queue_item_status_changed", "completed"),
        ("on_event", "queue_cleared"),
    ]


def test_a_listener_that_raises_does_not_keep_the_event_from_the_others(
    distributions: Distributions, caplog: pytest.LogCaptureFixture
) -> None:
    distributions.install("a-broken", "@hookimpl\ndef on_event(event):\n    1 / 0\n")
    distributions.install("ears", LISTENER)
    host = distributions.load()

    host.dispatch(CHANGED)

    assert "plugin 'a-broken': on_event failed for queue_item_status_changed" in caplog.text
    ears = sys.modules["ears"]

    assert ("on_queue_item_status_changed", "completed") in ears.told


def test_a_host_whose_plugins_do_not_listen_says_so(distributions: Distributions) -> None:
    distributions.install("a", IDENTIFY.format(answer="None"))
    host = distributions.load()

    assert not host.listens
    host.dispatch(
        InvocationProgressEvent(
            queue_id="default",
            item_id=1,
            batch_id="b",
            session_id="s",
            invocation={},
            invocation_source_id="n",
            message="half way",
        )
    )
