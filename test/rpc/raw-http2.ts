// Writes HTTP/2 frames directly, to send what an HTTP/2 library would not.
import { once } from "node:events";
import type { Socket } from "node:net";
import { connect, type TLSSocket } from "node:tls";

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADERS = 1;
const RST_STREAM = 3;
const SETTINGS = 4;
const ACK = 1;
const END_HEADERS = 4;
const CANCEL = 8;

/**
 * Opens a TLS connection and exchanges the preface and the settings. Frames from the server are ignored.
 * @param options.acknowledges whether to acknowledge the server's settings, which makes them binding for this end
 */
export async function rawHttp2(port: number, options = { acknowledges: true }): Promise<TLSSocket> {
  const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ALPNProtocols: ["h2"] });
  await once(socket, "secureConnect");
  return greeted(socket, options);
}

/** As rawHttp2, over an open connection. */
export async function greeted<S extends Socket>(socket: S, options = { acknowledges: true }): Promise<S> {
  // The tests expect the server to close the connection.
  socket.on("error", () => {});
  socket.write(Buffer.concat([Buffer.from(PREFACE), frame(SETTINGS, 0, 0)]));
  await once(socket, "data");
  socket.resume();
  if (options.acknowledges) socket.write(frame(SETTINGS, ACK, 0));
  return socket;
}

/**
 * The HEADERS frame of a call.
 * @param more further headers in the form of HPACK
 */
export function openStream(
  id: number,
  method: string,
  service = "parley.chat.v1.ChatService",
  more: readonly Buffer[] = [],
): Buffer {
  const headers = [
    [":method", "POST"],
    [":scheme", "https"],
    [":authority", "test"],
    [":path", `/${service}/${method}`],
    ["content-type", "application/grpc"],
    ["te", "trailers"],
  ] as const;
  const literals = headers.map(([name, value]) => literal(name, value));
  return frame(HEADERS, END_HEADERS, id, Buffer.concat([...literals, ...more]));
}

export function resetStream(id: number): Buffer {
  return frame(RST_STREAM, 0, id, Buffer.from([0, 0, 0, CANCEL]));
}

export function frame(type: number, flags: number, id: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(id, 5);
  return Buffer.concat([header, payload]);
}

/** An HPACK literal without indexing, with a new name. */
function literal(name: string, value: string): Buffer {
  return Buffer.concat([
    Buffer.from([0, name.length]),
    Buffer.from(name),
    Buffer.from([value.length]),
    Buffer.from(value),
  ]);
}

const REPEATED_BYTES = 3_900;
const FIRST_DYNAMIC_INDEX = 0x80 | 62;

/** 15 headers of 4 KB, of which only the first call of a connection contains one in full. */
export function repeatedHeaders(isFirst: boolean): Buffer[] {
  const value = "a".repeat(REPEATED_BYTES);
  // A literal that enters the table, whose length takes a prefix of 7 bits and two more bytes.
  const rest = REPEATED_BYTES - 127;
  const entered = [
    Buffer.from([0x40, 3]),
    Buffer.from("x-a"),
    Buffer.from([127, (rest & 127) | 128, rest >> 7]),
  ];
  const indexed = Buffer.alloc(isFirst ? 14 : 15, FIRST_DYNAMIC_INDEX);
  return isFirst ? [...entered, Buffer.from(value), indexed] : [indexed];
}
