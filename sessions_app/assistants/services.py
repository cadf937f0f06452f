"""Writing: drafts and publishing."""

from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Max

from pipeline.contracts.spec import AssistantSpec
from sessions_app import switchboard
from sessions_app.assistants.draft import checked, spec_from
from sessions_app.assistants.models import Assistant, AssistantVersion
from sessions_app.tenants.audit import record
from sessions_app.tenants.models import Tenant, User
from sessions_app.webhooks.models import EventType
from sessions_app.webhooks.services import emit


def create_assistant(*, tenant: Tenant, slug: str, name: str, draft: dict[str, Any]) -> Assistant:
    """A draft only: it answers nobody before `publish`."""
    return Assistant.objects.create(tenant=tenant, slug=slug, name=name, draft=draft)


@transaction.atomic
def publish(*, assistant: Assistant, by: User | None = None) -> AssistantVersion:
    """Freezes the draft as the live version and tells the workers once the transaction is through.

    A draft that says what the live version says changes nothing: the live version is returned. Raises DraftError.
    """
    assistant = (
        Assistant.objects.select_for_update(of=("self",)).select_related("tenant", "live_version").get(pk=assistant.pk)
    )
    spec = spec_from(assistant=assistant, draft=checked(assistant.draft))
    if assistant.live_version and assistant.live_version.digest == spec.digest():
        return assistant.live_version
    version = _freeze(assistant, spec, by)
    before = assistant.live_version
    assistant.live_version = version
    assistant.save(update_fields=["live_version"])
    record(
        "assistant.published",
        assistant,
        tenant_id=assistant.tenant_id,
        before={"version": before.number, "digest": before.digest} if before else {},
        after={"version": version.number, "digest": version.digest},
    )
    emit(assistant.tenant_id, EventType.ASSISTANT_PUBLISHED, partial(_published, assistant, version))
    transaction.on_commit(partial(switchboard.announce, spec))
    return version


@transaction.atomic
def freeze_trial(*, assistant: Assistant, by: User | None = None) -> AssistantVersion:
    """Freezes the draft to be tried; the live version stays. Tried twice it is frozen once. Raises DraftError."""
    assistant = Assistant.objects.select_for_update(of=("self",)).select_related("tenant").get(pk=assistant.pk)
    spec = spec_from(assistant=assistant, draft=checked(assistant.draft))
    same = AssistantVersion.objects.filter(assistant=assistant, digest=spec.digest()).first()
    return same or _freeze(assistant, spec, by, trial=True)


def _freeze(assistant: Assistant, spec: AssistantSpec, by: User | None, *, trial: bool = False) -> AssistantVersion:
    last = AssistantVersion.objects.filter(assistant=assistant).aggregate(last=Max("number"))["last"] or 0
    made: AssistantVersion = AssistantVersion.objects.create(
        tenant=assistant.tenant, assistant=assistant, number=None if trial else last + 1, trial=trial, published_by=by,
        manifest=spec.to_manifest(), digest=spec.digest(),
    )  # fmt: skip
    return made


def _published(assistant: Assistant, version: AssistantVersion) -> dict[str, Any]:
    """What webhooks are told."""
    return {
        "assistant_id": assistant.pk,
        "assistant_slug": assistant.slug,
        "name": assistant.name,
        "version_id": version.pk,
        "version": version.number,
        "digest": version.digest,
    }
