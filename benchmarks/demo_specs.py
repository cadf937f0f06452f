"""The demo tenants' drafts as assistant versions, without a database."""

import json
from pathlib import Path

from pipeline.contracts.spec import AssistantSpec, DocumentPassage, Fact

DEMO = Path(__file__).parents[1] / "sessions_app" / "assistants" / "demo"


def demo_spec(slug: str) -> AssistantSpec:
    """`slug`: riverside-vet or harbor-law. Documents are cut into paragraphs as publishing does."""
    draft = json.loads((DEMO / f"{slug}.json").read_text())
    paragraphs = [
        DocumentPassage(f"{document['id']}#{number}", document["title"], text)
        for document in draft["documents"]
        for number, text in enumerate(document["body"].split("\n\n"), 1)
    ]
    return AssistantSpec(
        tenant_id=slug,
        tenant_name=draft["tenant"]["name"],
        assistant_id=f"{slug}/reception",
        assistant_slug=draft["assistant"]["slug"],
        assistant_name=draft["assistant"]["name"],
        greeting=draft["greeting"],
        persona=draft["persona"],
        facts=tuple(Fact(**fact) for fact in draft["facts"]),
        passages=tuple(paragraphs),
        confidence_threshold=draft["confidence_threshold"],
    )
