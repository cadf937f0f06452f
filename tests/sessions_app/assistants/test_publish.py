import pytest

from pipeline.contracts.spec import AssistantSpec, digest
from sessions_app import switchboard
from sessions_app.assistants.draft import DraftError, checked
from sessions_app.assistants.models import AssistantVersion, FrozenVersion
from sessions_app.assistants.selectors import live_version, public_assistant, spec_of
from sessions_app.assistants.services import create_assistant, publish
from sessions_app.tenants.scope import tenant_scope
from tests.fakes.office import draft, make_assistant, make_tenant

pytestmark = pytest.mark.django_db


@pytest.fixture
def announced(monkeypatch):
    """A fake exchange: keeps the news instead of sending them."""
    news: list[AssistantSpec] = []
    monkeypatch.setattr(switchboard, "announce", news.append)
    return news


def test_a_published_version_says_what_the_draft_said(announced, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        assistant = make_assistant(make_tenant("Riverside"))
    with tenant_scope(assistant.tenant_id):
        version = live_version(assistant.id)
        spec = spec_of(version)
    assert version.number == 1
    assert version.digest == spec.digest() == digest(version.manifest)
    assert spec.tenant_name == "Riverside"
    assert [(p.id, p.text) for p in spec.passages] == [("visit#1", "Come early."), ("visit#2", "Bring your papers.")]
    assert announced == [spec]


def test_publishing_again_without_a_change_makes_no_new_version(announced, django_capture_on_commit_callbacks):
    assistant = make_assistant(make_tenant())
    with tenant_scope(assistant.tenant_id), django_capture_on_commit_callbacks(execute=True):
        assert publish(assistant=assistant).number == 1
        assert announced == []
        assistant.draft = draft(greeting="Good day.")
        assistant.save()
        assert publish(assistant=assistant).number == 2
        assert live_version(assistant.id).number == 2
    assert [spec.greeting for spec in announced] == ["Good day."]


def test_a_version_never_changes():
    assistant = make_assistant(make_tenant())
    with tenant_scope(assistant.tenant_id):
        version = AssistantVersion.objects.get(assistant=assistant)
        version.manifest["greeting"] = "Something else"
        with pytest.raises(FrozenVersion):
            version.save()
        with pytest.raises(FrozenVersion):
            AssistantVersion.objects.filter(pk=version.pk).update(manifest={})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"greeting": " "}, "greeting"),
        ({"facts": [{"id": "a", "topic": "t"}]}, "facts, number 1, answer"),
        ({"facts": [{"id": "a", "topic": "t", "answer": "x"}] * 2}, "two facts are called a"),
        ({"documents": [{"id": "Not an id", "title": "t", "body": "b"}]}, "documents, number 1, id"),
        ({"confidence_threshold": 2}, "confidence_threshold"),
        ({"confidence_threshold": float("nan")}, "confidence_threshold"),
        ({"idle_limit_s": 5}, "idle_limit_s"),
        ({"voice": {"name": "../../etc"}}, "voice, name"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_faulty_draft_is_refused_in_words(changes, words):
    with pytest.raises(DraftError) as refused:
        checked(draft(**changes))
    assert any(words in problem for problem in refused.value.problems)


def test_a_faulty_draft_is_not_published():
    assistant = make_assistant(make_tenant())
    with tenant_scope(assistant.tenant_id):
        assistant.draft = {"greeting": "Hello"}
        assistant.save()
        with pytest.raises(DraftError):
            publish(assistant=assistant)
        assert live_version(assistant.id).number == 1


def test_an_assistant_has_a_page_once_it_is_published():
    assistant = make_assistant(make_tenant())
    found = public_assistant(tenant_slug=assistant.tenant.slug, assistant_slug=assistant.slug)
    assert found == assistant
    with tenant_scope(assistant.tenant_id):
        create_assistant(tenant=assistant.tenant, slug="unpublished", name="Robin", draft=draft())
    assert public_assistant(tenant_slug=assistant.tenant.slug, assistant_slug="unpublished") is None
    assert public_assistant(tenant_slug="nobody", assistant_slug=assistant.slug) is None
