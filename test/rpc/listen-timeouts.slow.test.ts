// The time-outs of a listener for peers that do not speak TLS or HTTP/2, in real seconds.
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import { expect, test } from "vitest";
import { ChatServiceClient } from "../../gen/parley/chat/v1/chat_service.ts";
import { call, dial, fingerprintOf } from "../../rpc/dialling/dial.ts";
import { eventually } from "../support/eventually.ts";
import { makeCertificate } from "./certificates.ts";
import { serve } from "./fixture.ts";

const unary = { timeoutMs: 5_000 };
const typing = { target: undefined, typing: true };
const answering = { setTyping: () => Promise.resolve({}) };
const certificate = makeCertificate();

test("a connection whose TLS handshake does not end is closed", async () => {
  await using server = await serve(answering, { tls: certificate });
  const socket = connectTcp(server.listener.port, "127.0.0.1");
  socket.resume();
  // Node's own limit is two minutes, which is longer than the test may take.
  await once(socket, "close");
});

test("a peer that speaks plaintext or HTTP/1.1 is disconnected, and others are served", async () => {
  await using server = await serve(answering, { tls: certificate });
  const plain = connectTcp(server.listener.port, "127.0.0.1");
  plain.on("error", () => {});
  plain.end("GET / HTTP/1.1\r\n\r\n");
  plain.resume();
  const old = connectTls({ host: "127.0.0.1", port: server.listener.port, rejectUnauthorized: false });
  old.on("error", () => {});
  old.end("GET / HTTP/1.1\r\n\r\n");
  old.resume();
  await Promise.all([once(plain, "close"), once(old, "close")]);
  await eventually(() => expect(server.listener.connections).toBe(0), 3_000);
  const trust = { kind: "pin", fingerprint: fingerprintOf(certificate.cert) } as const;
  using dialled = await dial({ address: server.address, trust });
  await call(dialled.client(ChatServiceClient), "setTyping", typing, unary);
});
