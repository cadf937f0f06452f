"""Facts and documents as plain text that people can edit, and back.

    # hours-saturday: opening hours saturday weekend
    On Saturdays we are open from nine until one.

A line `# id: heading` begins an entry; what follows, up to the next one, is its text. A text line that would begin an
entry carries a backslash in front.
"""

import re

HEAD = re.compile(r"^#\s+([^:\s]*)\s*:\s*(.*)$")
ESCAPED = re.compile(r"^\\(\\*#)", re.MULTILINE)
TO_ESCAPE = re.compile(r"^(\\*#)", re.MULTILINE)


class SheetError(ValueError):
    """The text does not have the form above; says where."""


def write(entries: list[dict[str, str]], *, heading: str, text: str) -> str:
    """`heading`, `text`: the entries' keys for them (`topic` and `answer`, or `title` and `body`)."""
    return "\n\n".join(
        f"# {entry.get('id', '')}: {entry.get(heading, '')}\n" + TO_ESCAPE.sub(r"\\\1", entry.get(text, ""))
        for entry in entries
    )


def read(sheet: str, *, heading: str, text: str) -> list[dict[str, str]]:
    """Raises SheetError for text before the first heading line, or a heading line without a colon."""
    entries: list[dict[str, str]] = []
    bodies: list[list[str]] = []
    for number, line in enumerate(sheet.replace("\r\n", "\n").split("\n"), start=1):
        head = HEAD.match(line)
        if head:
            entries.append({"id": head[1], heading: head[2].strip()})
            bodies.append([])
        elif line.startswith("#"):
            raise SheetError(f"line {number}: write “# name: {heading}” to begin an entry, or “\\#” for a plain #.")
        elif entries:
            bodies[-1].append(line)
        elif line.strip():
            raise SheetError(f"line {number}: begin each entry with a line “# name: {heading}”.")
    for entry, body in zip(entries, bodies, strict=True):
        entry[text] = ESCAPED.sub(r"\1", "\n".join(body).strip())
    return entries
