// Listeners: addresses, TLS, limits against hostile peers, and the stop.
import { once } from "node:events";
import { type ClientHttp2Stream, constants } from "node:http2";
import { connect as connectTcp, createServer, type Socket } from "node:net";
import { connect as connectTls, TLSSocket } from "node:tls";
import { status } from "@grpc/grpc-js";
import { describe, expect, test } from "vitest";
import { ChatServiceClient } from "../../gen/parley/chat/v1/chat_service.ts";
import { call, dial, fingerprintOf, probe } from "../../rpc/dialling/dial.ts";
import { ListenError, listen } from "../../rpc/listening/listen.ts";
import { eventually } from "../support/eventually.ts";
import { makeCertificate } from "./certificates.ts";
import { bareSession, dialPlain, endingOf, framed, reasonOf, serve } from "./fixture.ts";
import { openStream, rawHttp2, resetStream } from "./raw-http2.ts";
import { failOnUnhandledRejections } from "./unhandled-rejections.ts";

const unary = { timeoutMs: 5_000 };
const typing = { target: undefined, typing: true };
const answering = { setTyping: () => Promise.resolve({}) };

failOnUnhandledRejections();

describe("an address", () => {
  test("that is in use is an error that says what to do", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as { port: number };
    const failing = listen({ host: "127.0.0.1", port, services: [] });
    await expect(failing).rejects.toThrow(ListenError);
    await expect(failing).rejects.toMatchObject({
      code: "EADDRINUSE",
      message: expect.stringContaining("another port"),
    });
    taken.close();
  });

  test.each([
    ["203.0.113.7", "EADDRNOTAVAIL"],
    ["no-such-host.invalid", "ENOTFOUND"],
  ])("%s, which is not of this machine, is an error", async (host, code) => {
    const failure = await listen({ host, port: 0, services: [] }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ListenError);
    expect([code, "EAI_AGAIN"]).toContain((failure as ListenError).code);
    expect((failure as ListenError).message).toContain(host);
  });

  test.each(["localhost", "::1"])("%s can be listened on", async (host) => {
    await using server = await serve(answering, { host });
    expect(server.listener.port).toBeGreaterThan(0);
    const dialled = await dial({
      address: `${host === "::1" ? "[::1]" : host}:${server.listener.port}`,
      trust: { kind: "plaintext" },
    });
    await call(dialled.client(ChatServiceClient), "setTyping", typing, unary);
    dialled[Symbol.dispose]();
  });
});

describe("TLS", () => {
  const certificate = makeCertificate();

  const handshake = async (port: number, maxVersion: "TLSv1.2" | "TLSv1.3"): Promise<string | null> => {
    const socket = connectTls({
      host: "127.0.0.1",
      port,
      maxVersion,
      rejectUnauthorized: false,
      ALPNProtocols: ["h2"],
    });
    try {
      await once(socket, "secureConnect");
      return socket.getProtocol();
    } finally {
      socket.destroy();
    }
  };

  test("is 1.3 only, also with a replaced certificate", async () => {
    await using server = await serve(answering, { tls: certificate });
    const { port } = server.listener;
    await expect(handshake(port, "TLSv1.2")).rejects.toMatchObject({
      code: "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION",
    });
    server.listener.replaceCertificate(makeCertificate());
    await expect(handshake(port, "TLSv1.2")).rejects.toMatchObject({
      code: "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION",
    });
    expect(await handshake(port, "TLSv1.3")).toBe("TLSv1.3");
  });

  test("uses a new certificate for new connections, and keeps open ones", async () => {
    await using server = await serve(answering, { tls: certificate });
    const trust = { kind: "pin", fingerprint: fingerprintOf(certificate.cert) } as const;
    using before = await dial({ address: server.address, trust });
    const chat = before.client(ChatServiceClient);
    await call(chat, "setTyping", typing, unary);
    const next = makeCertificate();
    server.listener.replaceCertificate(next);
    expect((await probe(server.address, { timeoutMs: 5_000 })).fingerprint).toBe(fingerprintOf(next.cert));
    await call(chat, "setTyping", typing, unary);
  });

  test("refuses an invalid certificate, and keeps the current one", async () => {
    await using server = await serve(answering, { tls: certificate });
    const other = makeCertificate();
    expect(() => server.listener.replaceCertificate({ key: other.key, cert: certificate.cert })).toThrow(
      /PEM/,
    );
    expect(() => server.listener.replaceCertificate({ key: "", cert: "nonsense" })).toThrow(/PEM/);
    expect((await probe(server.address, { timeoutMs: 5_000 })).fingerprint).toBe(
      fingerprintOf(certificate.cert),
    );
    const { key } = other;
    await expect(serve(answering, { tls: { key, cert: certificate.cert } })).rejects.toThrow(/PEM/);
  });
});

