"""What this client makes of events: lines and cursors. It has no stream: a live one and a recorded one are the same to it."""

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
        """`note` is told of what no line is shown for, by the name of its list in an outcome."""
        # How far this client holds each conversation: what Hello says.
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
                # ListMessages of HistoryService has what a fillable gap leaves out. Every other kind is gone.
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
            # Events of kinds that this program does not know, or does not care for, are ignored.

    def take_entry(self, appended: entry.Entry) -> None:
        self.cursors[appended.conversation_id] = appended.seq
        if appended.kind not in SHOWN:
            return  # A conversation of a kind that this program cannot show.
        known = appended.content.WhichOneof("kind") == "text"
        words = appended.content.text if known else "(something that this program is too old for)"
        self.show(f"{appended.sender.username}: {words}")

    def take_ack(self, ack: event.Ack) -> None:
        self.show(f"stored as number {ack.seq}")
        ids = {"clientMessageId": str(ack.client_message_id), "conversationId": ack.conversation_id, "seq": str(ack.seq)}
        self.note("acks", ids | {"repeatedSend": ack.repeated_send, "withheld": ack.withheld})
        # While a stream catches up an ack may come before its place: then the entry comes as well, and moves the cursor.
        if ack.seq == self.cursors.get(ack.conversation_id, 0) + 1:
            self.cursors[ack.conversation_id] = ack.seq


def name_of(value: int) -> str:
    """A reason that this program does not know is a number."""
    known = value in reason.Reason.values()
    return reason.Reason.Name(value).removeprefix("REASON_") if known else str(value)


def range_of(named: entry.Omitted | entry.Gap) -> dict:
    return {"conversationId": named.conversation_id, "fromSeq": str(named.from_seq), "toSeq": str(named.to_seq)}
