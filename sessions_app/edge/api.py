"""The API's root (`/api/v1`): its resources, its errors, its description."""

from ninja.openapi.docs import Swagger

from sessions_app.edge import problems
from sessions_app.edge.openapi import DescribedApi
from sessions_app.edge.resources import (
    assistants,
    embeds,
    files,
    keys,
    members,
    recordings,
    sessions,
    tenants,
    usage,
    visitors,
    webhooks,
    whip,
)

api = DescribedApi(
    title="GoAssist API",
    version="1",
    description="Open a session with an assistant, connect to it, type to it, read what was said; make assistants and "
    "keys. Lists come in pages: send `next` as `cursor`. Send `Idempotency-Key` with a POST to have it done once.",
    urls_namespace="api",
    parser=problems.JsonParser(),
    docs=Swagger(settings={"persistAuthorization": False, "validatorUrl": None}),
)
problems.install(api)
for resource in (
    sessions,
    recordings,
    whip,
    embeds,
    assistants,
    members,
    keys,
    usage,
    tenants,
    visitors,
    files,
    webhooks,
):
    api.add_router("", resource.router)
