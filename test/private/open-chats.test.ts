// Open chats and chats that are about to open, when something changes: a person verifies another key, the peer has
// crashed, or the server refuses a report.
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
import { openChat, PrivateUser } from "./private-user.ts";

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start({ users: ["luke", "yoda"], sessionsPerUser: 99 });
});
afterAll(() => server[Symbol.asyncDispose]());

const logIn = (name: string) => PrivateUser.logIn(server.port, name);

/** Stores another verified key for a user than the one of the open chat. */
function verifyAnotherKey(at: PrivateUser, of: PrivateUser): void {
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

describe("an open chat ends after another key was verified", () => {
  const distrusted = { kind: "keys", problem: "changed" };

  test("when the keys are checked again", async () => {
    await using luke = await logIn("luke");
    await using yoda = await logIn("yoda");
    await openChat(luke, yoda, { direct: false });
    expect(yoda.chats.recheckKeys("luke")).toBeUndefined();
    verifyAnotherKey(yoda, luke);
    expect(yoda.chats.recheckKeys("luke")).toBe("changed");
    expect((await yoda.next("ended")).how).toEqual(distrusted);
    expect((await luke.next("ended")).how).toMatchObject({ kind: "goodbye", by: "them" });
    expect(yoda.chats.recheckKeys("luke")).toBeUndefined();
  });

  test("before the next line is sent", async () => {
    await using luke = await logIn("luke");
    await using yoda = await logIn("yoda");
    await openChat(luke, yoda, { direct: false });
    verifyAnotherKey(yoda, luke);
    expect(() => yoda.chats.send("luke", "a secret")).toThrow(NotSentError);
    expect((await yoda.next("ended")).how).toEqual(distrusted);
    await luke.next("ended");
    expect(luke.receivedFrom("yoda")).toEqual([]);
  });

  test("before the next line is shown", async () => {
    await using luke = await logIn("luke");
    await using yoda = await logIn("yoda");
    await openChat(luke, yoda, { direct: false });
    verifyAnotherKey(yoda, luke);
    luke.chats.send("yoda", "it is me, luke");
    expect((await yoda.next("ended")).how).toEqual(distrusted);
    expect(yoda.receivedFrom("luke")).toEqual([]);
  });
});

test("a key that is verified between the acceptance and the opening stops the chat and stays verified", async () => {
  await using luke = await logIn("luke");
  await using yoda = await logIn("yoda");
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
  verifyAnotherKey(yoda, luke);
  const { introductionId } = introduction;
  const connected = await connectPeer({
    calls,
    own: keys.device,
    introduction,
    peer: readPeer(names.serverId, introduction.peer)?.fingerprint ?? "",
    opening: { introductionId, clientName: "", clientVersion: "" },
    signal: new AbortController().signal,
  });
  await expect(connected.stream.signals.next()).rejects.toMatchObject({ reason: "PEER_GONE" });
  const { error, queued } = await yoda.next("failed");
  expect(error).toBeInstanceOf(KeyProblemError);
  expect(queued).toEqual(["a secret"]);
  expect(yoda.chats.contacts.get("luke")).toMatchObject({ verified: true });
  await calls.reportPrivateChats([], [introductionId]);
});

test("a new accepted request replaces a chat whose peer has crashed", async () => {
  await using luke = await logIn("luke");
  await using yoda = await logIn("yoda");
  await openChat(luke, yoda, { direct: false });
  // As after a crash: the server knows that luke's chat has ended, and yoda does not.
  await luke.chats.calls.reportPrivateChats([], []);
  await using again = await luke.startAnotherProgram();
  await again.chats.start("yoda", { direct: false });
  again.chats.send("yoda", "here I am again");
  await yoda.next("requested");
  await yoda.chats.answer("luke", "accept");
  expect((await yoda.next("ended")).how).toMatchObject({ kind: "failed", cause: { reason: "PEER_GONE" } });
  await yoda.next("opened");
  expect(await yoda.receives("luke", 1)).toEqual(["here I am again"]);
  expect(yoda.chats.openChats).toMatchObject([{ username: "luke" }]);
});

test("lines that were queued for a peer that connected and is gone are returned with the end", async () => {
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
      // The stream is congested for good when it has ended.
      await expect.poll(() => stream.isCongested).toBe(true);
      ended.resolve(
        await new OpenChat(context, { peer: peerKeys("luke"), path, stream }).run(["one", "two"]),
      );
    },
  });
  (await openConverse(await luke.dial(yoda), opening)).abort();
  const { how, notSent } = await ended.promise;
  expect(how).toMatchObject({ kind: "failed" });
  expect(notSent).toEqual(["one", "two"]);
  expect(events).toEqual([]);
});

test("the end of a chat is reported again after the server refused the report", async () => {
  await using slow = await TestServer.start({ users: ["luke", "yoda"], callRate: 5 });
  await using luke = await PrivateUser.logIn(slow.port, "luke");
  await using yoda = await PrivateUser.logIn(slow.port, "yoda");
  await openChat(luke, yoda, { direct: false });
  const refused = (): Promise<string> => reasonOf(luke.chats.calls.getPrivateChat("yoda"));
  while ((await refused()) !== "RATE_LIMITED");
  await luke.chats.stop("yoda");
  await Promise.all([luke.next("ended"), yoda.next("ended")]);
  // The report is repeated without another event.
  await expect
    .poll(() => luke.chats.calls.getPrivateChat("yoda").catch(() => "refused"), { interval: 1_000 })
    .toBeUndefined();
});
