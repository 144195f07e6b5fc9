//! Reads a golden transcript like a stream, and prints the outcome of this client.

use std::{collections::HashMap, fs};

use prost::Message;
use serde_json::{Value, json};

use crate::{
    Failure,
    parley::{ConnectRequest, ConnectResponse},
    reader::{Reader, Screen},
};

struct Record {
    lines: Vec<String>,
    lists: HashMap<&'static str, Vec<Value>>,
}

impl Screen for Record {
    fn show(&mut self, line: String) {
        self.lines.push(line);
    }

    fn note(&mut self, list: &'static str, what: Value) {
        self.lists.entry(list).or_default().push(what);
    }
}

pub fn replay(path: &str) -> Result<(), Failure> {
    if path.ends_with(".commands.binpb") {
        frames::<ConnectRequest>(path)?;
        return Ok(());
    }
    let lists = ["acks", "refusals", "gaps", "omitted"].map(|list| (list, vec![]));
    let mut reader = Reader::new(Record { lines: vec![], lists: lists.into() });
    for frame in frames::<ConnectResponse>(path)? {
        for event in frame.events {
            reader.take(event);
        }
    }
    let cursors: HashMap<_, _> = reader.cursors.iter().map(|(id, seq)| (id, seq.to_string())).collect();
    let mut outcome = json!({ "lines": reader.screen.lines, "cursors": cursors });
    for (list, items) in reader.screen.lists {
        outcome[list] = json!(items);
    }
    println!("{outcome}");
    Ok(())
}

/// Length-delimited messages. Checks that each equals itself after encoding and decoding.
fn frames<M: Message + Default + PartialEq>(path: &str) -> Result<Vec<M>, Failure> {
    let encoded = fs::read(path)?;
    let mut rest = encoded.as_slice();
    let mut frames = vec![];
    while !rest.is_empty() {
        let frame = M::decode_length_delimited(&mut rest)?;
        if M::decode(frame.encode_to_vec().as_slice())? != frame {
            return Err(format!("frame {} changes when it is encoded and decoded", frames.len() + 1).into());
        }
        frames.push(frame);
    }
    Ok(frames)
}
