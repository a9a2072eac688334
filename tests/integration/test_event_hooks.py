"""Hooks that hear of events are outside of everything: one that raises or never returns breaks and blocks no run."""

import json
from pathlib import Path

import pytest
from support.engine_room import SHIPPED, graph, install_toys, node
from support.plugins import make_plugin
from support.servers import running_server, wait_for_item

HOOKS = '''
"""Hooks that note the events they hear of, and then {title}."""

import pathlib
import time

from impasto_sdk import Event, hookimpl


@hookimpl
def on_event(event: Event) -> None:
    """Note it."""
    with open({path!r}, "a") as file:
        file.write(event.name + "\\n")
    {body}
'''


@pytest.mark.parametrize(("title", "body"), [("raise", 'raise ValueError("not today")'), ("hang", "time.sleep(3600)")])
def test_a_hook_that_does_not_behave_keeps_no_run_from_its_end(tmp_path: Path, title: str, body: str) -> None:
    heard, site = tmp_path / "heard", install_toys(tmp_path / "site")
    make_plugin(site, "hooks-that-misbehave", HOOKS.format(title=title, body=body, path=str(heard)))
    environment = {"IMPASTO_DISABLED_PLUGINS": json.dumps(SHIPPED), "IMPASTO_DEVICES": '["cpu"]'}
    with running_server(tmp_path / "root", environment=environment, python_path=site) as server:
        batch = {"graph": graph([node("a", "add", a=1, b=2, use_cache=False)]), "runs": 20}
        with server.client() as client:
            answer = client.post("/api/v1/queue/default/enqueue_batch", json={"batch": batch}).raise_for_status()
            items = [wait_for_item(client, item_id) for item_id in answer.json()["item_ids"]]
        assert {item["status"] for item in items} == {"completed"}
    assert server.process.returncode == 0
    names = heard.read_text().split()
    log = (tmp_path / "root" / "server.log").read_text()
    if title == "hang":
        assert len(names) == 1
        assert "a listener did not finish" in log
    else:
        # all of them, each once, although every call of the hook failed
        assert names.count("queue_item_status_changed") == 40
        assert names.count("invocation_complete") == 20
        assert "on_event failed" in log
