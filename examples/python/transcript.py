"""Reads a golden transcript like a stream, and prints the outcome of this client."""

import json
import pathlib
from collections.abc import Iterator

from google.protobuf import json_format, proto
from google.protobuf.message import Message
from parley.chat.v1 import chat_service_pb2 as chat

from reader import Reader


def replay(path: pathlib.Path) -> None:
    if path.name.endswith(".commands.binpb"):
        for _ in frames(path, chat.ConnectRequest):
            pass
        return
    lines: list[str] = []
    lists: dict[str, list[dict]] = {"acks": [], "refusals": [], "gaps": [], "omitted": []}
    reader = Reader(lines.append, lambda list, what: lists[list].append(what))
    for frame in frames(path, chat.ConnectResponse):
        for event in frame.events:
            reader.take(event)
    cursors = {conversation: str(seq) for conversation, seq in reader.cursors.items()}
    print(json.dumps({"lines": lines, "cursors": cursors} | lists))


def frames(path: pathlib.Path, kind: type[Message]) -> Iterator[Message]:
    """Length-delimited messages. Checks that each equals its JSON, and itself after encoding and decoding."""
    with path.open("rb") as encoded, path.with_suffix(".jsonl").open(encoding="utf-8", newline="\n") as beside:
        while (frame := proto.parse_length_prefixed(kind, encoded)) is not None:
            if kind.FromString(frame.SerializeToString()) != frame:
                raise ValueError(f"the message changes when it is encoded and decoded: {frame}")
            ours, golden = json_format.MessageToDict(frame), json.loads(beside.readline())
            if ours != golden:
                raise ValueError(f"the JSON of the message is {ours}, but {golden} was expected")
            yield frame
