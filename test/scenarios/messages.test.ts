// Scenarios of messages and broadcasts: which users receive them, that texts are kept unchanged, and what is refused.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { reasonOf, textOf } from "../support/client.ts";
import { TestServer } from "../support/server.ts";
import { connectUser } from "./connect-user.ts";
import { transports } from "./transports.ts";

const people = ["hans", "yoda", "vader", "leia"];

describe.each(transports)("through $name", ({ online, onlineThroughProxy, open }) => {
  test("a message reaches its recipient and no other user", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await online(server, "hans");
    const yoda = await online(server, "yoda");
    const leia = await online(server, "leia");
    await hans.send("yoda", "for you alone");
    await hans.broadcast("for all");
    expect(await yoda.stream.nextText()).toBe("for you alone");
    expect(await leia.stream.nextText()).toBe("for all");
  });

  test("messages to an offline user are stored, and delivered in order and once at the next log-in", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await online(server, "hans");
    const texts = ["one", "two", "three", "four", "five"];
    for (const text of texts) await hans.send("yoda", text);
    const { client: yoda, stream: first } = await online(server, "yoda");
    const received = first.all("entryAppended").map(textOf);
    expect(received).toEqual(texts);
    const conversationId = first.all("entryAppended")[0]?.entry?.conversationId ?? "";
    await yoda.logOut();
    await hans.send("yoda", "six");
    // At the next log-in of that device, Hello contains its cursor.
    const again = await server.logIn("yoda", yoda.grant?.device);
    const second = await open(again, { cursors: [{ conversationId, seq: 5n }] }).caughtUp();
    expect(second.all("entryAppended").map(textOf)).toEqual(["six"]);
  });

  describe("texts", () => {
    let server: TestServer;
    beforeAll(async () => {
      server = await TestServer.start({ users: people });
    });
    afterAll(() => server[Symbol.asyncDispose]());

    test.each([
      ["quotes, backslashes and double spaces", ` "a"  \\n 'b'  \\ `],
      ["words that are commands", "logout"],
      ["a command with a slash", "/block yoda"],
      ["text that looks like a private message", "private luke tell nobody"],
      ["escapes and control characters", "\u001b[2J\u001b]0;x\u0007 \u0001\u0002 \r\n\t"],
      ["right-to-left overrides and joined emoji", "\u202Eabc \u{1F468}\u200D\u{1F469}\u200D\u{1F467} é"],
      ["thirty thousand letters", "x".repeat(30_000)],
    ])("a text is delivered unchanged: %s", async (_, text) => {
      const yoda = await online(server, "yoda");
      await (await online(server, "hans")).send("yoda", text);
      expect(await yoda.stream.nextText()).toBe(text);
    });
  });

  test("a message to an unknown user, to oneself, or to a name in another case or with look-alike letters is refused, and nothing is stored", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await online(server, "hans");
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

  test("an empty text, a text with a NUL, and a text of 64 KiB are refused, and the next message is accepted", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await online(server, "hans");
    expect(await reasonOf(hans.send("yoda", ""))).toBe("CONTENT_EMPTY");
    expect(await reasonOf(hans.send("yoda", "a\0b"))).toBe("INVALID_FIELD");
    expect(await reasonOf(hans.send("yoda", "x".repeat(64 * 1024)))).toBe("CONTENT_TOO_LARGE");
    expect((await hans.send("yoda", "fine")).seq).toBe(1n);
  });

  test("a message to a user whose connection is cut is stored, and the sender can send on", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await online(server, "hans");
    const yoda = await onlineThroughProxy(server, "yoda");
    using _client = yoda.client;
    yoda.proxy[Symbol.dispose]();
    await hans.send("yoda", "are you there?");
    await yoda.stream.ended;
    await hans.send("leia", "yoda is gone");
    expect(yoda.stream.all("entryAppended")).toEqual([]);
    const back = open(await server.logIn("yoda"));
    expect(await back.nextText()).toBe("are you there?");
    await hans.send("yoda", "welcome back");
    expect(await back.nextText()).toBe("welcome back");
  });

  test("a broadcast reaches all online users except its author; a user who was offline never receives it", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await online(server, "hans");
    const yoda = await online(server, "yoda");
    const { conversationId } = await hans.broadcast("hear me");
    expect(await yoda.stream.nextText()).toBe("hear me");
    const leia = await online(server, "leia");
    expect(leia.stream.all("entryAppended")).toEqual([]);
    const everyone = { $case: "conversationId", value: conversationId } as const;
    expect(await leia.client.textsOf(everyone)).toEqual(["-"]);
    // It is in the history of the users who were online, including the author.
    expect(await yoda.client.textsOf(everyone)).toEqual(["hear me"]);
    expect(await hans.client.textsOf(everyone)).toEqual(["hear me"]);
    await yoda.broadcast("and me");
    expect(
      await hans.stream.next("entryAppended", (appended) => textOf(appended) === "and me"),
    ).toBeDefined();
  });

  test("a log-out ends the session and its streams, and messages sent before it are stored", async () => {
    await using server = await TestServer.start({ users: people });
    const hans = await online(server, "hans");
    await hans.send("yoda", "last words");
    await hans.client.logOut();
    expect((await hans.stream.ended)?.reason).toBe("SESSION_ENDED");
    // The stream has ended, so the next attempt is a call.
    expect(await reasonOf(hans.client.send("yoda", "too late"))).toBe("TOKEN_INVALID");
    expect(await (await server.logIn("yoda")).textsWith("hans")).toEqual(["last words"]);
  });
});

// Only Connect has frames with several commands.
test("many commands in one frame take effect in their order", async () => {
  await using server = await TestServer.start({ users: people });
  const yoda = await connectUser(server, "yoda");
  const hans = await connectUser(server, "hans");
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
  const received: string[] = [];
  while (received.length < 50) received.push(await yoda.stream.nextText());
  expect(received).toEqual(texts);
});