describe("limits", () => {
  const certificate = makeCertificate();

  test.each(["http", "https"])("the number of open calls is limited (%s)", async (scheme) => {
    let handlers = 0;
    const hanging = async (
      _frames: unknown,
      _out: unknown,
      { signal }: { signal: AbortSignal },
    ): Promise<void> => {
      handlers += 1;
      if (!signal.aborted) await once(signal, "abort");
    };
    await using server = await serve(
      { ...answering, connect: hanging },
      { limits: { concurrentStreams: 8 }, ...(scheme === "https" ? { tls: certificate } : {}) },
    );
    using session = await bareSession(`${scheme}://${server.address}`);
    expect(session.session.remoteSettings.maxConcurrentStreams).toBe(8);
    for (let index = 0; index < 20; index++) session.call("Connect");
    await eventually(() => expect(handlers).toBe(8));
    await new Promise((resolve) => session.session.ping(resolve));
    expect(handlers).toBe(8);
  });

  test("a peer that keeps opening and resetting calls loses its connection", async () => {
    let handlers = 0;
    const connect = async (
      _frames: unknown,
      _out: unknown,
      { signal }: { signal: AbortSignal },
    ): Promise<void> => {
      handlers += 1;
      if (!signal.aborted) await once(signal, "abort");
    };
    await using server = await serve(
      { ...answering, connect },
      { tls: certificate, limits: { concurrentStreams: 10_000 } },
    );
    const socket = await rawHttp2(server.listener.port);
    for (let id = 1; id < 40_000; id += 2)
      socket.write(Buffer.concat([openStream(id, "Connect"), resetStream(id)]));
    await once(socket, "close");
    // Of 20,000 calls: the burst of 200, and those that arrived in the same chunk.
    expect(handlers).toBeLessThan(1_000);
    await eventually(() => expect(server.listener.connections).toBe(0));
  });

  test("a peer that keeps opening calls over the limit loses its connection", async () => {
    let handlers = 0;
    const connect = async (
      _frames: unknown,
      _out: unknown,
      { signal }: { signal: AbortSignal },
    ): Promise<void> => {
      handlers += 1;
      if (!signal.aborted) await once(signal, "abort");
    };
    await using server = await serve(
      { ...answering, connect },
      { tls: certificate, limits: { concurrentStreams: 8 } },
    );
    // A peer that has acknowledged the limit loses its connection immediately; the calls of this one are refused first.
    const socket = await rawHttp2(server.listener.port, { acknowledges: false });
    // Fewer refusals than Node's default limit (100).
    for (let id = 1; id < 180; id += 2) socket.write(openStream(id, "Connect"));
    await once(socket, "close");
    expect(handlers).toBeLessThanOrEqual(8);
  });

  test.each(["http", "https"])("the headers of a call are limited (%s)", async (scheme) => {
    await using server = await serve(answering, scheme === "https" ? { tls: certificate } : {});
    using first = await bareSession(`${scheme}://${server.address}`);
    const large = first.call("SetTyping", { "x-large": "x".repeat(70_000) });
    await closeOf(large);
    expect(large.rstCode).toBe(constants.NGHTTP2_REFUSED_STREAM);
    using session = await bareSession(`${scheme}://${server.address}`);
    // The call has six headers of its own.
    const calling = (count: number, value = "x") => {
      const headers = Object.fromEntries(Array.from({ length: count }, (_, index) => [`x-${index}`, value]));
      const stream = session.call("SetTyping", headers);
      stream.end(framed(Buffer.alloc(0)));
      return endingOf(stream);
    };
    expect((await calling(58))["grpc-status"]).toBe("0");
    expect(reasonOf(await calling(59))).toBe("REQUEST_TOO_LARGE");
    expect((await calling(7, "x".repeat(1_000)))["grpc-status"]).toBe("0");
    expect(reasonOf(await calling(8, "x".repeat(1_000)))).toBe("REQUEST_TOO_LARGE");
  });

  test("an idle connection is closed, also one that never sent anything", async () => {
    await using server = await serve(answering, { limits: { idleMs: 50 } });
    using session = await bareSession(`http://${server.address}`);
    const silent = connectTcp(server.listener.port, "127.0.0.1");
    silent.resume();
    await Promise.all([session.closed, once(silent, "close")]);
  });

  test("a peer that disappears without closing the connection is detected", async () => {
    const opened = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<void>();
    await using server = await serve(
      {
        connect: async (_frames, _out, { signal }) => {
          opened.resolve();
          if (!signal.aborted) await once(signal, "abort");
          gone.resolve();
        },
      },
      { limits: { keepaliveMs: 300, keepaliveTimeoutMs: 300 } },
    );
    // A proxy that stops forwarding: both ends stay open, and nothing arrives.
    const sockets: Socket[] = [];
    const relay = createServer((near) => {
      const far = connectTcp(server.listener.port, "127.0.0.1");
      sockets.push(near, far);
      near.pipe(far).pipe(near);
      for (const socket of [near, far]) socket.on("error", () => {});
    }).listen(0, "127.0.0.1");
    await once(relay, "listening");
    const { port } = relay.address() as { port: number };
    using session = await bareSession(`http://127.0.0.1:${port}`);
    session.call("Connect");
    await opened.promise;
    for (const socket of sockets) {
      socket.unpipe();
      socket.pause();
    }
    await gone.promise;
    for (const socket of sockets) socket.destroy();
    relay.close();
  });

  test("the number of connections is limited", async () => {
    await using server = await serve(answering, { limits: { connections: 2 } });
    using first = await bareSession(`http://${server.address}`);
    using second = await bareSession(`http://${server.address}`);
    const third = connectTcp(server.listener.port, "127.0.0.1");
    third.on("error", () => {});
    third.resume();
    await once(third, "close");
    expect(server.listener.connections).toBe(2);
    first.session.destroy();
    await eventually(() => expect(server.listener.connections).toBe(1));
    using fourth = await bareSession(`http://${server.address}`);
    expect(fourth.session.destroyed).toBe(false);
    expect(second.session.destroyed).toBe(false);
  });
});

