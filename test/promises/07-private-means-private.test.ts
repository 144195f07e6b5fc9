// Promise 7: in a private chat the server sees who, when and how much, never what. Everything that goes over the wire to
// and from the server, what it stores and what it logs is searched for what was said.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openChat, PrivateUser } from "../private/private-user.ts";
import { RecordingProxy } from "../support/recording-proxy.ts";
import { TestServer } from "../support/server.ts";

const PUBLIC = "marker-of-what-goes-through-the-log";

describe.each([
  ["direct", true],
  ["relayed", false],
] as const)("a chat that is %s", (path, direct) => {
  test("leaves none of its words with the server", async () => {
    await using server = await TestServer.start({ users: ["luke", "yoda"] });
    await using wire = await RecordingProxy.before(server.port);
    const said = Array.from(
      { length: 20 },
      (_, line) => `secret-${path}-${line}-${Math.random().toString(36)}`,
    );
    {
      await using luke = await PrivateUser.logIn(wire.port, "luke");
      await using yoda = await PrivateUser.logIn(wire.port, "yoda");
      await openChat(luke, yoda, { direct });
      expect(luke.chats.openChats).toMatchObject([{ username: "yoda", path }]);
      for (const text of said) {
        luke.chats.send("yoda", text);
        yoda.chats.send("luke", text);
      }
      expect(await yoda.receives("luke", said.length)).toEqual(said);
      expect(await luke.receives("yoda", said.length)).toEqual(said);
      // The same search finds what is not private.
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
    const seen = { up: wire.up, down: wire.down, stored: Buffer.concat(stored) };
    expect(Object.entries(seen).filter(([, bytes]) => !bytes.includes(PUBLIC))).toEqual(
      // Nobody was there to get it: the stream of yoda had no entry to be sent before it ended.
      seen.down.includes(PUBLIC) ? [] : [["down", seen.down]],
    );
    for (const [where, bytes] of Object.entries({ ...seen, logged })) {
      const found = said.filter(
        (text) => bytes.includes(text) || bytes.includes(Buffer.from(text).toString("base64").slice(0, -4)),
      );
      expect([where, found]).toEqual([where, []]);
    }
  });
});
