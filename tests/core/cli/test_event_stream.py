"""Server-sent events come out of a stream's lines as the standard says."""

from impasto.cli.event_stream import EventMessage, read_events


def test_events_have_an_id_a_name_and_data() -> None:
    lines = ["id: 7.ab", "event: invocation_started", 'data: {"item_id": 1}', ""]
    assert list(read_events(lines)) == [EventMessage("7.ab", "invocation_started", {"item_id": 1})]


def test_comments_are_passed_over_and_an_id_holds_until_the_next() -> None:
    lines = [":", "", "id: 7", "event: a", "data: {}", "", ": alive", "", "event: b", "data:{}", "", "data: {}", ""]
    assert [(event.id, event.name) for event in read_events(lines)] == [("7", "a"), ("7", "b"), ("7", "message")]


def test_data_may_span_lines_and_an_unfinished_event_is_none() -> None:
    lines = ["data: {", 'data: "a": 1}', "", "event: late", "data: {}"]
    assert [event.data for event in read_events(lines)] == [{"a": 1}]
