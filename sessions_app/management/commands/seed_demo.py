"""Two demo businesses to try the product with: their people, keys and published assistants.

May run any number of times. Passwords and keys follow from the installation's secret key, so that each run prints the
same ones and none is the same in two installations.
"""

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, ProgrammingError, transaction

from sessions_app.assistants.models import Assistant
from sessions_app.assistants.services import create_assistant, publish
from sessions_app.tenants.keys import PUBLISHABLE, SECRET, hash_key
from sessions_app.tenants.models import PublishableKey, Role, SecretKey, Tenant, User
from sessions_app.tenants.scope import everyone, tenant_scope
from sessions_app.tenants.services import add_member, issue_publishable_key, issue_secret_key

DRAFTS = Path(__file__).parents[2] / "assistants" / "demo"
LABEL = "Demo"


class Command(BaseCommand):
    help = "Creates (or finds again) the demo tenants, and prints their addresses, logins and keys."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print one JSON document and nothing else.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            demo = seed()
        except ProgrammingError as error:
            raise CommandError("The database has no tables yet: run `manage.py migrate` first.") from error
        except OperationalError as error:
            missing = "no such table" in str(error)
            text = (
                "has no tables yet: run `manage.py migrate` first" if missing else "cannot be reached: see DATABASE_URL"
            )
            raise CommandError(f"The database {text}.") from error
        if options["json"]:
            self.stdout.write(json.dumps(demo, indent=2))
            return
        self.stdout.write(in_words(demo))


@transaction.atomic
def seed() -> dict[str, Any]:
    """The form is a promise: scripts read it."""
    with everyone():
        operator = _user("operator@goassist.local", is_staff=True, is_superuser=True)
        drafts = [json.loads(path.read_text()) for path in sorted(DRAFTS.glob("*.json"), reverse=True)]
        return {"operator": operator[1], "tenants": [_tenant(draft) for draft in drafts]}


def in_words(demo: dict[str, Any]) -> str:
    lines = [f"Operator    {demo['operator']['email']}  {demo['operator']['password']}"]
    for tenant in demo["tenants"]:
        lines += [
            "",
            tenant["name"],
            *(f"  Talk      {assistant['url']}" for assistant in tenant["assistants"]),
            f"  Owner     {tenant['owner']['email']}  {tenant['owner']['password']}",
            f"  Keys      {tenant['publishable_key']}",
            f"            {tenant['secret_key']}",
        ]
    return "\n".join(lines)


def _derived(purpose: str) -> str:
    digest = hmac.new(settings.SECRET_KEY.encode(), f"goassist.demo:{purpose}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _user(email: str, **fields: Any) -> tuple[User, dict[str, str]]:
    password = _derived(f"password:{email}")[:20]
    user = User.objects.filter(email=email).first() or User.objects.create_user(email, password, **fields)
    if not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
    return user, {"email": email, "password": password}


def _tenant(draft: dict[str, Any]) -> dict[str, Any]:
    about, assistant_about = draft.pop("tenant"), draft.pop("assistant")
    tenant, _ = Tenant.objects.get_or_create(slug=about["slug"], defaults={"name": about["name"]})
    with tenant_scope(tenant.id):
        owner, login = _user(f"owner@{tenant.slug}.local")
        add_member(tenant=tenant, user=owner, role=Role.OWNER)
        assistant = Assistant.objects.filter(slug=assistant_about["slug"]).first()
        if assistant is None:
            assistant = create_assistant(tenant=tenant, draft=draft, **assistant_about)
        if assistant.live_version_id is None:
            publish(assistant=assistant, by=owner)
        return {
            "slug": tenant.slug,
            "name": tenant.name,
            "owner": login,
            "publishable_key": _publishable_key(tenant),
            "secret_key": _secret_key(tenant),
            "assistants": [
                {
                    "id": str(assistant.id),
                    "slug": assistant.slug,
                    "url": f"{settings.GOASSIST.origins[0]}/t/{tenant.slug}/{assistant.slug}/",
                }
            ],
        }


def _publishable_key(tenant: Tenant) -> str:
    key = PUBLISHABLE + _derived(f"publishable:{tenant.slug}")
    if not PublishableKey.objects.filter(key=key).update(revoked_at=None):
        issue_publishable_key(tenant=tenant, label=LABEL, key=key)
    return key


def _secret_key(tenant: Tenant) -> str:
    raw = SECRET + _derived(f"secret:{tenant.slug}")
    if not SecretKey.objects.filter(key_hash=hash_key(raw)).update(revoked_at=None):
        issue_secret_key(tenant=tenant, label=LABEL, raw=raw)
    return raw
