"""Which version of an assistant a leg is given."""

from asgiref.sync import sync_to_async

from pipeline.contracts.spec import AssistantSpec
from sessions_app.assistants.models import Assistant
from sessions_app.assistants.services import publish
from sessions_app.tenants.scope import tenant_scope
from tests.fakes.house import Business, Caller
from tests.fakes.worker import FakeWorker

OFFER = {"sdp": "v=0\r\n", "type": "offer"}


@sync_to_async
def publish_greeting(business: Business, greeting: str) -> None:
    with tenant_scope(business.tenant.id):
        assistant = Assistant.objects.get(pk=business.assistant.pk)
        assistant.draft = {**assistant.draft, "greeting": greeting}
        assistant.save()
        publish(assistant=assistant)


async def test_the_next_leg_answers_by_what_was_published_meanwhile(
    riverside: Business, visitor: Caller, worker: FakeWorker, path: str
) -> None:
    await visitor("POST", f"{path}/offer", OFFER)
    await publish_greeting(riverside, "Welcome to the new house.")
    await visitor("POST", f"{path}/offer", OFFER)
    first, second = (AssistantSpec.from_manifest(offer.spec) for offer in worker.offers)
    assert first.greeting != second.greeting == "Welcome to the new house."
