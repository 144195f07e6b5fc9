package main

import (
	"fmt"
	"strings"

	chat "example.org/parley/gen/parley/chat/v1"
)

// A reader converts events to lines and cursors. It works the same with a live stream and with a recorded one.
type reader struct {
	// The newest seq of each conversation, for the cursors in Hello.
	cursors map[string]uint64
	show    func(line string)
	// Receives what is not shown as a line, with the name of its list in an outcome.
	note func(list string, what map[string]any)
}

func newReader(show func(line string)) *reader {
	return &reader{cursors: map[string]uint64{}, show: show, note: func(string, map[string]any) {}}
}

func (r *reader) take(event *chat.Event) {
	switch kind := event.Kind.(type) {
	case *chat.Event_Welcome:
		r.show("connected as " + kind.Welcome.User.GetUsername())
	case *chat.Event_CaughtUp:
		r.show("caught up")
	case *chat.Event_EntryAppended:
		r.takeEntry(kind.EntryAppended.Entry)
	case *chat.Event_Omitted:
		omitted := kind.Omitted
		r.note("omitted", rangeOf(omitted.ConversationId, omitted.FromSeq, omitted.ToSeq))
		r.cursors[omitted.ConversationId] = omitted.ToSeq
	case *chat.Event_Gap:
		// HistoryService.ListMessages can fetch the entries of a fillable gap. The entries of other gaps are deleted.
		gap := rangeOf(kind.Gap.ConversationId, kind.Gap.FromSeq, kind.Gap.ToSeq)
		gap["fillable"] = kind.Gap.Kind == chat.GapKind_GAP_KIND_FILLABLE
		r.note("gaps", gap)
		r.cursors[kind.Gap.ConversationId] = kind.Gap.ToSeq
	case *chat.Event_Ack:
		r.takeAck(kind.Ack)
	case *chat.Event_Refused:
		// The name of an unknown reason is its number.
		reason := strings.TrimPrefix(kind.Refused.Reason.String(), "REASON_")
		r.show(fmt.Sprintf("refused: %s (%s)", reason, kind.Refused.Message))
		r.note("refusals", map[string]any{"clientMessageId": fmt.Sprint(kind.Refused.ClientMessageId), "reason": reason})
	default:
		// Events of other and of unknown kinds are ignored.
	}
}

func (r *reader) takeEntry(entry *chat.Entry) {
	r.cursors[entry.ConversationId] = entry.Seq
	switch entry.Kind {
	case chat.ConversationKind_CONVERSATION_KIND_DIRECT, chat.ConversationKind_CONVERSATION_KIND_BROADCAST:
	default:
		return // This program cannot show a conversation of an unknown kind.
	}
	content := "(something that this program is too old for)"
	if text, ok := entry.GetContent().GetKind().(*chat.Content_Text); ok {
		content = text.Text
	}
	r.show(fmt.Sprintf("%s: %s", entry.Sender.GetUsername(), content))
}

func (r *reader) takeAck(ack *chat.Ack) {
	r.show(fmt.Sprintf("stored as number %d", ack.Seq))
	r.note("acks", map[string]any{
		"clientMessageId": fmt.Sprint(ack.ClientMessageId), "conversationId": ack.ConversationId,
		"seq": fmt.Sprint(ack.Seq), "repeatedSend": ack.RepeatedSend, "withheld": ack.Withheld,
	})
	// During catch-up an ack may come before earlier entries. Then its entry comes later and moves the cursor.
	if ack.Seq == r.cursors[ack.ConversationId]+1 {
		r.cursors[ack.ConversationId] = ack.Seq
	}
}

func rangeOf(conversation string, from, to uint64) map[string]any {
	return map[string]any{"conversationId": conversation, "fromSeq": fmt.Sprint(from), "toSeq": fmt.Sprint(to)}
}
