// The floods of flood.ts. As a program, it runs the flood with the given name against a port until it is killed.
import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { connect as connectTcp } from "node:net";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";

type Flood = (port: number) => Promise<void>;

const KiB = 1024;
const WINDOW_UPDATE = 8;
const PRIORITY = 2;

export const floods: Readonly<Record<string, Flood>> = {
  /** Small whole requests that become 131,000 empty submessages each: the gzip data has 300 bytes. */
  "gzip-elements": (port) => elements(port, { "grpc-encoding": "gzip" }, compressed(emptyMarkers(131_000))),
  /** The same, 96 a second. */
  "gzip-elements-29K": (port) => paced(port, { "grpc-encoding": "gzip" }, compressed(emptyMarkers(131_000))),
  /** The same without compression. */
  elements: (port) => elements(port, {}, framed(emptyMarkers(131_000), 0)),
  /** 512 log-ins that announce 500,000 bytes and never send the last ten. */
  unfinished: (port) => unfinished(port, 500_000),
  /** The same within the bound of a log-in. */
  "unfinished-short": (port) => unfinished(port, 2 * KiB),
  "window-update": (port) => frames(port, frame(WINDOW_UPDATE, 0, Buffer.from([0, 0, 0, 1]))),
  priority: (port) => frames(port, frame(PRIORITY, 1, Buffer.from([0, 0, 0, 0, 15]))),
};

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const flood = floods[process.argv[2] ?? ""];
  if (flood === undefined)
    throw new Error(`There is no flood ${process.argv[2]}. Use ${Object.keys(floods).join(", ")}.`);
  process.send?.("started");
  await flood(Number(process.argv[3]));
}

/** Encoded markers without a field, in a SetMarkersRequest. */
function emptyMarkers(count: number): Buffer {
  return Buffer.alloc(2 * count, Buffer.from([0x0a, 0]));
}

function framed(message: Buffer, flag: number): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

function compressed(message: Buffer): Buffer {
  return framed(gzipSync(message, { level: 9 }), 1);
}

async function opened(port: number): Promise<ClientHttp2Session> {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on("error", () => undefined);
  await once(session, "remoteSettings");
  return session;
}

function call(session: ClientHttp2Session, path: string, headers: object): ClientHttp2Stream {
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
    ...headers,
  });
  stream.on("error", () => undefined);
  return stream.resume();
}

/** 8 connections with 100 calls at the same time each. A connection that is lost is opened again. */
async function elements(port: number, headers: object, message: Buffer): Promise<void> {
  const one = async (): Promise<void> => {
    for (;;) {
      const session = await opened(port);
      const calls = Array.from({ length: 100 }, async () => {
        while (!session.closed && !session.destroyed) {
          const stream = call(session, "/parley.chat.v1.ChatService/SetMarkers", headers);
          stream.end(message);
          await once(stream, "close").catch(() => undefined);
        }
      });
      await Promise.allSettled(calls);
    }
  };
  await Promise.all(Array.from({ length: 8 }, one));
}

/** 8 connections with 12 calls a second each. */
async function paced(port: number, headers: object, message: Buffer): Promise<void> {
  const sessions = await Promise.all(Array.from({ length: 8 }, () => opened(port)));
  for (;;) {
    for (const session of sessions) {
      if (session.destroyed) continue;
      for (let index = 0; index < 12; index++)
        call(session, "/parley.chat.v1.ChatService/SetMarkers", headers).end(message);
    }
    await sleep(1_000);
  }
}

/** 4 connections with 128 calls each. Calls that the server ends are made again. */
async function unfinished(port: number, length: number): Promise<void> {
  const part = framed(Buffer.alloc(length), 0).subarray(0, -10);
  const one = async (): Promise<void> => {
    const session = await opened(port);
    await Promise.all(
      Array.from({ length: 128 }, async () => {
        while (!session.closed && !session.destroyed) {
          const stream = call(session, "/parley.chat.v1.AuthService/LogIn", {});
          stream.write(part);
          await once(stream, "close").catch(() => undefined);
          await sleep(10);
        }
      }),
    );
  };
  await Promise.all(Array.from({ length: 4 }, one));
}

/** One connection that sends the same frame again and again. A connection that is lost is opened again. */
async function frames(port: number, one: Buffer): Promise<void> {
  const many = Buffer.concat(Array.from({ length: 5_000 }, () => one));
  for (;;) {
    const socket = connectTcp(port, "127.0.0.1").setMaxListeners(0);
    socket.on("error", () => undefined);
    socket.resume();
    socket.write(
      Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(4, 0, Buffer.alloc(0))]),
    );
    while (!socket.destroyed) {
      if (!socket.write(many))
        await Promise.race([once(socket, "drain"), once(socket, "close")]).catch(() => undefined);
      // A window may not exceed 2^31 - 1, which takes as many updates by one.
      await nextTurn();
    }
  }
}

function frame(type: number, stream: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}
