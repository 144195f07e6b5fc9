// What Tab completes in an entered line.
import { describe, expect, it } from "vitest";
import { Fixture, live } from "./fixture.ts";

describe("completion", () => {
  it("offers commands, and user names where a command takes one", async () => {
    const fixture = await live({}, ["yoda", "yolanda"]);
    await fixture.chat.take(fixture.entry("leia", "hi"));
    expect(fixture.chat.complete("o")).toEqual({ from: 0, candidates: ["open", "outbox"] });
    expect(fixture.chat.complete("/o")).toEqual({ from: 0, candidates: ["/open", "/outbox"] });
    expect(fixture.chat.complete("open ")).toEqual({ from: 5, candidates: ["leia", "yoda", "yolanda"] });
    expect(fixture.chat.complete("message YO")).toEqual({ from: 8, candidates: ["yoda", "yolanda"] });
    expect(fixture.chat.complete("help c")).toEqual({ from: 5, candidates: ["close"] });
    expect(fixture.chat.complete("who ")).toBeUndefined();
  });

  it("offers the users of earlier conversations, online or not", async () => {
    const fixture = new Fixture();
    fixture.before("leia", ["hi"], 1);
    fixture.entry("luke", "hello", { to: "vader" });
    await fixture.connect(["yoda"]);
    expect(fixture.chat.complete("open ")).toMatchObject({ candidates: ["leia", "vader", "yoda"] });
  });

  it("offers user names in a message once their first letter is typed, and no commands", async () => {
    const fixture = await live({}, ["yoda"]);
    await fixture.chat.enter("open yoda");
    expect(fixture.chat.complete("o")).toMatchObject({ candidates: [] });
    expect(fixture.chat.complete("ask yo")).toEqual({ from: 4, candidates: ["yoda"] });
    expect(fixture.chat.complete("ask ")).toBeUndefined();
    expect(fixture.chat.complete("/cl")).toEqual({ from: 0, candidates: ["/close"] });
  });
});
