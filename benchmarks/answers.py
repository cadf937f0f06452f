"""How well the embedded default answers: paraphrased questions to the two demo tenants, each with the passage that
answers it, or `unknown`. Run: python -m benchmarks.answers [--set tuning|reported] [--misses]

The set `tuning` is what weights and word lists were chosen on; only figures on `reported` say anything. The share of
false answers matters most: an assistant that says it does not know does less harm than one that tells something else.
"""

import argparse
import json
import random
import statistics
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from benchmarks.demo_specs import demo_spec
from pipeline.contracts.spec import AssistantSpec, DocumentPassage
from pipeline.engines.lexical import LexicalRetriever

QUESTIONS = Path(__file__).with_name("answers_questions.json")
UNKNOWN = "unknown"
_HEAD = (
    f"{'tenant':15}{'questions':>10}{'right':>8}{'refused':>9}{'false':>7}"
    f"{'out of scope':>14}{'false':>7}{'CPU p50 ms':>12}{'max':>6}"
)


def answered(retriever: LexicalRetriever, spec: AssistantSpec, question: str) -> str:
    """The id of the passage that the answer would rest on, or `unknown`."""
    found = retriever.search(spec, question)
    return found[0].id if found and found[0].score >= spec.confidence_threshold else UNKNOWN


def outcome(expected: set[str], given: str) -> str:
    """right, refused (it knew, and did not say) or false (it said something that does not answer)."""
    if given in expected:
        return "right"
    return "refused" if given == UNKNOWN else "false"


def measure(slug: str, questions: list[list[str]], show_misses: bool) -> tuple[Counter, list[float]]:
    """Outcomes counted apart for questions with an answer and without, and the searches' CPU times in ms."""
    retriever, spec = LexicalRetriever(), demo_spec(slug)
    retriever.prepare(spec)
    counts: Counter = Counter()
    times_ms: list[float] = []
    for question, expected in questions:
        begun = time.thread_time()
        given = answered(retriever, spec, question)
        times_ms.append(1000 * (time.thread_time() - begun))
        kind = "unanswerable" if expected == UNKNOWN else "answerable"
        result = outcome(set(expected.split()), given)
        counts[kind, result] += 1
        if show_misses and result != "right":
            print(f"  {result:8} {slug}: {question!r}: {given} instead of {expected}")
    return counts, times_ms


def measure_size(paragraphs: int) -> None:
    """Prints the CPU times for a tenant with this many made-up paragraphs of sixty words."""
    chance = random.Random(1)
    words = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in ("alo", "eni", "ira", "ustu", "oba") for c in range(60)]
    texts = [" ".join(chance.choices(words, k=60)) + "." for _ in range(paragraphs)]
    passages = tuple(DocumentPassage(str(n), "Title", text) for n, text in enumerate(texts))
    spec, retriever = replace(demo_spec("riverside-vet"), passages=passages), LexicalRetriever()
    begun = time.thread_time()
    retriever.prepare(spec)
    ready_ms, times_ms = 1000 * (time.thread_time() - begun), []
    for _ in range(200):
        question = " ".join(chance.choices(words, k=8))
        begun = time.thread_time()
        retriever.search(spec, question)
        times_ms.append(1000 * (time.thread_time() - begun))
    row = f"{paragraphs} paragraphs: index {ready_ms:.0f} ms, search p50 {statistics.median(times_ms):.2f} ms"
    print(f"{row}, max {max(times_ms):.2f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", choices=["tuning", "reported"], default="reported")
    parser.add_argument("--misses", action="store_true", help="print each question that was not answered rightly")
    parser.add_argument("--sizes", action="store_true", help="also time larger bodies of knowledge")
    options = parser.parse_args()
    print(_HEAD)
    for slug, questions in json.loads(QUESTIONS.read_text())[options.set].items():
        counts, times_ms = measure(slug, questions, options.misses)
        known = [counts["answerable", result] for result in ("right", "refused", "false")]
        beyond = [counts["unanswerable", result] for result in ("right", "false")]
        row = f"{slug:15}{sum(known):>10}{known[0]:>8}{known[1]:>9}{known[2]:>7}{sum(beyond):>14}{beyond[1]:>7}"
        print(f"{row}{statistics.median(times_ms):>12.2f}{max(times_ms):>6.2f}")
    for paragraphs in (20, 200, 2000) if options.sizes else ():
        measure_size(paragraphs)


if __name__ == "__main__":
    main()
