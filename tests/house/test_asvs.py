"""docs/asvs.md leaves no requirement of level 1 and none of WebRTC out, and names only tests that are there."""

import re

from tests.house.tree import ROOT, rows, section, text

PAGE = "docs/asvs.md"
LEVEL_1 = {
    "1.2": "1-5", "1.3": "1-2", "1.5": "1", "2.1": "1", "2.2": "1-2", "2.3": "1", "3.2": "1-2", "3.3": "1",
    "3.4": "1-2", "3.5": "1-3", "4.1": "1", "4.4": "1", "5.2": "1-2", "5.3": "1-2", "6.1": "1", "6.2": "1-8",
    "6.3": "1-2", "6.4": "1-2", "7.2": "1-4", "7.4": "1-2", "8.1": "1", "8.2": "1-2", "8.3": "1", "9.1": "1-3",
    "9.2": "1", "10.4": "1-5", "11.3": "1-2", "11.4": "1", "12.1": "1", "12.2": "1-2", "13.4": "1", "14.2": "1",
    "14.3": "1", "15.1": "1", "15.2": "1", "15.3": "1",
}  # fmt: skip
"""OWASP ASVS 5.0.0, 5.0/docs_en/..._5.0.0_en.csv: sections, and which of their requirements are of level 1."""
WEBRTC = {"17.1": "1-2", "17.2": "1-8", "17.3": "1-2"}
STATES = {"met", "not met", "partly", "not here", "deployment"}


def ids(sections: dict[str, str]) -> list[str]:
    numbers = {name: [int(one) for one in span.split("-")] for name, span in sections.items()}
    return [f"V{name}.{n}" for name, span in numbers.items() for n in range(span[0], span[-1] + 1)]


def test_every_requirement_has_an_answer() -> None:
    assert len(ids(LEVEL_1)) == 70
    assert [row[0] for row in rows(section(PAGE, "Level 1, all"))] == ids(LEVEL_1)
    assert [row[0] for row in rows(section(PAGE, "WebRTC, all levels"))] == ids(WEBRTC)


def test_each_answer_is_one_of_those_explained() -> None:
    found = [row for row in re.findall(r"^\| (?:V|LLM)\S+ \| [^|]+ \| ([^|]+) \|", text(PAGE), re.MULTILINE)]
    assert len(found) > 100
    assert set(found) <= STATES


def test_the_tests_that_are_named_are_there() -> None:
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", text(PAGE)))
    assert len(named) > 20
    assert [name for name in sorted(named) if not (ROOT / name).is_file()] == []