function closeOf(stream: ClientHttp2Stream): Promise<void> {
  return new Promise((resolve) => stream.once("close", resolve));
}

describe("the stop", () => {
  test("waits for open calls, accepts no new connections, and ends with the last call", async () => {
    const opened = Promise.withResolvers<void>();
    const end = Promise.withResolvers<void>();
    await using server = await serve({
      setTyping: async () => {
        opened.resolve();
        await end.promise;
        return {};
      },
    });
    using client = await dialPlain(server.address);
    const running = call(client.chat, "setTyping", typing, unary);
    await opened.promise;
    const stopped = server.listener.stop({ graceMs: 20_000 });
    await expect(bareSession(`http://${server.address}`)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    end.resolve();
    expect(await running).toEqual({});
    await stopped;
    expect(server.listener.connections).toBe(0);
  });

  test.each(["http", "https"])("ends in time although peers do not read (%s)", async (scheme) => {
    const opened = Promise.withResolvers<void>();
    await using server = await serve(
      {
        connect: async (frames, out) => {
          opened.resolve();
          for (let index = 0; index < 200; index++) out.push(Buffer.alloc(4_000));
          await frames.next();
          await out.whenFlushed();
        },
      },
      scheme === "https" ? { tls: makeCertificate() } : {},
    );
    using hanging = await bareSession(`${scheme}://${server.address}`);
    hanging.call("Connect");
    await opened.promise;
    // A connection that never sent anything.
    const silent = connectTcp(server.listener.port, "127.0.0.1");
    silent.on("error", () => {});
    await once(silent, "connect");
    await eventually(() => expect(server.listener.connections).toBe(2));
    const start = performance.now();
    const first = server.listener.stop({ graceMs: 200 });
    await Promise.all([first, server.listener.stop({ graceMs: 60_000 })]);
    expect(performance.now() - start).toBeLessThan(10_000);
    expect(server.listener.connections).toBe(0);
    silent.destroy();
  });

  test("is a lost connection for the client of an open call, and not CANCELLED", async () => {
    const opened = Promise.withResolvers<void>();
    await using server = await serve({
      follow: async (_request, _out, { signal }) => {
        opened.resolve();
        await once(signal, "abort");
      },
    });
    using client = await dialPlain(server.address);
    const stream = client.chat.follow({ hello: undefined });
    const failed = once(stream, "error");
    stream.resume();
    await opened.promise;
    await server.listener.stop({ graceMs: 20 });
    expect((await failed)[0]).toMatchObject({ code: status.UNAVAILABLE });
  });

  test("frees the port", async () => {
    const server = await serve(answering);
    const { port } = server.listener;
    await server[Symbol.asyncDispose]();
    await using again = await serve(answering, { port });
    expect(again.listener.port).toBe(port);
  });
});

test("a single connection can be cut", async () => {
  const peer = Promise.withResolvers<string>();
  const aborted = Promise.withResolvers<void>();
  await using server = await serve({
    connect: async (_frames, _out, context) => {
      context.signal.addEventListener("abort", () => aborted.resolve());
      peer.resolve(context.peer);
      await aborted.promise;
    },
  });
  using victim = await bareSession(`http://${server.address}`);
  using other = await bareSession(`http://${server.address}`);
  victim.call("Connect");
  server.listener.cut(await peer.promise);
  await Promise.all([victim.closed, aborted.promise]);
  expect(other.session.destroyed).toBe(false);
  expect(other.session.socket).not.toBeInstanceOf(TLSSocket);
});
