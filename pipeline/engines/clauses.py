"""Cuts what a visitor says into the things it asks: "when do you open, and where can I park?" asks two."""

import re
from typing import Final

from pipeline.engines.asking import asked

_NEXT_QUESTION: Final = (
    r"(?:also |then |please )*(?:what|where|when|who|how|which|why|do|does|did|can|could|is|are|will|would|may|must"
    r"|should|have|has|tell|i'd like to know|the|your)\b"
)
_CUT: Final = re.compile(
    rf"[.?!;:]+\s+|[.?!;]+$|,?\s+(?:and|but|or|so)\s+(?={_NEXT_QUESTION})|,\s+(?={_NEXT_QUESTION})", re.I
)


def clauses(question: str) -> list[str]:
    """The parts of the question that ask for something, in order; the whole question where it asks one thing."""
    return [part for part in _CUT.split(question) if part and asked(part)] or [question]
