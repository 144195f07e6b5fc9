"""A first client in Python: it logs in, shows the backlog, sends a message, loses its stream, resumes, and is refused once."""

import argparse
import itertools
import os
import pathlib
import queue
import sys

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

sys.path.insert(0, str(pathlib.Path(__file__).parent / "gen"))
from parley.chat.v1 import auth_service_pb2 as auth  # noqa: E402
from parley.chat.v1 import auth_service_pb2_grpc as auth_grpc  # noqa: E402
from parley.chat.v1 import chat_service_pb2 as chat  # noqa: E402
from parley.chat.v1 import chat_service_pb2_grpc as chat_grpc  # noqa: E402
from parley.chat.v1 import entry_pb2 as entry  # noqa: E402

import transcript  # noqa: E402
from reader import Reader  # noqa: E402

CLIENT = chat.ClientInfo(name="parley example in Python")


def text(words: str) -> entry.Content:
    return entry.Content(text=words)


class Client:
    """One session, and its cursors."""

    def __init__(self, channel: grpc.Channel, token: str) -> None:
        # The token is sent in the metadata of each call.
        self.metadata = [("authorization", f"Bearer {token}")]
        self.service = chat_grpc.ChatServiceStub(channel)
        self.reader = Reader(lambda line: print(line, flush=True))

    def session(self, send: chat.SendMessageRequest) -> None:
        """Opens a stream from the cursors, shows the backlog, and sends a message when it has caught up. Returns when the
        message is answered."""
        commands: queue.SimpleQueue[chat.Command | None] = queue.SimpleQueue()
        cursors = [chat.Cursor(conversation_id=id, seq=seq) for id, seq in self.reader.cursors.items()]
        commands.put(chat.Command(hello=chat.Hello(client=CLIENT, cursors=cursors)))
        frames = (chat.ConnectRequest(commands=[command]) for command in iter(commands.get, None))
        stream = self.service.Connect(frames, metadata=self.metadata)
        try:
            for frame in stream:
                for event in frame.events:
                    self.reader.take(event)
                    match event.WhichOneof("kind"):
                        case "caught_up":
                            commands.put(chat.Command(send_message=send))
                        case "ack" | "refused":
                            return
        finally:
            commands.put(None)
            stream.cancel()

    def talk(self) -> None:
        """Keeps a stream open and shows events until the input ends. Sends each input line: "@luke hello" to luke, and "hello"
        to all users."""
        hello = chat.Command(hello=chat.Hello(client=CLIENT))
        commands = itertools.chain([hello], map(command_of, itertools.count(1), sys.stdin))
        frames = (chat.ConnectRequest(commands=[command]) for command in commands)
        # When the input ends, grpc half-closes the stream; the server answers the remaining commands and ends it.
        for frame in self.service.Connect(frames, metadata=self.metadata):
            for event in frame.events:
                self.reader.take(event)


def command_of(id: int, line: str) -> chat.Command:
    to, _, words = line.rstrip("\n").partition(" ")
    if to.startswith("@") and words:
        target = chat.Target(username=to.removeprefix("@"))
        send = chat.SendMessageRequest(client_message_id=id, target=target, content=text(words))
        return chat.Command(send_message=send)
    return chat.Command(broadcast=chat.BroadcastRequest(client_message_id=id, content=text(line.rstrip("\n"))))


def run(address: str, certificate: str, user: str, to: str, talk: bool) -> None:
    credentials = grpc.ssl_channel_credentials(pathlib.Path(certificate).read_bytes())
    with grpc.secure_channel(address, credentials) as channel:
        request = auth.LogInRequest(username=user, password=os.environ.get("PARLEY_PASSWORD", ""), client=CLIENT)
        grant = auth_grpc.AuthServiceStub(channel).LogIn(request).grant
        client = Client(channel, grant.token)
        if talk:
            client.talk()
            return
        peer = chat.Target(username=to)
        # The first stream: the backlog, one message, and its ack.
        client.session(chat.SendMessageRequest(client_message_id=1, target=peer, content=text("hello from Python")))
        # Without a stream, new entries stay in the log. This message is sent by a unary call.
        meanwhile = text("sent while the stream was down")
        client.service.SendMessage(
            chat.SendMessageRequest(client_message_id=2, target=peer, content=meanwhile), metadata=client.metadata
        )
        # The second stream resumes from the cursors, and its message is refused.
        nobody = chat.Target(username="nobody at all")
        client.session(chat.SendMessageRequest(client_message_id=3, target=nobody, content=text("hello?")))


def reason_of(error: grpc.RpcError) -> str:
    """The reason of a refusal; "" where there is none."""
    status = rpc_status.from_call(error)
    for detail in status.details if status is not None else []:
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return info.reason
    return ""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", default="localhost:12000", help="HOST:PORT of the server")
    parser.add_argument("--cert", default="server.pem", help="the server's certificate, from parley-server cert")
    parser.add_argument("--user", default="yoda", help="the user; PARLEY_PASSWORD has the password")
    parser.add_argument("--to", default="luke", help="the recipient")
    talks = 'sends each line of the input instead, "@luke hello" to luke, and shows events'
    parser.add_argument("--talk", action="store_true", help=talks)
    replays = "replays a file of ../../transcripts instead, and prints the outcome"
    parser.add_argument("--transcript", type=pathlib.Path, help=replays)
    arguments = parser.parse_args()
    try:
        if arguments.transcript is not None:
            transcript.replay(arguments.transcript)
        else:
            run(arguments.address, arguments.cert, arguments.user, arguments.to, arguments.talk)
    except grpc.RpcError as failure:
        sys.exit(f"{failure.details()} ({reason_of(failure)})")
    except OSError as failure:
        # A file cannot be read; the message has its name and the reason.
        sys.exit(str(failure))
