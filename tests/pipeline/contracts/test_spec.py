"""The manifest: one canonical form, one digest."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.errors import SpecError
from pipeline.contracts.spec import AssistantSpec, DocumentPassage, Fact, canonical_json, digest
from tests.fakes.machine import a_spec

texts = st.text(max_size=40)
specs = st.builds(
    a_spec,
    persona=texts,
    greeting=texts,
    facts=st.lists(st.builds(Fact, texts, texts, texts), max_size=4).map(tuple),
    passages=st.lists(st.builds(DocumentPassage, texts, texts, texts), max_size=4).map(tuple),
    confidence_threshold=st.integers(0, 100).map(lambda n: n / 100),
)


@given(specs)
def test_a_manifest_survives_json_with_the_same_digest(spec: AssistantSpec) -> None:
    loaded = json.loads(canonical_json(spec.to_manifest()))
    assert AssistantSpec.from_manifest(loaded) == spec
    assert digest(loaded) == spec.digest()


@given(specs, specs)
def test_digests_tell_versions_apart(one: AssistantSpec, other: AssistantSpec) -> None:
    assert (one.digest() == other.digest()) == (one == other)


def test_the_order_of_keys_does_not_matter() -> None:
    manifest = a_spec().to_manifest()
    assert digest(dict(reversed(list(manifest.items())))) == digest(manifest)


@pytest.mark.parametrize("broken", [{}, {"schema": 2}, {"schema": 1}, {"schema": 1, "surprise": True}])
def test_what_is_not_a_manifest_is_refused_in_words(broken: dict[str, object]) -> None:
    with pytest.raises(SpecError):
        AssistantSpec.from_manifest(broken)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts, lambda inner: st.lists(inner) | st.dictionaries(texts, inner)
)


@given(st.dictionaries(st.sampled_from([*a_spec().to_manifest(), "x"]), json_values))
def test_no_manifest_raises_anything_but_spec_error(manifest: dict[str, object]) -> None:
    with contextlib.suppress(SpecError):
        AssistantSpec.from_manifest({**manifest, "schema": 1})
