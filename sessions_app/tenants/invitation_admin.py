"""The console's list of invitations: who was asked, and has not come yet. Made on the page of members."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from sessions_app.tenants.console import ReadOnlyAdmin, standing
from sessions_app.tenants.invitations import take_back
from sessions_app.tenants.models import Invitation
from sessions_app.tenants.permissions import Can

STATES = {"open": "info", "accepted": "success", "expired": "warning", "taken back": "danger"}


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    read, write = Can.READ_MEMBERS, Can.WRITE_MEMBERS
    list_display = ("email", "role", "state", "created_at", "expires_at")
    search_fields = ("email",)
    fields = ("email", "role", "created_at", "expires_at", "accepted_at", "revoked_at")
    actions = ("take_back",)

    def has_take_back_permission(self, request: HttpRequest) -> bool:
        return standing(request).may(self.write)

    @admin.action(description="Take back", permissions=["take_back"])
    def take_back(self, request: HttpRequest, invitations: QuerySet[Any]) -> None:
        for invitation in invitations:
            take_back(invitation=invitation)
        self.message_user(request, "Taken back. Their links open nothing any more.")

    @display(description="State", label=STATES)
    def state(self, invitation: Invitation) -> str:
        return invitation.state
