"""Assistants: a draft that is edited, versions that are published from it and never change."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import RestrictedError
from ninja import Query, Router, Schema, Status
from pydantic import Field

from sessions_app.assistants import services
from sessions_app.assistants.draft import Draft
from sessions_app.assistants.models import Assistant, AssistantVersion
from sessions_app.edge.callers import CalledRequest, Key
from sessions_app.edge.paging import Page, PageIn, page_of
from sessions_app.edge.problems import Conflict
from sessions_app.edge.resources.scoped import found, in_scope
from sessions_app.edge.schemas import Label, Slug, errors
from sessions_app.tenants.audit import fields_of, record
from sessions_app.tenants.models import Tenant
from sessions_app.tenants.permissions import Can

router = Router(tags=["assistants"], auth=Key())


class AssistantIn(Schema):
    slug: Slug = Field(description="Part of the address of its page.")
    name: Label
    draft: Draft


class AssistantChange(Schema):
    """What is left out stays."""

    slug: Slug | None = None
    name: Label | None = None
    draft: Draft | None = Field(None, description="The whole draft.")


class AssistantOut(Schema):
    id: str
    slug: str
    name: str
    live_version: str | None = Field(description="Answers visitors; null: none yet.")
    created_at: datetime
    updated_at: datetime

    @staticmethod
    def resolve_live_version(assistant: Assistant) -> str | None:
        return assistant.live_version_id


class AssistantWhole(AssistantOut):
    draft: dict[str, Any]


class VersionOut(Schema):
    id: str
    assistant: str
    number: int | None = Field(description="From 1, without gaps; null for a draft on trial.")
    digest: str = Field(description="SHA-256 of the canonical manifest.")
    created_at: datetime

    @staticmethod
    def resolve_assistant(version: AssistantVersion) -> str:
        return version.assistant_id


class VersionWhole(VersionOut):
    manifest: dict[str, Any]


@router.get("/assistants", response={200: Page[AssistantOut], **errors()})
@in_scope
def list_assistants(request: CalledRequest, page: Query[PageIn]) -> dict[str, Any]:
    request.auth.need(Can.READ_ASSISTANTS)
    return page_of(Assistant.objects.defer("draft"), page, "-created_at", "-id")


@router.post("/assistants", response={201: AssistantWhole, **errors(409)})
@in_scope
def create_assistant(request: CalledRequest, body: AssistantIn) -> Status:
    """A draft: it answers nobody before it is published."""
    request.auth.need(Can.WRITE_ASSISTANTS)
    _ensure_free(body.slug)
    made = services.create_assistant(
        tenant=Tenant.objects.get(), slug=body.slug, name=body.name, draft=body.draft.model_dump()
    )
    record("assistant.created", made, tenant_id=made.tenant_id, after=fields_of(made))
    return Status(201, made)


@router.get("/assistants/{assistant_id}", response={200: AssistantWhole, **errors()})
@in_scope
def read_assistant(request: CalledRequest, assistant_id: str) -> Assistant:
    return _assistant(request, assistant_id, Can.READ_ASSISTANTS)


@router.patch("/assistants/{assistant_id}", response={200: AssistantWhole, **errors(409)})
@in_scope
def change_assistant(request: CalledRequest, assistant_id: str, body: AssistantChange) -> Assistant:
    """Changes the draft. Visitors hear of it with the next version."""
    assistant = _assistant(request, assistant_id, Can.WRITE_ASSISTANTS)
    before = fields_of(assistant)
    if body.slug and body.slug != assistant.slug:
        _ensure_free(body.slug)
        assistant.slug = body.slug
    assistant.name = body.name or assistant.name
    assistant.draft = body.draft.model_dump() if body.draft else assistant.draft
    with transaction.atomic():
        assistant.save(update_fields=["slug", "name", "draft", "updated_at"])
        record("assistant.changed", assistant, tenant_id=assistant.tenant_id, before=before, after=fields_of(assistant))
    return assistant


@router.delete("/assistants/{assistant_id}", response={204: None, **errors(409)})
@in_scope
def delete_assistant(request: CalledRequest, assistant_id: str) -> Status:
    """With its versions. One that visitors have spoken with stays: its sessions are its history."""
    assistant = _assistant(request, assistant_id, Can.WRITE_ASSISTANTS)
    before = fields_of(assistant)
    try:
        with transaction.atomic():
            record("assistant.deleted", assistant, tenant_id=assistant.tenant_id, before=before)
            assistant.delete()
    except RestrictedError as error:
        raise Conflict("Visitors have spoken with this assistant; it cannot be deleted with its history.") from error
    return Status(204, None)


@router.post("/assistants/{assistant_id}/publish", response={201: VersionOut, **errors()})
@in_scope
def publish_assistant(request: CalledRequest, assistant_id: str) -> Status:
    """Freezes the draft as the live version; running sessions take it over at their next turn.

    A draft that says what the live version says changes nothing: the live version is answered.
    """
    return Status(201, services.publish(assistant=_assistant(request, assistant_id, Can.WRITE_ASSISTANTS)))


@router.get("/assistants/{assistant_id}/versions", response={200: Page[VersionOut], **errors()})
@in_scope
def list_versions(request: CalledRequest, assistant_id: str, page: Query[PageIn]) -> dict[str, Any]:
    assistant = _assistant(request, assistant_id, Can.READ_ASSISTANTS)
    versions = AssistantVersion.objects.filter(assistant=assistant, trial=False).defer("manifest")
    return page_of(versions, page, "-number")


@router.get("/versions/{version_id}", response={200: VersionWhole, **errors()})
@in_scope
def read_version(request: CalledRequest, version_id: str) -> AssistantVersion:
    return found(request, AssistantVersion.objects.all(), Can.READ_ASSISTANTS, pk=version_id)


def _assistant(request: CalledRequest, assistant_id: str, can: Can) -> Assistant:
    return found(request, Assistant.objects.select_related("tenant"), can, pk=assistant_id)


def _ensure_free(slug: str) -> None:
    """Raises Conflict."""
    if Assistant.objects.filter(slug=slug).exists():
        raise Conflict(f"Another assistant has the slug {slug}; choose another.")
