package main

import (
	"fmt"
	"strings"

	chat "example.org/parley/gen/parley/chat/v1"
)

// A reader makes lines and cursors of events. It has no stream: a live one and a recorded one are the same to it.
type reader struct {
	// How far this client holds each conversation: what Hello says.
	cursors map[string]uint64
	show    func(line string)
	// Told of what no line is shown for, by the name of its list in an outcome.
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
		// ListMessages of HistoryService has what a fillable gap leaves out. Every other kind is gone.
		gap := rangeOf(kind.Gap.ConversationId, kind.Gap.FromSeq, kind.Gap.ToSeq)
		gap["fillable"] = kind.Gap.Kind == chat.GapKind_GAP_KIND_FILLABLE
		r.note("gaps", gap)
		r.cursors[kind.Gap.ConversationId] = kind.Gap.ToSeq
	case *chat.Event_Ack:
		r.takeAck(kind.Ack)
	case *chat.Event_Refused:
		// A reason that this program does not know is a number.
		reason := strings.TrimPrefix(kind.Refused.Reason.String(), "REASON_")
		r.show(fmt.Sprintf("refused: %s (%s)", reason, kind.Refused.Message))
		r.note("refusals", map[string]any{"clientMessageId": fmt.Sprint(kind.Refused.ClientMessageId), "reason": reason})
	default:
		// Events of kinds that this program does not know, or does not care for, are ignored.
	}
}

func (r *reader) takeEntry(entry *chat.Entry) {
	r.cursors[entry.ConversationId] = entry.Seq
	switch entry.Kind {
	case chat.ConversationKind_CONVERSATION_KIND_DIRECT, chat.ConversationKind_CONVERSATION_KIND_BROADCAST:
	default:
		return // A conversation of a kind that this program cannot show.
	}
	words := "(something that this program is too old for)"
	if text, ok := entry.GetContent().GetKind().(*chat.Content_Text); ok {
		words = text.Text
	}
	r.show(fmt.Sprintf("%s: %s", entry.Sender.GetUsername(), words))
}

func (r *reader) takeAck(ack *chat.Ack) {
	r.show(fmt.Sprintf("stored as number %d", ack.Seq))
	r.note("acks", map[string]any{
		"clientMessageId": fmt.Sprint(ack.ClientMessageId), "conversationId": ack.ConversationId,
		"seq": fmt.Sprint(ack.Seq), "repeatedSend": ack.RepeatedSend, "withheld": ack.Withheld,
	})
	// While a stream catches up an ack may come before its place: then the entry comes as well, and moves the cursor.
	if ack.Seq == r.cursors[ack.ConversationId]+1 {
		r.cursors[ack.ConversationId] = ack.Seq
	}
}

func rangeOf(conversation string, from, to uint64) map[string]any {
	return map[string]any{"conversationId": conversation, "fromSeq": fmt.Sprint(from), "toSeq": fmt.Sprint(to)}
}
