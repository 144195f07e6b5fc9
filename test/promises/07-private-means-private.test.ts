// Promise 7: in a private chat the server sees who, when and how much, but no content. The test searches all bytes to and from
// the server, its stored files and its log for the lines of the chat.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openChat, PrivateUser } from "../private/private-user.ts";
import { RecordingProxy } from "../support/recording-proxy.ts";
import { TestServer } from "../support/server.ts";

/** A message that is not private, which the search has to find. */
const PUBLIC = "marker-of-a-message-through-the-log";

describe.each([
  ["direct", true],
  ["relayed", false],
] as const)("a %s private chat", (path, direct) => {
  test("leaves no content with the server", async () => {
    await using server = await TestServer.start({ users: ["luke", "yoda"] });
    await using proxy = await RecordingProxy.start(server.port);
    const lines = Array.from(
      { length: 20 },
      (_, line) => `secret-${path}-${line}-${Math.random().toString(36)}`,
    );
    {
      await using luke = await PrivateUser.logIn(proxy.port, "luke");
      await using yoda = await PrivateUser.logIn(proxy.port, "yoda");
      await openChat(luke, yoda, { direct });
      expect(luke.chats.openChats).toMatchObject([{ username: "yoda", path }]);
      for (const text of lines) {
        luke.chats.send("yoda", text);
        yoda.chats.send("luke", text);
      }
      expect(await yoda.receives("luke", lines.length)).toEqual(lines);
      expect(await luke.receives("yoda", lines.length)).toEqual(lines);
      await luke.account.sendMessage(
        { kind: "user", username: "yoda" },
        { kind: { $case: "text", value: PUBLIC } },
        1n,
      );
      await luke.chats.stop("yoda");
      await yoda.next("ended");
    }
    const files = await readdir(server.folder);
    const stored = await Promise.all(files.map((file) => readFile(join(server.folder, file))));
    const logged = Buffer.from(JSON.stringify(server.logged));
    const { fromClients, fromServer } = proxy;
    const seen = { fromClients, fromServer, stored: Buffer.concat(stored) };
    expect(Object.entries(seen).filter(([, bytes]) => !bytes.includes(PUBLIC))).toEqual(
      // yoda's stream may have ended before the server sent the entry on it.
      fromServer.includes(PUBLIC) ? [] : [["fromServer", fromServer]],
    );
    for (const [where, bytes] of Object.entries({ ...seen, logged })) {
      const found = lines.filter(
        (text) => bytes.includes(text) || bytes.includes(Buffer.from(text).toString("base64").slice(0, -4)),
      );
      expect([where, found]).toEqual([where, []]);
    }
  });
});
