// The load of direct messages: pairs of users, each sender with a number of messages in flight, all of which are stored,
// acked and delivered.
import { Client, type ClientDuplexStream, credentials, Metadata } from "@grpc/grpc-js";
import { AuthServiceClient } from "../gen/parley/chat/v1/auth_service.ts";
import { ChatServiceService, ConnectRequest } from "../gen/parley/chat/v1/chat_service.ts";
import { repeatedField } from "../rpc/calls/decode.ts";
import { type Load, type Measured, measure, ServerProcess } from "./measure.ts";

const asIs = (bytes: Buffer): Buffer => bytes;
/** The first byte of an encoded Event is the tag of its kind. */
const CAUGHT_UP = 0x12;
const ACK = 0x1a;
const REFUSED = 0x22;
export const ENTRY_APPENDED = 0x2a;

export async function measureDirectMessages(load: Load): Promise<Measured> {
  const file = new URL("./parley-server.ts", import.meta.url);
  await using server = await ServerProcess.start(file, String(load.pairs));
  const address = `127.0.0.1:${server.port}`;
  let acked = 0;
  let delivered = 0;
  const streams: Stream[] = [];
  try {
    const receivers: Promise<void>[] = [];
    for (let pair = 0; pair < load.pairs; pair++) {
      const receiver = await openStream(address, `receiver${pair}`, (kind) => {
        if (kind === ENTRY_APPENDED) delivered++;
      });
      streams.push(receiver);
      receivers.push(receiver.caughtUp);
    }
    await Promise.all(receivers);
    for (let pair = 0; pair < load.pairs; pair++) {
      const sender: Stream = await openStream(address, `sender${pair}`, (kind) => {
        if (kind === REFUSED) throw new Error("a send was refused");
        if (kind !== ACK) return;
        acked++;
        sender.send(`receiver${pair}`);
      });
      streams.push(sender);
      await sender.caughtUp;
      for (let index = 0; index < load.inFlight; index++) sender.send(`receiver${pair}`);
    }
    const measured = await measure(server, load, () => Math.min(acked, delivered));
    return measured;
  } finally {
    for (const stream of streams) stream.close();
  }
}

export interface Stream {
  readonly caughtUp: Promise<void>;
  send(username: string): void;
  close(): void;
}

/** Logs a user in and opens a stream. @param onEvent called with the kind of each event, the first byte of its bytes */
export async function openStream(
  address: string,
  username: string,
  onEvent: (kind: number) => void,
): Promise<Stream> {
  const client = new Client(address, credentials.createInsecure(), {
    "grpc.use_local_subchannel_pool": 1,
    "grpc.enable_retries": 0,
  });
  const metadata = new Metadata();
  metadata.set("authorization", `Bearer ${await logIn(client, address, username)}`);
  const call: ClientDuplexStream<Buffer, Buffer> = client.makeBidiStreamRequest(
    ChatServiceService.connect.path,
    asIs,
    asIs,
    metadata,
  );
  const caughtUp = Promise.withResolvers<void>();
  call.on("error", (error) => caughtUp.reject(error));
  call.on("data", (frame: Buffer) => {
    for (const event of repeatedField(frame, 1)) {
      if (event[0] === CAUGHT_UP) caughtUp.resolve();
      else onEvent(event[0] ?? 0);
    }
  });
  call.write(encodeHello());

  let nextId = 1n;
  let queued: Buffer[] = [];
  const flush = (): void => {
    call.write(queued.length === 1 && queued[0] !== undefined ? queued[0] : Buffer.concat(queued));
    queued = [];
  };
  return {
    caughtUp: caughtUp.promise,
    send(to) {
      if (queued.push(encodeSend(to, nextId++)) === 1) setImmediate(flush);
    },
    close() {
      call.cancel();
      client.close();
    },
  };
}

function logIn(client: Client, address: string, username: string): Promise<string> {
  const auth = new AuthServiceClient(address, credentials.createInsecure(), {
    channelOverride: client.getChannel(),
  });
  const request = { username, password: "a bench password", device: undefined, client: undefined };
  return new Promise((resolve, reject) => {
    auth.logIn(request, (error, response) => {
      if (error === null) resolve(response.grant?.token ?? "");
      else reject(error);
    });
  });
}

function encodeHello(): Buffer {
  const hello = { client: undefined, features: [], cursors: [], processId: "" };
  return encode({ commands: [{ kind: { $case: "hello", value: hello } }] });
}

function encodeSend(username: string, clientMessageId: bigint): Buffer {
  const value = {
    clientMessageId,
    target: { target: { $case: "username", value: username } as const },
    content: { kind: { $case: "text", value: "The quick brown fox jumps over the lazy dog." } as const },
  };
  return encode({ commands: [{ kind: { $case: "sendMessage", value } }] });
}

function encode(request: ConnectRequest): Buffer {
  return Buffer.from(ConnectRequest.encode(request).finish());
}
