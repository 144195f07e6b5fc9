// Chats that are open, or about to be, when something changes under them: keys that a person verifies meanwhile, an end
// that is gone and not known to be, a server that takes no report.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ContextParts, KeyProblemError, PrivateChatContext } from "../../client/peer/chats/context.ts";
import type { ChatEnded, PrivateEvent } from "../../client/peer/chats/events.ts";
import { OpenChat } from "../../client/peer/chats/open-chat.ts";
import { openConverse } from "../../client/peer/conversation/converse.ts";
import { NotSentError } from "../../client/peer/conversation/line-rules.ts";
import { MemoryContacts, readPeer } from "../../client/peer/keys/contacts.ts";
import { IdentityKey } from "../../client/peer/keys/keys.ts";
import { connectPeer } from "../../client/peer/path/connect-peer.ts";
import { peerKeys } from "../client/chat/fake-private-chats.ts";
import { Device, newId } from "../client/peer/device.ts";
import { reasonOf } from "../support/client.ts";
import { TestServer } from "../support/server.ts";
import { chatting, Somebody } from "./somebody.ts";

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start({ users: ["luke", "yoda"], sessionsPerUser: 99 });
});
afterAll(() => server[Symbol.asyncDispose]());

const sitDown = (name: string) => Somebody.sitDown(server.port, name);

/** A person has compared codes, and they were about another key than that of the open chat. */
function verifiesAnother(at: Somebody, of: Somebody): void {
  const { userId, username } = of.chats.names;
  const identityKey = IdentityKey.generate().publicKey;
  const since = new Date();
  at.chats.contacts.save({
    ...{ userId, username, identityKey, since },
    verified: true,
    acceptedDevices: [],
    always: "ask",
  });
}

describe("a chat that is open when another key is verified ends, with what is wrong,", () => {
  const distrusted = { kind: "keys", problem: "changed" };

  test("when it is looked at again", async () => {
    await using luke = await sitDown("luke");
    await using yoda = await sitDown("yoda");
    await chatting(luke, yoda, { direct: false });
    expect(yoda.chats.recheckKeys("luke")).toBeUndefined();
    verifiesAnother(yoda, luke);
    expect(yoda.chats.recheckKeys("luke")).toBe("changed");
    expect((await yoda.next("ended")).how).toEqual(distrusted);
    expect((await luke.next("ended")).how).toMatchObject({ kind: "goodbye", by: "them" });
    expect(yoda.chats.recheckKeys("luke")).toBeUndefined();
  });

  test("before another line is said", async () => {
    await using luke = await sitDown("luke");
    await using yoda = await sitDown("yoda");
    await chatting(luke, yoda, { direct: false });
    verifiesAnother(yoda, luke);
    expect(() => yoda.chats.send("luke", "a secret")).toThrow(NotSentError);
    expect((await yoda.next("ended")).how).toEqual(distrusted);
    await luke.next("ended");
    expect(luke.heard("yoda")).toEqual([]);
  });

  test("before another line is shown", async () => {
    await using luke = await sitDown("luke");
    await using yoda = await sitDown("yoda");
    await chatting(luke, yoda, { direct: false });
    verifiesAnother(yoda, luke);
    luke.chats.send("yoda", "it is me, luke");
    expect((await yoda.next("ended")).how).toEqual(distrusted);
    expect(yoda.heard("luke")).toEqual([]);
  });
});

