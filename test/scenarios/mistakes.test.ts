// Scenarios of what implementations of the original got wrong on the wire: reads taken for messages, ghosts, and one bad
// client that takes the others down. The mistakes about one rule stand with that rule's scenarios.
import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { reasonOf, TestClient, textOf } from "../support/client.ts";
import { passwordOf, TestServer } from "../support/server.ts";
import { online } from "./online.ts";
import { transports } from "./transports.ts";
import { Wire } from "./wire.ts";

const people = ["hans", "yoda", "vader", "leia"];
const texts = Array.from({ length: 50 }, (_, index) => `number ${index}`);

test("one read is not one message: what arrives byte by byte is whole", async () => {
  await using server = await TestServer.start({ users: people });
  const yoda = await online(server, "yoda");
  using wire = await Wire.to(server.port);
  wire.cutIntoBytes();
  using hans = new TestClient(wire.port);
  await hans.logIn("hans", passwordOf("hans"));
  const stream = await hans.connect().caughtUp();
  stream.send("yoda", "letter by letter");
  expect((await stream.next("ack")).seq).toBe(1n);
  await hans.send("yoda", "by a call as well");
  expect(await yoda.stream.nextText()).toBe("letter by letter");
  expect(await yoda.stream.nextText()).toBe("by a call as well");
});

test("one read is not one message: fifty that arrive in one packet are fifty, in order", async () => {
  await using server = await TestServer.start({ users: people });
  const yoda = await online(server, "yoda");
  using wire = await Wire.to(server.port);
  using hans = new TestClient(wire.port);
  await hans.logIn("hans", passwordOf("hans"));
  const stream = await hans.connect().caughtUp();
  wire.hold();
  for (const text of texts) stream.send("yoda", text);
  await expect.poll(() => wire.heldBytes).toBeGreaterThan(texts.join("").length + 50 * 20);
  wire.release();
  const got: string[] = [];
  while (got.length < texts.length) got.push(await yoda.stream.nextText());
  expect(got).toEqual(texts);
});

describe.each(transports)("through $name", ({ here, open }) => {
  test("one bad client ends nobody else's stream: noise on the port, half a frame, and a cut in the middle of a command", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await here(server, "hans");
    const yoda = await here(server, "yoda");
    for (const noise of ["login vader\n", "\0".repeat(2_000), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0"]) {
      const socket = connect(server.port, "127.0.0.1");
      socket.on("error", () => {});
      await once(socket, "connect");
      socket.write(noise);
      socket.destroy();
    }
    const wire = await Wire.to(server.port);
    using vader = new TestClient(wire.port);
    await vader.logIn("vader", passwordOf("vader"));
    const cut = await vader.connect().caughtUp();
    wire.cutIntoBytes();
    cut.send("hans", "x".repeat(20_000));
    wire[Symbol.dispose]();
    await cut.ended;
    await hans.send("yoda", "all is well");
    expect(await yoda.stream.nextText()).toBe("all is well");
    expect(await hans.client.said("vader")).toEqual([]);
    expect(server.logged.filter(({ level }) => level >= 50)).toEqual([]);
  });

  test("a hundred messages for who is offline, from two people and over a restart: each once, none skipped", async () => {
    await using server = await TestServer.start({ users: people });
    const [hans, leia] = [await here(server, "hans"), await here(server, "leia")];
    for (const text of texts) {
      await hans.send("yoda", `${text} of hans`);
      await leia.send("yoda", `${text} of leia`);
    }
    await server.stop();
    await server.start();
    const device = (await server.logIn("yoda")).grant?.device;
    const yoda = await here(server, "yoda", device);
    const came = yoda.stream.all("entryAppended");
    const of = (name: string) =>
      came.filter(({ entry }) => entry?.sender?.username === name).map((one) => textOf(one));
    expect(came).toHaveLength(100);
    expect(of("hans")).toEqual(texts.map((text) => `${text} of hans`));
    expect(of("leia")).toEqual(texts.map((text) => `${text} of leia`));
    const cursors = ["hans", "leia"].map((name) => ({
      conversationId: came.find(({ entry }) => entry?.sender?.username === name)?.entry?.conversationId ?? "",
      seq: 50n,
    }));
    await yoda.client.logOut();
    const again = await server.logIn("yoda", device);
    expect((await open(again, { cursors }).caughtUp()).all("entryAppended")).toEqual([]);
  });

  test("who logs out is out: the token opens nothing, and a name that begins alike is another's", async () => {
    await using server = await TestServer.start({ users: [...people, "vaderx"] });
    const vader = await here(server, "vader");
    const vaderx = await here(server, "vaderx");
    await vader.client.logOut();
    expect((await vader.stream.ended)?.reason).toBe("SESSION_ENDED");
    expect(await reasonOf(vader.client.whoelse())).toBe("TOKEN_INVALID");
    await (await here(server, "hans")).send("vaderx", "and you?");
    expect(await vaderx.stream.nextText()).toBe("and you?");
  });
});
