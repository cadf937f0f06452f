"""Reading: assistants and their versions."""

from pipeline.contracts.spec import AssistantSpec
from sessions_app.assistants.models import Assistant, AssistantVersion
from sessions_app.tenants import ids
from sessions_app.tenants.scope import everyone


def assistant_named(name: str) -> Assistant | None:
    """The one in scope with this id or slug, and its tenant."""
    wanted = {"id": name} if ids.is_id(ids.ASSISTANT, name) else {"slug": name}
    return Assistant.objects.select_related("tenant").filter(**wanted).first()


def live_version(assistant_id: str) -> AssistantVersion | None:
    """The version that answers visitors now; None when nothing was published, or no such assistant is in scope."""
    assistant = Assistant.objects.select_related("live_version").filter(pk=assistant_id).first()
    return assistant.live_version if assistant else None


def version_of(assistant_id: str, version_id: str) -> AssistantVersion | None:
    """That version of that assistant; None when there is none in scope."""
    return AssistantVersion.objects.filter(assistant_id=assistant_id, pk=version_id).first()


def spec_of(version: AssistantVersion) -> AssistantSpec:
    """Raises SpecError when the stored manifest is of another schema."""
    return AssistantSpec.from_manifest(version.manifest)


def public_assistant(*, tenant_slug: str, assistant_slug: str) -> Assistant | None:
    """A published assistant by the address of its page, with its tenant. Works with no scope active."""
    with everyone():
        published = Assistant.objects.select_related("tenant").exclude(live_version=None)
        return published.filter(tenant__slug=tenant_slug, slug=assistant_slug).first()
