// Scenarios of mistakes that implementations of the original assignment made on the wire: one read taken for one message, users
// who stay online, and one bad client that stops the server. Mistakes about a single rule are in the scenarios of that rule.
import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { reasonOf, TestClient, textOf } from "../support/client.ts";
import { passwordOf, TestServer } from "../support/server.ts";
import { connectUser } from "./connect-user.ts";
import { TcpProxy } from "./tcp-proxy.ts";
import { transports } from "./transports.ts";

const people = ["hans", "yoda", "vader", "leia"];
const texts = Array.from({ length: 50 }, (_, index) => `number ${index}`);

test("a message that arrives byte by byte is complete", async () => {
  await using server = await TestServer.start({ users: people });
  const yoda = await connectUser(server, "yoda");
  using proxy = await TcpProxy.start(server.port);
  proxy.forwardByteByByte();
  using hans = new TestClient(proxy.port);
  await hans.logIn("hans", passwordOf("hans"));
  const stream = await hans.connect().caughtUp();
  stream.send("yoda", "letter by letter");
  expect((await stream.next("ack")).seq).toBe(1n);
  await hans.send("yoda", "by a call as well");
  expect(await yoda.stream.nextText()).toBe("letter by letter");
  expect(await yoda.stream.nextText()).toBe("by a call as well");
});

test("fifty messages that arrive in one packet are fifty messages, in order", async () => {
  await using server = await TestServer.start({ users: people });
  const yoda = await connectUser(server, "yoda");
  using proxy = await TcpProxy.start(server.port);
  using hans = new TestClient(proxy.port);
  await hans.logIn("hans", passwordOf("hans"));
  const stream = await hans.connect().caughtUp();
  proxy.hold();
  for (const text of texts) stream.send("yoda", text);
  await expect.poll(() => proxy.heldBytes).toBeGreaterThan(texts.join("").length + 50 * 20);
  proxy.release();
  const received: string[] = [];
  while (received.length < texts.length) received.push(await yoda.stream.nextText());
  expect(received).toEqual(texts);
});

describe.each(transports)("through $name", ({ online, open }) => {
  test("noise on the port, and a connection that is cut within a command, do not end the streams of others", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await online(server, "hans");
    const yoda = await online(server, "yoda");
    for (const noise of ["login vader\n", "\0".repeat(2_000), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0"]) {
      const socket = connect(server.port, "127.0.0.1");
      socket.on("error", () => {});
      await once(socket, "connect");
      socket.write(noise);
      socket.destroy();
    }
    const proxy = await TcpProxy.start(server.port);
    using vader = new TestClient(proxy.port);
    await vader.logIn("vader", passwordOf("vader"));
    const cut = await vader.connect().caughtUp();
    proxy.forwardByteByByte();
    cut.send("hans", "x".repeat(20_000));
    proxy[Symbol.dispose]();
    await cut.ended;
    await hans.send("yoda", "all is well");
    expect(await yoda.stream.nextText()).toBe("all is well");
    expect(await hans.client.textsWith("vader")).toEqual([]);
    expect(server.logged.filter(({ level }) => level >= 50)).toEqual([]);
  });

  test("a hundred messages from two senders to an offline user are delivered once each, also after a restart", async () => {
    await using server = await TestServer.start({ users: people });
    const [hans, leia] = [await online(server, "hans"), await online(server, "leia")];
    for (const text of texts) {
      await hans.send("yoda", `${text} of hans`);
      await leia.send("yoda", `${text} of leia`);
    }
    await server.stop();
    await server.start();
    const device = (await server.logIn("yoda")).grant?.device;
    const yoda = await online(server, "yoda", device);
    const received = yoda.stream.all("entryAppended");
    const of = (name: string) =>
      received.filter(({ entry }) => entry?.sender?.username === name).map((appended) => textOf(appended));
    expect(received).toHaveLength(100);
    expect(of("hans")).toEqual(texts.map((text) => `${text} of hans`));
    expect(of("leia")).toEqual(texts.map((text) => `${text} of leia`));
    const cursors = ["hans", "leia"].map((name) => ({
      conversationId:
        received.find(({ entry }) => entry?.sender?.username === name)?.entry?.conversationId ?? "",
      seq: 50n,
    }));
    await yoda.client.logOut();
    const again = await server.logIn("yoda", device);
    expect((await open(again, { cursors }).caughtUp()).all("entryAppended")).toEqual([]);
  });

  test("a log-out ends the session of that user, and not of a user whose name begins with the same letters", async () => {
    await using server = await TestServer.start({ users: [...people, "vaderx"] });
    const vader = await online(server, "vader");
    const vaderx = await online(server, "vaderx");
    await vader.client.logOut();
    expect((await vader.stream.ended)?.reason).toBe("SESSION_ENDED");
    expect(await reasonOf(vader.client.whoelse())).toBe("TOKEN_INVALID");
    await (await online(server, "hans")).send("vaderx", "and you?");
    expect(await vaderx.stream.nextText()).toBe("and you?");
  });
});
