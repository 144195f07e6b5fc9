// The chat of the picture can be recorded: `npm run pictures` works with the current messages of the client.
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { recordChat } from "./chat.ts";
import { readRows } from "./rows.ts";

const hasTmux = spawnSync("tmux", ["-V"], { stdio: "ignore" }).error === undefined;

test.skipIf(!hasTmux)(
  "the screen of hans shows the whole chat, without its real port",
  { timeout: 180_000 },
  async () => {
    const rows = await readRows(await recordChat());
    const text = rows.map((pieces) => pieces.map((piece) => piece.text).join("")).join("\n");
    expect(text).toContain("$ npx parley --as hans\n");
    expect(text).toContain("127.0.0.1:12000 as hans");
    expect(text).toContain("21:04 hans: Never tell me the odds. 你好\n21:04 yoda: Do or do not.");
    expect(text).toContain("leia → everyone: The base is moving at nine.");
    expect(text).toContain("hans: Typed while the server was down.");
    expect(text).toContain("hans → yoda (private): The server cannot read this.\nyoda> See you at\n");
    expect(text).toMatch(/yoda is typing…$/);
  },
);