test("a key that is verified between the yes and the opening stops the chat, and stays verified", async () => {
  await using luke = await sitDown("luke");
  await using yoda = await sitDown("yoda");
  const { keys } = await luke.chats.register();
  const { calls, names } = luke.chats;
  const steps = calls.introduce({ username: "yoda", direct: true }, new AbortController().signal);
  await steps.next();
  await yoda.next("requested");
  await yoda.chats.answer("luke", "accept", { direct: true });
  expect(yoda.chats.send("luke", "a secret")).toBe("queued");
  const { value } = await steps.next();
  if (value?.step?.$case !== "introduction") throw new Error("no introduction");
  const introduction = value.step.value;
  verifiesAnother(yoda, luke);
  const { introductionId } = introduction;
  const reached = await connectPeer({
    calls,
    own: keys.device,
    introduction,
    peer: readPeer(names.serverId, introduction.peer)?.fingerprint ?? "",
    opening: { introductionId, clientName: "", clientVersion: "" },
    signal: new AbortController().signal,
  });
  await expect(reached.stream.signals.next()).rejects.toMatchObject({ reason: "PEER_GONE" });
  const { error, queued } = await yoda.next("failed");
  expect(error).toBeInstanceOf(KeyProblemError);
  expect(queued).toEqual(["a secret"]);
  expect(yoda.chats.contacts.get("luke")).toMatchObject({ verified: true });
  await calls.reportPrivateChats([], [introductionId]);
});

test("who asks anew and is told yes has a new chat in place of one that is only not known to be over", async () => {
  await using luke = await sitDown("luke");
  await using yoda = await sitDown("yoda");
  await chatting(luke, yoda, { direct: false });
  // As after a crash: the server knows that luke has none any more, and yoda does not.
  await luke.chats.calls.reportPrivateChats([], []);
  await using again = await luke.again();
  await again.chats.start("yoda", { direct: false });
  again.chats.send("yoda", "here I am again");
  await yoda.next("requested");
  await yoda.chats.answer("luke", "accept");
  expect((await yoda.next("ended")).how).toMatchObject({ kind: "failed", cause: { reason: "PEER_GONE" } });
  await yoda.next("opened");
  expect(await yoda.hears("luke", 1)).toEqual(["here I am again"]);
  expect(yoda.chats.openChats).toMatchObject([{ username: "luke" }]);
});

test("what is held for one who came and is gone is given back with the end", async () => {
  await using luke = await Device.make();
  await using yoda = await Device.make();
  const events: PrivateEvent[] = [];
  const parts: Pick<ContextParts, "contacts" | "emit" | "allowHalfOpen"> = {
    contacts: new MemoryContacts(),
    emit: (event) => Promise.resolve(void events.push(event)),
    allowHalfOpen: false,
  };
  const context = new PrivateChatContext(parts as ContextParts);
  const ended = Promise.withResolvers<ChatEnded>();
  const introductionId = newId();
  const opening = { introductionId, clientName: "", clientVersion: "" };
  yoda.server.expect({
    ...{ introductionId, opening, direct: true, lifetimeMs: 60_000 },
    fingerprint: luke.fingerprint,
    converse: async (stream, path) => {
      // Until nothing can be written any more.
      await expect.poll(() => stream.isCongested).toBe(true);
      ended.resolve(
        await new OpenChat(context, { peer: peerKeys("luke"), path, stream }).run(["one", "two"]),
      );
    },
  });
  (await openConverse(await luke.dial(yoda), opening)).abort();
  const { how, undelivered } = await ended.promise;
  expect(how).toMatchObject({ kind: "failed" });
  expect(undelivered).toEqual(["one", "two"]);
  expect(events).toEqual([]);
});

test("that a chat is over gets to the server later, where it takes no report at that moment", async () => {
  await using slow = await TestServer.start({ users: ["luke", "yoda"], callRate: 5 });
  await using luke = await Somebody.sitDown(slow.port, "luke");
  await using yoda = await Somebody.sitDown(slow.port, "yoda");
  await chatting(luke, yoda, { direct: false });
  const refused = (): Promise<string> => reasonOf(luke.chats.calls.getPrivateChat("yoda"));
  while ((await refused()) !== "RATE_LIMITED");
  await luke.chats.stop("yoda");
  await Promise.all([luke.next("ended"), yoda.next("ended")]);
  // Nobody does anything: it is told again by itself.
  await expect
    .poll(() => luke.chats.calls.getPrivateChat("yoda").catch(() => "refused"), { interval: 1_000 })
    .toBeUndefined();
});
