// Dialling: which servers are trusted, and the errors for the others.
import dns from "node:dns";
import { once } from "node:events";
import { createServer as createHttp2Server } from "node:http2";
import { createServer, type Server, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { status } from "@grpc/grpc-js";
import { describe, expect, test, vi } from "vitest";
import { ChatServiceClient } from "../../gen/parley/chat/v1/chat_service.ts";
import {
  ConnectError,
  call,
  type DialOptions,
  dial,
  fingerprintOf,
  probe,
  type Trust,
} from "../../rpc/dialling/dial.ts";
import { parseAddress } from "../../rpc/network/address.ts";
import { makeCertificate, type TestCertificate } from "./certificates.ts";
import { dialPlain, type ServeOptions, serve } from "./fixture.ts";

/** The name of the loopback interface, if it has IPv6. */
const loopbackZone = Object.entries(networkInterfaces()).find(([, addresses = []]) =>
  addresses.some(({ address }) => address === "::1"),
)?.[0];
const unary = { timeoutMs: 5_000 };
const typing = { target: undefined, typing: true };
const answering = { setTyping: () => Promise.resolve({}) };

const authority = makeCertificate({ isAuthority: true });
const certificates: Record<string, TestCertificate> = {
  "self-signed": makeCertificate(),
  "self-signed Ed25519": makeCertificate({ kind: "Ed25519" }),
  "privately signed, for other names": makeCertificate({ issuer: authority, names: ["other.example"] }),
};
const pinOf = ({ cert }: TestCertificate): Trust => ({ kind: "pin", fingerprint: fingerprintOf(cert) });

/** Dials, connects and calls once; returns the answer or the error. */
async function attempt(options: DialOptions): Promise<unknown> {
  try {
    using dialled = await dial(options);
    await dialled.ready(5_000);
    return await call(dialled.client(ChatServiceClient), "setTyping", typing, unary);
  } catch (error) {
    return error;
  }
}

function serveTls(tls: TestCertificate, options: ServeOptions = {}) {
  return serve(answering, { tls, ...options });
}

/** A TCP server that does not speak gRPC. */
async function tcpServer(
  onConnection: (socket: Socket) => void,
): Promise<{ address: string; server: Server }> {
  const server = createServer(onConnection).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, address: `127.0.0.1:${(server.address() as { port: number }).port}` };
}

describe.each(Object.entries(certificates))("a %s certificate", (_, certificate) => {
  test("is found by a probe", async () => {
    await using server = await serveTls(certificate);
    const found = await probe(server.address, { timeoutMs: 5_000 });
    expect(found.fingerprint).toBe(fingerprintOf(certificate.cert));
    expect(found.fingerprint).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/);
    expect(found.certificate.replaceAll("\n", "")).toBe(certificate.cert.replaceAll("\n", ""));
    expect(found.trustedBySystem).toBe(false);
    expect(found.problem).toBeDefined();
  });

  test("is trusted by its pin, by name and by address", async () => {
    await using server = await serveTls(certificate);
    const trust = pinOf(certificate);
    expect(await attempt({ address: server.address, trust })).toEqual({});
    expect(await attempt({ address: `localhost:${server.listener.port}`, trust })).toEqual({});
  });

  test("with another key than the pin is refused, with both fingerprints", async () => {
    await using server = await serveTls(certificate);
    const expected = fingerprintOf(makeCertificate().cert);
    const refused = await attempt({ address: server.address, trust: { kind: "pin", fingerprint: expected } });
    expect(refused).toBeInstanceOf(ConnectError);
    const found = fingerprintOf(certificate.cert);
    expect(refused).toMatchObject({ kind: "fingerprint-mismatch", expected, found });
    expect((refused as Error).message).toContain(expected);
    expect((refused as Error).message).toContain(found);
  });

  test("is not trusted by the system's roots", async () => {
    await using server = await serveTls(certificate);
    for (const address of [server.address, `localhost:${server.listener.port}`]) {
      expect(await attempt({ address, trust: { kind: "system" } })).toMatchObject({ kind: "untrusted" });
    }
  });
});

