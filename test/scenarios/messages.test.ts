// Scenarios of messages and broadcasts: where they arrive, once, verbatim, and what is refused.
import { describe, expect, test } from "vitest";
import { reasonOf, textOf } from "../support/client.ts";
import { TestServer } from "../support/server.ts";
import { online } from "./online.ts";
import { transports } from "./transports.ts";

const people = ["hans", "yoda", "vader", "leia"];

describe.each(transports)("through $name", ({ here, hereByWire, open }) => {
  test("a message reaches its recipient and nobody else", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await here(server, "hans");
    const yoda = await here(server, "yoda");
    const leia = await here(server, "leia");
    await hans.send("yoda", "for you alone");
    await hans.broadcast("for all");
    expect(await yoda.stream.nextText()).toBe("for you alone");
    expect(await leia.stream.nextText()).toBe("for all");
  });

  test("for who is offline it is stored, comes at the next log-in in order, and not a second time", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await here(server, "hans");
    const texts = ["one", "two", "three", "four", "five"];
    for (const text of texts) await hans.send("yoda", text);
    const { client: yoda, stream: first } = await here(server, "yoda");
    const came = first.all("entryAppended").map(textOf);
    expect(came).toEqual(texts);
    const conversationId = first.all("entryAppended")[0]?.entry?.conversationId ?? "";
    await yoda.logOut();
    await hans.send("yoda", "six");
    // The next log-in of that device says how far it is.
    const again = await server.logIn("yoda", yoda.grant?.device);
    const second = await open(again, { cursors: [{ conversationId, seq: 5n }] }).caughtUp();
    expect(second.all("entryAppended").map(textOf)).toEqual(["six"]);
  });

  test.each([
    ["quotes, backslashes and double spaces", ` "a"  \\n 'b'  \\ `],
    ["words that are commands", "logout"],
    ["a command with a slash", "/block yoda"],
    ["what looks like a private message", "private luke tell nobody"],
    ["escapes and control characters", "\u001b[2J\u001b]0;x\u0007 \u0001\u0002 \r\n\t"],
    ["right-to-left overrides and joined emoji", "\u202Eabc \u{1F468}\u200D\u{1F469}\u200D\u{1F467} é"],
    ["thirty thousand letters", "x".repeat(30_000)],
  ])("a text is kept as it is: %s", async (_, text) => {
    await using server = await TestServer.start({ users: people });
    const yoda = await here(server, "yoda");
    await (await here(server, "hans")).send("yoda", text);
    expect(await yoda.stream.nextText()).toBe(text);
  });

  test("to nobody, to oneself, to a name of wrong case or of look-alike letters: refused, and nothing is stored", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await here(server, "hans");
    const refusals: [string, string][] = [
      ["nobody", "USER_NOT_FOUND"],
      ["Yoda", "USER_NOT_FOUND"],
      [" yoda", "USER_NOT_FOUND"],
      ["yo da", "USER_NOT_FOUND"],
      ["уoda", "USER_NOT_FOUND"],
      ["yoda\0", "USER_NOT_FOUND"],
      ["", "USER_NOT_FOUND"],
      ["hans", "RECIPIENT_IS_SELF"],
    ];
    for (const [name, reason] of refusals) expect(await reasonOf(hans.send(name, "x")), name).toBe(reason);
    const request = { pageSize: 0, pageToken: "", background: false };
    const { conversations } = await hans.client.unary(
      hans.client.history,
      hans.client.history.listConversations,
      request,
    );
    expect(conversations.map(({ headSeq }) => headSeq)).toEqual([0n]);
  });

  test("an empty text, one with a NUL, and one of 64 KiB are refused, and the next one goes through", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await here(server, "hans");
    expect(await reasonOf(hans.send("yoda", ""))).toBe("CONTENT_EMPTY");
    expect(await reasonOf(hans.send("yoda", "a\0b"))).toBe("INVALID_FIELD");
    expect(await reasonOf(hans.send("yoda", "x".repeat(64 * 1024)))).toBe("CONTENT_TOO_LARGE");
    expect((await hans.send("yoda", "fine")).seq).toBe(1n);
  });

  test("a message to a user who has vanished is stored for that one: its sender goes on", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await here(server, "hans");
    const yoda = await hereByWire(server, "yoda");
    using _yoda = yoda.client;
    yoda.wire[Symbol.dispose]();
    await hans.send("yoda", "are you there?");
    await yoda.stream.ended;
    await hans.send("leia", "yoda is gone");
    expect(yoda.stream.all("entryAppended")).toEqual([]);
    const back = open(await server.logIn("yoda"));
    expect(await back.nextText()).toBe("are you there?");
    await hans.send("yoda", "welcome back");
    expect(await back.nextText()).toBe("welcome back");
  });

  test("a broadcast reaches everyone online but its author; who was offline does not get it, then or later", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await here(server, "hans");
    const yoda = await here(server, "yoda");
    const { conversationId } = await hans.broadcast("hear me");
    expect(await yoda.stream.nextText()).toBe("hear me");
    const leia = await here(server, "leia");
    expect(leia.stream.all("entryAppended")).toEqual([]);
    const everyone = { $case: "conversationId", value: conversationId } as const;
    expect(await leia.client.log(everyone)).toEqual(["-"]);
    // In the history of those who were online, its author included.
    expect(await yoda.client.log(everyone)).toEqual(["hear me"]);
    expect(await hans.client.log(everyone)).toEqual(["hear me"]);
    await yoda.broadcast("and me");
    expect(await hans.stream.next("entryAppended", (one) => textOf(one) === "and me")).toBeDefined();
  });

  test("a log-out ends the session and its streams, and what it was told before was told", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await here(server, "hans");
    await hans.send("yoda", "last words");
    await hans.client.logOut();
    expect((await hans.stream.ended)?.reason).toBe("SESSION_ENDED");
    // A call afterwards: a stream has said all that it has to say.
    expect(await reasonOf(hans.client.send("yoda", "too late"))).toBe("TOKEN_INVALID");
    expect(await (await server.logIn("yoda")).said("hans")).toEqual(["last words"]);
  });
});

// Frames of several commands are what Connect has; a call is one command.
test("many commands in one packet are as many commands, in their order", async () => {
  await using server = await TestServer.start({ users: people });
  const yoda = await online(server, "yoda");
  const hans = await online(server, "hans");
  const texts = Array.from({ length: 50 }, (_, index) => `number ${index}`);
  hans.stream.write(
    ...texts.map((value, index) => ({
      kind: {
        $case: "sendMessage" as const,
        value: {
          clientMessageId: BigInt(index + 1),
          target: { target: { $case: "username" as const, value: "yoda" } },
          content: { kind: { $case: "text" as const, value } },
        },
      },
    })),
  );
  const got: string[] = [];
  while (got.length < 50) got.push(await yoda.stream.nextText());
  expect(got).toEqual(texts);
});
