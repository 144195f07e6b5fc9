//! Converts events to lines and cursors. It works the same with a live stream and with a recorded one.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::parley::{Ack, ConversationKind, Entry, Event, GapKind, Reason, Refused, content, event};

/// Receives lines, and what is not shown as a line, with the name of its list in an outcome.
pub trait Screen {
    fn show(&mut self, line: String);
    fn note(&mut self, _list: &'static str, _what: Value) {}
}

pub struct Reader<S> {
    /// The newest seq of each conversation, for the cursors in Hello.
    pub cursors: HashMap<String, u64>,
    pub screen: S,
}

impl<S: Screen> Reader<S> {
    pub fn new(screen: S) -> Self {
        Reader { cursors: HashMap::new(), screen }
    }

    pub fn take(&mut self, event: Event) {
        match event.kind {
            Some(event::Kind::Welcome(welcome)) => {
                self.screen.show(format!("connected as {}", welcome.user.unwrap_or_default().username));
            }
            Some(event::Kind::CaughtUp(_)) => self.screen.show("caught up".into()),
            Some(event::Kind::EntryAppended(appended)) => self.take_entry(appended.entry.unwrap_or_default()),
            Some(event::Kind::Omitted(omitted)) => {
                self.screen.note("omitted", range(&omitted.conversation_id, omitted.from_seq, omitted.to_seq));
                self.cursors.insert(omitted.conversation_id, omitted.to_seq);
            }
            Some(event::Kind::Gap(gap)) => {
                // HistoryService.ListMessages can fetch the entries of a fillable gap. The entries of other gaps are deleted.
                let mut note = range(&gap.conversation_id, gap.from_seq, gap.to_seq);
                note["fillable"] = json!(gap.kind() == GapKind::Fillable);
                self.screen.note("gaps", note);
                self.cursors.insert(gap.conversation_id, gap.to_seq);
            }
            Some(event::Kind::Ack(ack)) => self.take_ack(ack),
            Some(event::Kind::Refused(refused)) => self.take_refused(refused),
            // Events of other and of unknown kinds are ignored.
            _ => {}
        }
    }

    fn take_entry(&mut self, entry: Entry) {
        let shown = matches!(entry.kind(), ConversationKind::Direct | ConversationKind::Broadcast);
        self.cursors.insert(entry.conversation_id, entry.seq);
        if !shown {
            return; // This program cannot show a conversation of an unknown kind.
        }
        let words = match entry.content.and_then(|content| content.kind) {
            Some(content::Kind::Text(text)) => text,
            None => "(something that this program is too old for)".into(),
        };
        self.screen.show(format!("{}: {words}", entry.sender.unwrap_or_default().username));
    }

    fn take_ack(&mut self, ack: Ack) {
        self.screen.show(format!("stored as number {}", ack.seq));
        self.screen.note(
            "acks",
            json!({
                "clientMessageId": ack.client_message_id.to_string(), "conversationId": ack.conversation_id,
                "seq": ack.seq.to_string(), "repeatedSend": ack.repeated_send, "withheld": ack.withheld,
            }),
        );
        // During catch-up an ack may come before earlier entries. Then its entry comes later and moves the cursor.
        if ack.seq == self.cursors.get(&ack.conversation_id).unwrap_or(&0) + 1 {
            self.cursors.insert(ack.conversation_id, ack.seq);
        }
    }

    fn take_refused(&mut self, refused: Refused) {
        // The name of an unknown reason is its number.
        let reason = match Reason::try_from(refused.reason) {
            Ok(known) => known.as_str_name().trim_start_matches("REASON_").to_string(),
            Err(_) => refused.reason.to_string(),
        };
        self.screen.show(format!("refused: {reason} ({})", refused.message));
        self.screen.note(
            "refusals",
            json!({ "clientMessageId": refused.client_message_id.to_string(), "reason": reason }),
        );
    }
}

fn range(conversation_id: &str, from: u64, to: u64) -> Value {
    json!({ "conversationId": conversation_id, "fromSeq": from.to_string(), "toSeq": to.to_string() })
}