test.skipIf(loopbackZone === undefined)(
  "an IPv6 address with a zone is dialled, with and without TLS",
  async () => {
    const certificate = makeCertificate();
    const host = `::1%${loopbackZone}`;
    await using secure = await serveTls(certificate, { host });
    const pinned = { address: `[${host}]:${secure.listener.port}`, trust: pinOf(certificate) };
    expect(await attempt(pinned)).toEqual({});
    await using plain = await serve(answering, { host });
    const plaintext = { address: `[${host}]:${plain.listener.port}`, trust: { kind: "plaintext" } } as const;
    expect(await attempt(plaintext)).toEqual({});
  },
);

test("localhost is this machine, and is not looked up", async () => {
  const lookUp = vi.spyOn(dns.promises, "lookup").mockRejectedValue(new Error("must not be looked up"));
  await using server = await serve(answering);
  const address = `localhost:${server.listener.port}`;
  expect(await attempt({ address, trust: { kind: "plaintext" } })).toEqual({});
  expect(lookUp).not.toHaveBeenCalled();
  lookUp.mockRestore();
});

test.skipIf(loopbackZone === undefined)(
  "an IPv6 address with a zone on which nothing listens is unreachable",
  async () => {
    const { server, address } = await tcpServer(() => {});
    server.close();
    await once(server, "close");
    const port = address.split(":").at(-1);
    const refused = await attempt({ address: `[::1%${loopbackZone}]:${port}`, trust: { kind: "plaintext" } });
    expect(refused).toMatchObject({ kind: "unreachable" });
  },
);

describe("a pin", () => {
  const first = makeCertificate();

  test("stays valid for another certificate with the same key", async () => {
    await using server = await serveTls(first);
    server.listener.replaceCertificate(
      makeCertificate({ privateKey: first.privateKey, names: ["new.example"] }),
    );
    expect(await attempt({ address: server.address, trust: pinOf(first) })).toEqual({});
  });

  test("refuses a server that changes its key after the probe", async () => {
    await using server = await serveTls(first);
    using dialled = await dial({ address: server.address, trust: pinOf(first) });
    const other = makeCertificate();
    server.listener.replaceCertificate(other);
    await expect(dialled.ready(5_000)).rejects.toMatchObject({
      kind: "fingerprint-mismatch",
      found: fingerprintOf(other.cert),
    });
    await expect(call(dialled.client(ChatServiceClient), "setTyping", typing, unary)).rejects.toMatchObject({
      code: status.UNAVAILABLE,
    });
  });

  test("refuses another key whose certificate the pinned key has signed", async () => {
    await using server = await serveTls(authority);
    using dialled = await dial({ address: server.address, trust: pinOf(authority) });
    // Its chain verifies, so only the comparison of the keys can refuse it.
    const signed = makeCertificate({ issuer: authority });
    server.listener.replaceCertificate(signed);
    await expect(dialled.ready(5_000)).rejects.toMatchObject({ kind: "fingerprint-mismatch" });
  });

  test("reports an expired certificate", async () => {
    const expired = makeCertificate({ days: -3 });
    await using server = await serveTls(expired);
    const refused = await attempt({ address: server.address, trust: pinOf(expired) });
    expect(refused).toMatchObject({
      kind: "certificate-time",
      message: expect.stringContaining("expired on"),
    });
    const found = await probe(server.address, { timeoutMs: 5_000 });
    expect(found).toMatchObject({ trustedBySystem: false, problem: "CERT_HAS_EXPIRED" });
  });
});

