"""What the documentation lists, the code has, and the other way round."""

import ast
import dataclasses
import re
import typing
from collections.abc import Iterator

import pytest
from prometheus_client.metrics import MetricWrapperBase

from pipeline.contracts import errors, wire
from pipeline.contracts.events import EventKind
from pipeline.worker import metrics
from sessions_app.edge import schemas
from sessions_app.edge.api import api
from sessions_app.edge.sockets import CloseCode
from tests.house.tree import code, names, rows, section, text

ARCHITECTURE = "docs/architecture.md"


# Metrics ----------------------------------------------------------------------------------------------------------


def declared_metrics() -> dict[str, tuple[str, list[str]]]:
    """Name as Prometheus shows it → (type, labels)."""
    found = {}
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            name = metric._name + ("_total" if metric._type == "counter" else "")
            found[name] = (metric._type, list(metric._labelnames))
    return found


def documented_metrics() -> dict[str, list[str]]:
    return {names(row[0])[0]: row for row in rows(section("docs/metrics.md", "The machine"))}


def test_every_metric_is_documented_and_every_documented_metric_exists():
    documented = {name: (row[1], names(row[2])) for name, row in documented_metrics().items()}
    assert documented == declared_metrics()


def test_metrics_carry_our_prefix_and_the_unit_they_are_documented_with():
    for name, row in documented_metrics().items():
        assert name.startswith("goassist_")
        assert name.endswith("_seconds") == (row[3] == "s"), name
        assert name.endswith("_bytes") == (row[3] == "bytes"), name
        assert row[4], name


# API --------------------------------------------------------------------------------------------------------------


OF_BODIES = {400, 413, 415}
"""Told once for all endpoints."""


def served_endpoints() -> dict[str, set[int]]:
    """Endpoint → the statuses that it declares. Whatever an id is of, its place is called {id}."""
    paths = api.get_openapi_schema(path_prefix="/api/v1/")["paths"]
    return {
        f"{method.upper()} {re.sub(r'{[a-z_]+}', '{id}', path)}": {int(status) for status in told["responses"]}
        - OF_BODIES
        for path, methods in paths.items()
        for method, told in methods.items()
    }


def test_every_endpoint_is_documented_with_the_answers_that_it_declares():
    documented = rows(section("docs/api.md", "Endpoints"))
    assert {names(row[0])[0]: {int(status) for status in names(row[4])} for row in documented} == served_endpoints()


