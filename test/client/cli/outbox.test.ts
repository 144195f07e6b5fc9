// parley outbox: lists, sends and drops the messages that a chat could not send.

import { expect, test } from "vitest";
import { lostAfter } from "../../../client/cli/commands/outbox.ts";
import type { SendTarget } from "../../../client/link/model/send-queue.ts";
import { textContent } from "../../../client/link/server/account.ts";
import { State } from "../../../client/state/state.ts";
import { Content } from "../../../gen/parley/chat/v1/entry.ts";
import { Reason } from "../../../gen/parley/chat/v1/reason.ts";
import { ConnectError } from "../../../rpc/status/connect-error.ts";
import { Refusal } from "../../../server/reasons.ts";
import { passwordOf, TestServer } from "../../support/server.ts";
import { afterAppend, FaultyProxy } from "./faults.ts";
import { Home, parsed, startServer } from "./parley.ts";

/** Stores unsent messages, as a chat does that ends before it can send. */
function leaveBehind(home: Home, ...texts: [SendTarget, string][]): bigint[] {
  using state = new State(home.folder, { onProblem: (error) => expect.fail(error.message) });
  const queue = state.sendQueue(state.profiles.find()?.profileId ?? 0);
  return texts.map(
    ([target, text]) => queue.add(target, Content.encode(textContent(text)).finish()).clientMessageId,
  );
}

test("unsent messages are listed, sent once and dropped", async () => {
  await using server = await TestServer.start({ users: ["yoda", "luke"] });
  await using home = await Home.make();
  expect(await home.run("outbox", "list")).toMatchObject({ code: 4 });
  await home.logIn("yoda", server, "--plaintext");
  const toLuke: SendTarget = { kind: "user", username: "luke" };
  const [first, second, third, fourth] = leaveBehind(
    home,
    [toLuke, "one"],
    [{ kind: "broadcast" }, "two\nlines \u{1b}"],
    [{ kind: "user", username: "nobody" }, "three"],
    [toLuke, "four"],
  );
  const list = await home.run("outbox", "list");
  expect(list).toMatchObject({ code: 0, stderr: "" });
  expect(list.lines).toHaveLength(4);
  expect(list.lines[1]).toMatch(/^1000002 {2}\d{4}.* to everyone, waits: two lines ␛$/);
  expect(await home.run("outbox")).toMatchObject({ code: 0, stdout: list.stdout });
  expect((await home.run("outbox", "list", "--json")).lines.map(parsed)).toMatchObject([
    { sendMessage: { clientMessageId: "1000001", target: { username: "luke" }, content: { text: "one" } } },
    { broadcast: { clientMessageId: "1000002", content: { text: "two\nlines \u{1b}" } } },
    { sendMessage: { clientMessageId: "1000003" } },
    { sendMessage: { clientMessageId: "1000004" } },
  ]);
  const which = await home.run("outbox", "drop");
  expect(which).toMatchObject({ code: 2, stderr: expect.stringMatching(/ids.*--all/) });
  expect(await home.run("outbox", "drop", "99")).toMatchObject({ code: 2 });
  expect(await home.run("outbox", "frob")).toMatchObject({ code: 2 });
  expect(await home.run("outbox", "drop", String(fourth))).toMatchObject({
    code: 0,
    stdout: "Dropped 1000004.\n",
  });

  // An earlier attempt was stored, but its ack was lost.
  expect(await home.run("send", "luke", "one", "--id", String(first))).toMatchObject({ code: 0 });
  const sent = await home.run("outbox", "send", "--all", "--json");
  expect(sent.code).toBe(1);
  expect(sent.lines.map(parsed)).toMatchObject([
    { clientMessageId: String(first), repeatedSend: true },
    { clientMessageId: String(second) },
  ]);
  expect(sent.stderr).toContain(`${third} was refused`);
  expect((await home.run("outbox", "list")).lines).toHaveLength(1);
  expect((await home.run("history", "luke")).lines).toHaveLength(1);
  expect(await home.run("outbox", "drop", "--all")).toMatchObject({ code: 0 });
  expect(await home.run("outbox", "list")).toMatchObject({ code: 0, stdout: "" });
});

test("a lost answer leaves the outcome unknown, and the command in the message settles it", async () => {
  let atCommit: () => void = () => undefined;
  await using lossy = await startServer({ wrapStore: afterAppend(() => atCommit()) });
  await using proxy = await FaultyProxy.start(() => lossy.port);
  await using home = await Home.make();
  const login = ["login", "yoda", "--password-stdin", "--server", proxy.address];
  expect(await home.pipe(passwordOf("yoda"), ...login)).toMatchObject({ code: 0 });
  const [id] = leaveBehind(home, [{ kind: "user", username: "luke" }, "did it arrive?"]);

  atCommit = () => proxy.fault("swallow");
  const unknown = await home.run("outbox", "send", "--all", "--wait", "2s");
  expect(unknown).toMatchObject({ code: 5, stdout: "" });
  atCommit = () => undefined;
  proxy.fault("none");
  const again = /: parley (outbox send \d+)\n$/.exec(unknown.stderr)?.[1]?.split(" ") ?? [];
  expect(await home.run(...again, "--json")).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(new RegExp(`"clientMessageId":"${id}".*"repeatedSend":true`)),
  });
  expect(await home.run("outbox", "list")).toMatchObject({ code: 0, stdout: "" });
  expect((await home.run("history", "luke")).lines).toHaveLength(1);
});

test("a send that is refused by a rate says when to try again", async () => {
  await using server = await TestServer.start({ users: ["yoda"] });
  await using home = await Home.make();
  await home.logIn("yoda", server, "--plaintext");
  leaveBehind(home, [{ kind: "user", username: "nobody" }, "one"]);
  server.store.log.append = () => Promise.reject(new Refusal(Reason.RATE_LIMITED, { retryDelayMs: 7_000 }));
  leaveBehind(home, [{ kind: "broadcast" }, "two"]);
  const run = await home.run("outbox", "send", "--all", "--wait", "1s");
  expect(run.code).toBe(1);
  expect(run.stderr).toMatch(/1000002 was refused: .* Try again in 7 s\. \(RATE_LIMITED\) To drop it: /);
});

test("a connection that is lost between two sends does not make the command say that nothing was sent", () => {
  const lost = new ConnectError({ kind: "unreachable", message: "Nothing answers at 127.0.0.1:1." });
  expect(lostAfter(0, 3, lost, "parley")).toBe(lost);
  expect(lostAfter(2, 3, lost, "parley")).toMatchObject({
    exitCode: 3,
    message:
      "The connection was lost after 2 of 3 messages: Nothing answers at 127.0.0.1:1. " +
      "The others are still in the outbox. To send them: parley outbox send --all",
  });
});
