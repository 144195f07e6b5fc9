"""Converts events to lines and cursors. It works the same with a live stream and with a recorded one."""

from collections.abc import Callable

from parley.chat.v1 import conversation_pb2 as conversation
from parley.chat.v1 import entry_pb2 as entry
from parley.chat.v1 import event_pb2 as event
from parley.chat.v1 import reason_pb2 as reason

SHOWN = (conversation.CONVERSATION_KIND_DIRECT, conversation.CONVERSATION_KIND_BROADCAST)


class Reader:
    def __init__(
        self,
        show: Callable[[str], None],
        note: Callable[[str, dict], None] = lambda list, what: None,
    ) -> None:
        """`note` receives what is not shown as a line, with the name of its list in an outcome."""
        # The newest seq of each conversation, for the cursors in Hello.
        self.cursors: dict[str, int] = {}
        self.show = show
        self.note = note

    def take(self, happened: event.Event) -> None:
        match happened.WhichOneof("kind"):
            case "welcome":
                self.show(f"connected as {happened.welcome.user.username}")
            case "caught_up":
                self.show("caught up")
            case "entry_appended":
                self.take_entry(happened.entry_appended.entry)
            case "omitted":
                self.note("omitted", range_of(happened.omitted))
                self.cursors[happened.omitted.conversation_id] = happened.omitted.to_seq
            case "gap":
                # HistoryService.ListMessages can fetch the entries of a fillable gap. The entries of other gaps are deleted.
                fillable = happened.gap.kind == entry.GAP_KIND_FILLABLE
                self.note("gaps", range_of(happened.gap) | {"fillable": fillable})
                self.cursors[happened.gap.conversation_id] = happened.gap.to_seq
            case "ack":
                self.take_ack(happened.ack)
            case "refused":
                refused = happened.refused
                name = name_of(refused.reason)
                self.show(f"refused: {name} ({refused.message})")
                self.note("refusals", {"clientMessageId": str(refused.client_message_id), "reason": name})
            # Events of other and of unknown kinds are ignored.

    def take_entry(self, appended: entry.Entry) -> None:
        self.cursors[appended.conversation_id] = appended.seq
        if appended.kind not in SHOWN:
            return  # This program cannot show a conversation of an unknown kind.
        known = appended.content.WhichOneof("kind") == "text"
        content = appended.content.text if known else "(something that this program is too old for)"
        self.show(f"{appended.sender.username}: {content}")

    def take_ack(self, ack: event.Ack) -> None:
        self.show(f"stored as number {ack.seq}")
        ids = {"clientMessageId": str(ack.client_message_id), "conversationId": ack.conversation_id, "seq": str(ack.seq)}
        self.note("acks", ids | {"repeatedSend": ack.repeated_send, "withheld": ack.withheld})
        # During catch-up an ack may come before earlier entries. Then its entry comes later and moves the cursor.
        if ack.seq == self.cursors.get(ack.conversation_id, 0) + 1:
            self.cursors[ack.conversation_id] = ack.seq


def name_of(value: int) -> str:
    """The name of a reason; the number of an unknown one."""
    known = value in reason.Reason.values()
    return reason.Reason.Name(value).removeprefix("REASON_") if known else str(value)


def range_of(named: entry.Omitted | entry.Gap) -> dict:
    return {"conversationId": named.conversation_id, "fromSeq": str(named.from_seq), "toSeq": str(named.to_seq)}