def codes_in(source: str) -> Iterator[str]:
    """Values of `"code": "..."` and `code="..."`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Dict):
            pairs: Iterator[tuple[object, ast.expr]] = zip(
                (getattr(key, "value", None) for key in node.keys), node.values, strict=True
            )
        elif isinstance(node, ast.Call):
            pairs = ((keyword.arg, keyword.value) for keyword in node.keywords)
        else:
            continue
        for key, value in pairs:
            if key == "code" and isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield value.value


def kinds_below(kind: type) -> set[type]:
    return {kind}.union(*(kinds_below(sub) for sub in kind.__subclasses__()))


def test_every_error_code_is_documented():
    told = {e.code for e in kinds_below(errors.PipelineError) if e.retryable or e is errors.MediaError}
    told |= set(codes_in(text("sessions_app/edge/problems.py")))
    documented = {names(row[0])[0] for row in rows(section("docs/api.md", "Errors"))}
    assert told <= documented, told - documented


# Sockets ----------------------------------------------------------------------------------------------------------


def test_every_close_code_is_documented():
    documented = {int(names(row[0])[0]) for row in rows(section(ARCHITECTURE, "Close codes"))}
    assert documented == {int(code) for code in CloseCode}


def test_every_message_of_the_signaling_socket_is_documented_with_its_members():
    documented = {names(row[0])[0]: set(names(row[1])) for row in rows(section(ARCHITECTURE, "From the client"))}
    known = {}
    for message in typing.get_args(schemas.SocketMessage):
        (kind,) = typing.get_args(message.model_fields["type"].annotation)
        known[kind] = {*message.model_fields} - {"type"}
    assert documented == known


def said_types(folder: str, call: str) -> set[str]:
    """`type` of every dict literal handed to a method of this name."""
    found = set()
    for path in code(".py", under=tuple(folder.split("/")[:1])):
        if not str(path).startswith(folder):
            continue
        for node in ast.walk(ast.parse(text(path))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == call:
                found |= {str(d["type"]) for d in map(literal_members, node.args) if "type" in d}
    return found


def literal_members(node: ast.expr) -> dict[str, object]:
    if not isinstance(node, ast.Dict):
        return {}
    return {
        str(getattr(key, "value", "")): getattr(value, "value", None)
        for key, value in zip(node.keys, node.values, strict=True)
    }


def test_every_answer_of_the_signaling_socket_is_documented():
    documented = {names(row[0])[0] for row in rows(section(ARCHITECTURE, "From the server"))} - {"event"}
    assert documented == said_types("sessions_app/edge", "say")


def test_every_control_message_of_the_worker_is_documented():
    documented = {names(row[0])[0] for row in rows(section(ARCHITECTURE, "Worker to page"))} - {"event"}
    assert documented == said_types("pipeline/core", "control")


def test_every_control_message_of_the_page_is_documented():
    understood = {"beat"}  # any message shows life; this one says nothing else
    for path in code(".py", under=("pipeline",)):
        for node in ast.walk(ast.parse(text(path))):
            if isinstance(node, ast.FunctionDef) and node.name in {"_on_control", "on_control"}:
                understood |= {
                    str(case.value.value)
                    for case in ast.walk(node)
                    if isinstance(case, ast.MatchValue) and isinstance(case.value, ast.Constant)
                }
    assert {names(row[0])[0] for row in rows(section(ARCHITECTURE, "Page to worker"))} == understood


# Messages and events ----------------------------------------------------------------------------------------------


def test_every_live_event_is_documented():
    documented = [names(row[0])[0] for row in rows(section(ARCHITECTURE, "Live events"))]
    assert documented == [kind.value for kind in EventKind]


EVERY_EVENT_HAS = {"turn", "t_audio_ms"}
"""Given where they are not those of this moment."""


def told_members() -> dict[str, set[str]]:
    """Event → members, of every `tell(EventKind.KIND, member=…)` in the conversation."""
    found: dict[str, set[str]] = {}
    for path in code(".py", under=("pipeline",)):
        for node in ast.walk(ast.parse(text(path))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "tell" and node.args:
                kind = node.args[0]
                assert isinstance(kind, ast.Attribute), f"{path}:{node.lineno}: name the kind of event here"
                members = found.setdefault(EventKind[kind.attr].value, set())
                members |= {str(keyword.arg) for keyword in node.keywords} - EVERY_EVENT_HAS
    return found


def test_every_member_of_a_live_event_is_documented():
    documented = {names(row[0])[0]: set(names(row[1])) for row in rows(section(ARCHITECTURE, "Live events"))}
    assert documented == told_members()


def test_every_message_on_the_channel_layer_is_documented_with_its_fields():
    documented = {
        names(row[0])[0]: names(row[3]) for row in rows(section(ARCHITECTURE, "Messages on the channel layer"))
    }
    known = {
        message.type: [field.name for field in dataclasses.fields(message)] for message in wire.Wired.__subclasses__()
    }
    known["session_event"] = [*wire.session_event({})][1:]
    known["session_faces"] = [*wire.session_faces([])][1:]
    known["session_over"] = ["reason"]
    assert documented == known


# The tests' own eyes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ['f(code="busy")', 'x = {"code": "busy", "text": t}'])
def test_a_new_error_code_would_be_seen(source):
    assert list(codes_in(source)) == ["busy"]


def test_rows_are_read_without_head_and_rule():
    assert rows("| a | b |\n| --- | --- |\n| `x` | y \\| z |\n") == [["`x`", "y \\| z"]]