describe("the error of a failed connection", () => {
  test("names a port on which nothing listens", async () => {
    const { server, address } = await tcpServer(() => {});
    server.close();
    await once(server, "close");
    for (const trust of [
      { kind: "plaintext" },
      { kind: "system" },
      { kind: "pin", fingerprint: "x" },
    ] as const) {
      expect(await attempt({ address, trust })).toMatchObject({ kind: "unreachable" });
    }
  });

  test("names an unknown host", async () => {
    const refused = await attempt({ address: "no-such-host.invalid:1", trust: { kind: "plaintext" } });
    expect(refused).toMatchObject({ kind: "unreachable" });
  });

  test("names a plaintext server, if TLS was requested", async () => {
    await using server = await serve(answering);
    for (const trust of [{ kind: "system" }, { kind: "pin", fingerprint: "x" }] as const) {
      expect(await attempt({ address: server.address, trust })).toMatchObject({ kind: "not-tls" });
    }
  });

  test("names a TLS server, if plaintext was requested", async () => {
    await using server = await serveTls(makeCertificate());
    expect(await attempt({ address: server.address, trust: { kind: "plaintext" } })).toMatchObject({
      kind: "needs-tls",
    });
  });

  test("is a time-out for a server that sends nothing", async () => {
    const sockets: Socket[] = [];
    const { server, address } = await tcpServer((socket) => sockets.push(socket));
    await expect(probe(address, { timeoutMs: 50 })).rejects.toMatchObject({ kind: "timeout" });
    using dialled = await dial({ address, trust: { kind: "plaintext" } });
    await expect(dialled.ready(50)).rejects.toMatchObject({ kind: "timeout" });
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  test("names a server that closes the connection", async () => {
    const { server, address } = await tcpServer((socket) => socket.destroy());
    for (const trust of [
      { kind: "plaintext" },
      { kind: "system" },
      { kind: "pin", fingerprint: "x" },
    ] as const) {
      expect(await attempt({ address, trust })).toMatchObject({ kind: "unreachable" });
    }
    server.close();
  });

  test("names an invalid address", async () => {
    for (const address of ["", "host", "host:", "host:0", "host:70000", "::1:80", "a b:1", "http://host:1"]) {
      await expect(dial({ address, trust: { kind: "plaintext" } })).rejects.toThrow(
        /is not an address|without brackets|is ambiguous/,
      );
    }
    expect(parseAddress("[::1]:80")).toEqual({ host: "::1", port: 80 });
    expect(parseAddress("chat.example.org:12000")).toEqual({ host: "chat.example.org", port: 12_000 });
  });
});

describe("a call", () => {
  test("carries the token", async () => {
    let authorization: unknown;
    await using server = await serve({
      setTyping: (_request, { metadata }) => {
        authorization = metadata.get("authorization");
        return Promise.resolve({});
      },
    });
    using client = await dialPlain(server.address);
    await call(client.chat, "setTyping", typing, { ...unary, token: "abc" });
    expect(authorization).toEqual(["Bearer abc"]);
  });

  test("ends at its deadline and by its signal", async () => {
    await using server = await serve({ setTyping: () => new Promise(() => {}) });
    using client = await dialPlain(server.address);
    await expect(call(client.chat, "setTyping", typing, { timeoutMs: 30 })).rejects.toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      reason: "",
    });
    const signal = AbortSignal.timeout(20);
    await expect(call(client.chat, "setTyping", typing, { ...unary, signal })).rejects.toMatchObject({
      code: status.CANCELLED,
    });
    await expect(call(client.chat, "setTyping", typing, { ...unary, signal })).rejects.toMatchObject({
      code: status.CANCELLED,
      cause: signal.reason,
    });
  });

  test("fails with UNDECODABLE after a malformed answer", async () => {
    await using server = await serve({ sendMessage: () => Promise.resolve(Buffer.from([0x0f])) });
    using client = await dialPlain(server.address);
    const request = { clientMessageId: 1n, target: undefined, content: undefined };
    await expect(call(client.chat, "sendMessage", request, unary)).rejects.toMatchObject({
      code: status.INTERNAL,
      reason: "UNDECODABLE",
    });
  });

  test("fails with an RpcError at an HTTP/2 server without gRPC", async () => {
    const web = createHttp2Server((_request, response) => response.end("hello")).listen(0, "127.0.0.1");
    await once(web, "listening");
    using client = await dialPlain(`127.0.0.1:${(web.address() as { port: number }).port}`);
    await expect(call(client.chat, "setTyping", typing, unary)).rejects.toMatchObject({ name: "RpcError" });
    client.dialled[Symbol.dispose]();
    web.close();
  });

  test("does not share a connection with another channel", async () => {
    await using server = await serve(answering);
    using first = await dialPlain(server.address);
    using second = await dialPlain(server.address);
    await call(first.chat, "setTyping", typing, unary);
    await call(second.chat, "setTyping", typing, unary);
    expect(server.listener.connections).toBe(2);
  });
});
