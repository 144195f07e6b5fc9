// Two users at two screens, over a real server: what each of them sees.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TestServer } from "../../support/server.ts";
import { lukeAndYoda } from "./screen-user.ts";

let server: TestServer;

beforeEach(async () => {
  server = await TestServer.start({ users: ["luke", "yoda"] });
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

describe("two users", () => {
  it("chat: each line appears once on both screens, above the line being typed", async () => {
    await using users = await lukeAndYoda(server.port);
    const { luke, yoda } = users;
    await luke.type("open yo\t\r");
    await luke.sees("yoda>");
    await yoda.sees("parley>");
    await yoda.type("half a th");
    await luke.type("hello there\r");
    await yoda.sees("luke → you: hello there");
    await yoda.sees("parley> half a th");
    await yoda.sees("unread: luke 1 (Alt-a)");
    await luke.sees("last: delivered");
    await yoda.type("\x03\x1ba");
    await yoda.sees("luke>");
    await luke.sees("last: read");
    await yoda.type("hello \u{1F600}\x1b\rin two lines\r");
    await luke.sees("in two lines");
    expect(luke.lines("hello").map((line) => line.slice(6))).toEqual([
      "luke: hello there",
      "yoda: hello \u{1F600}",
    ]);
    expect(luke.lines("in two lines")).toEqual(["      in two lines"]);
    expect(yoda.lines("hello there")).toHaveLength(1);
  });

  it("are asked about a line that would be a command: Enter sends it, Tab runs it", async () => {
    await using users = await lukeAndYoda(server.port);
    const { luke, yoda } = users;
    await luke.type("open yoda\r");
    await luke.sees("yoda>");
    // The second line was typed before the question, so it is not an answer.
    await luke.type("block yoda\rblock yoda\r");
    await luke.sees(/Tab to run\s+\/block.*Tab to run\s+\/block/s);
    await luke.sees("yoda> block yoda");
    await luke.type("\r");
    await yoda.sees("luke → you: block yoda");
    expect(yoda.lines("block yoda")).toHaveLength(1);
    await luke.type("logout\r");
    await luke.sees(/Tab to run\s+\/logout/);
    await luke.sees("yoda> logout");
    await luke.type("\x1b[D\t");
    expect(await luke.outcome).toEqual({ kind: "logout" });
    expect(yoda.lines("logout")).toEqual([]);
  });

  it("leave by a command, by Ctrl-D, or by closing the terminal", async () => {
    await using users = await lukeAndYoda(server.port);
    const { luke, yoda } = users;
    await luke.type("logout\r");
    expect(await luke.outcome).toEqual({ kind: "logout" });
    yoda.terminal.host.emit("SIGHUP");
    expect(await yoda.outcome).toEqual({ kind: "signal", signal: "SIGHUP" });
    expect(yoda.terminal.keyboard.rawModes.at(-1)).toBe(false);
  });
});
