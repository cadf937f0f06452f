"""A conversation in writing with an assistant: python example.py URL SECRET_KEY ASSISTANT QUESTION."""

import sys
import uuid

from goassist_client import AuthenticatedClient
from goassist_client.api.sessions import chat, create_session, end_session, read_turns
from goassist_client.models import ChatIn, ChatOut, PageTurnOut, Problem, SessionIn, SessionOpened


def main(url: str, secret_key: str, assistant: str, question: str) -> None:
    once = {"Idempotency-Key": str(uuid.uuid4())}  # sent again after a lost connection, it opens no second session
    with AuthenticatedClient(url, secret_key, headers=once) as office:
        opened = create_session.sync(client=office, body=SessionIn(assistant, channel="chat"))
    if not isinstance(opened, SessionOpened):
        raise SystemExit(said(opened))
    with AuthenticatedClient(url, opened.token) as session:
        reply = chat.sync(opened.id, client=session, body=ChatIn(question))
        print(reply.reply if isinstance(reply, ChatOut) else said(reply))
        turns = read_turns.sync(opened.id, client=session)
        if isinstance(turns, PageTurnOut):
            print(f"{len(turns.data)} turns, the last one {turns.data[-1].turn_id}")
        end_session.sync_detailed(opened.id, client=session)


def said(problem: Problem | object) -> str:
    return f"{problem.status} {problem.code}: {problem.detail}" if isinstance(problem, Problem) else "no answer"


if __name__ == "__main__":
    main(*sys.argv[1:])
