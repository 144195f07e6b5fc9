// A lying server cannot make a device dial an address or trust a key that its user did not allow.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { isAutoAccepted } from "../../../client/cli/private/settings.ts";
import { Endpoint } from "../../../client/link/server/endpoint.ts";
import type { PrivateCalls } from "../../../client/link/server/private-chat-calls.ts";
import { type ContextParts, PrivateChatContext } from "../../../client/peer/chats/context.ts";
import { OutgoingRequest } from "../../../client/peer/chats/outgoing-request.ts";
import { PendingPeer } from "../../../client/peer/chats/pending-peer.ts";
import { PendingPeers } from "../../../client/peer/chats/pending-peers.ts";
import { checkKeys, MemoryContacts, type PeerKeys, remembered } from "../../../client/peer/keys/contacts.ts";
import { derOf, IdentityKey, MemoryKeys } from "../../../client/peer/keys/keys.ts";
import { rememberLink } from "../../../client/peer/keys/own-identity.ts";
import { register } from "../../../client/peer/keys/registration.ts";
import { confirm, markShown, objectionTo, verificationOf } from "../../../client/peer/keys/verification.ts";
import { PrivateChats } from "../../../client/peer/private-chats.ts";
import type { Introduction } from "../../../gen/parley/chat/v1/introduction_service.ts";
import { Ending } from "../../../gen/parley/peer/v1/peer_service.ts";
import { bind } from "../../../rpc/listening/bind.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { Device, newId } from "./device.ts";

const names = { serverId: "server", userId: "u1", username: "luke", deviceId: "d1" };
const notFound = new RpcError({ code: 5, reason: "IDENTITY_NOT_FOUND", message: "none" });

let luke: Device;
let yoda: Device;
beforeEach(async () => {
  [luke, yoda] = [await Device.make(), await Device.make()];
});
afterEach(async () => {
  await luke[Symbol.asyncDispose]();
  await yoda[Symbol.asyncDispose]();
});

/** Calls with the answers that a test wants. */
function callsOf(lies: Partial<Record<keyof PrivateCalls, unknown>>): PrivateCalls {
  const calls: Partial<Record<keyof PrivateCalls, unknown>> = {
    token: "",
    endpoint: { address: "127.0.0.1:12000", connect: () => Promise.reject(new Error("no relay")) },
    registerDeviceKey: () => Promise.resolve({ identity: undefined, device: undefined }),
    getIdentity: () => Promise.reject(notFound),
    ...lies,
  };
  return calls as unknown as PrivateCalls;
}

/** The context of luke's private chats. */
function contextOf(
  calls: PrivateCalls,
  more: Partial<Pick<ContextParts, "closing" | "emit">> = {},
): PrivateChatContext {
  return new PrivateChatContext({
    calls,
    names,
    keys: new MemoryKeys(),
    contacts: new MemoryContacts(),
    client: undefined,
    server: luke.server,
    closing: new AbortController().signal,
    emit: () => Promise.resolve(),
    allowHalfOpen: false,
    ...more,
  });
}

/** Sends a request that the server answers with an introduction. Counts connections, and whether the call was ended. */
async function request(direct: boolean, count: number): Promise<{ dialled: number; ended: boolean }> {
  let dialled = 0;
  let ended = false;
  const { port, servers } = await bind("0.0.0.0", 0, (socket) => {
    dialled += 1;
    socket.destroy();
  });
  const introduction: Introduction = {
    introductionId: newId(),
    peer: {
      user: { userId: "u2", username: "yoda" },
      identityKey: Buffer.alloc(0),
      device: {
        deviceId: "d2",
        deviceName: "",
        certificate: Buffer.from(derOf(yoda.own)),
        signature: Buffer.alloc(0),
      },
    },
    direct: true,
    addresses: Array.from({ length: count }, (_, index) => `127.0.0.${index + 1}:${port}`),
    lifetime: { seconds: 60n, nanos: 0 },
  };
  const first = { introductionId: introduction.introductionId, devices: 1, timeout: undefined };
  const calls = callsOf({
    introduce: async function* () {
      yield { step: { $case: "asked", value: first } };
      try {
        // The server never ends the call.
        for (;;) yield { step: { $case: "introduction", value: introduction } };
      } finally {
        ended = true;
      }
    },
  });
  const context = contextOf(calls);
  const outgoing = new OutgoingRequest(context, "yoda");
  await outgoing.send(direct);
  await expect(outgoing.establish()).rejects.toThrow("no relay");
  for (const server of servers) server.close();
  return { dialled, ended };
}

test("a device that requested a relayed chat dials no address, whatever the server answers", async () => {
  expect((await request(false, 1)).dialled).toBe(0);
});

test("at most four addresses of one family are dialled", async () => {
  expect((await request(true, 100)).dialled).toBe(4);
});

test("a call that the server does not end after its last step is cancelled", async () => {
  expect((await request(false, 1)).ended).toBe(true);
});

const mine = IdentityKey.generate();
const theirs = IdentityKey.generate();
const fake = IdentityKey.generate();

const identityOf = (userId: string, username: string, key: IdentityKey) => ({
  user: { userId, username },
  key: Buffer.from(key.publicKey),
  createTime: undefined,
});

/** A device of luke, and a server with these answers. */
async function verifierOf(identity: IdentityKey | undefined, lies: Parameters<typeof callsOf>[0]) {
  const calls = callsOf({ getIdentity: () => Promise.resolve(identityOf("u2", "yoda", theirs)), ...lies });
  const keys = new MemoryKeys();
  keys.saveIfNone({ deviceId: names.deviceId, device: luke.own, identity: identity?.export() });
  const contacts = new MemoryContacts();
  return { calls, contacts, names, register: () => register(calls, keys, names) };
}

const answersWith = (key: IdentityKey) => ({
  registerDeviceKey: () => Promise.resolve({ identity: identityOf("u1", "luke", key), device: undefined }),
});

const peerDevice = (username: string) => ({
  user: { userId: `id-${username}`, username },
  identityKey: Buffer.alloc(0),
  device: {
    deviceId: "d2",
    deviceName: "",
    certificate: Buffer.from(derOf(yoda.own)),
    signature: Buffer.alloc(0),
  },
});

test.each([
  ["from many users", (request: number) => `user${request}`],
  ["from one user", () => "yoda"],
])("a flood of requests %s is bounded", async (_what, nameOf) => {
  await using endpoint = new Endpoint({ address: "127.0.0.1:1", trust: { kind: "plaintext" } });
  const chats = await PrivateChats.open({
    endpoint,
    token: "",
    names,
    keys: new MemoryKeys(),
    contacts: new MemoryContacts(),
    listen: undefined,
  });
  for (let request = 0; request < 5_000; request++) {
    const introduction = {
      introductionId: `i${request}`,
      peer: peerDevice(nameOf(request)),
      direct: false,
      timeout: undefined,
    };
    chats.handleLinkEvent({ type: "introduction-requested", introduction, raw: { kind: undefined } });
  }
  expect(chats.incomingRequests.length).toBeLessThanOrEqual(64);
  await chats.close(Ending.LEFT);
  let count = 0;
  for await (const _event of chats.events) count += 1;
  expect(count).toBeLessThanOrEqual(4_000);
});

test("an acceptance that succeeds during close leaves no timer", async () => {
  const closing = new AbortController();
  const answerIntroduction = () => {
    closing.abort();
    const lifetime = { seconds: 60n, nanos: 0 };
    return Promise.resolve({ introductionId: "i1", peer: undefined, direct: false, addresses: [], lifetime });
  };
  const context = contextOf(callsOf({ answerIntroduction }), { closing: closing.signal });
  const peer = peerOf(theirs.publicKey, true);
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    const owner = { converse: () => Promise.resolve(), failed: () => undefined };
    await new PendingPeer(context, { introductionId: "i1", peer, direct: false }, owner).accept();
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test("a lost answer to an acceptance is no failure if the peer has already connected", async () => {
  const introductionId = newId();
  const answerIntroduction = async () => {
    await yoda.call(luke, introductionId);
    throw new RpcError({ code: 14, reason: "", message: "Connection dropped" });
  };
  const events: string[] = [];
  const context = contextOf(callsOf({ answerIntroduction }), {
    emit: ({ type }) => Promise.resolve(void events.push(type)),
  });
  const over = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<readonly string[]>();
  const pendingPeers = new PendingPeers(context, {
    converse: (_established, queued) => {
      begun.resolve(queued);
      return over.promise;
    },
    failed: () => events.push("failed"),
  });
  const peer = { ...peerOf(theirs.publicKey, true), fingerprint: yoda.fingerprint };
  const accepting = pendingPeers.accept({ introductionId, peer, direct: true });
  pendingPeers.get(peer.username)?.queued.add("sent once");
  await accepting;
  expect(await begun.promise).toEqual(["sent once"]);
  expect(events).toEqual([]);
  over.resolve();
});

test("the number of pending peers is bounded", async () => {
  const closing = new AbortController();
  const lifetime = { seconds: 60n, nanos: 0 };
  const answerIntroduction = ({ introductionId }: { introductionId: string }) =>
    Promise.resolve({ introductionId, peer: undefined, direct: true, addresses: [], lifetime });
  const context = contextOf(callsOf({ answerIntroduction }), { closing: closing.signal });
  const pendingPeers = new PendingPeers(context, {
    converse: () => Promise.resolve(),
    failed: () => undefined,
  });
  const accept = (number: number): Promise<void> => {
    const peer = { ...peerOf(theirs.publicKey, true), username: `ewok${number}` };
    return pendingPeers.accept({ introductionId: `i${number}`, peer, direct: true });
  };
  try {
    for (let number = 0; number < 64; number++) await accept(number);
    await expect(accept(64)).rejects.toThrow("Too many private chats are about to open.");
    // A second request of a pending peer is accepted.
    await accept(7);
    expect(pendingPeers.usernames).toHaveLength(64);
  } finally {
    closing.abort();
  }
});

test("the safety number uses the identity key of the device, whatever the server answers", async () => {
  const honest = await verificationOf(await verifierOf(mine, answersWith(mine)), "yoda");
  const lying = await verificationOf(await verifierOf(mine, answersWith(fake)), "yoda");
  expect(lying.code).toBe(honest.code);
});

test("a device whose key the server replaced, and an unlinked device, cannot confirm a code", async () => {
  const taken = new RpcError({ code: 6, reason: "IDENTITY_TAKEN", message: "taken" });
  const displaced = await verifierOf(mine, {
    registerDeviceKey: ({ identityKey }: { identityKey: Buffer }) =>
      identityKey.length > 0 ? Promise.reject(taken) : answersWith(fake).registerDeviceKey(),
  });
  const unlinked = await verifierOf(undefined, answersWith(fake));
  for (const [verifier, own] of [
    [displaced, "changed"],
    [unlinked, "unlinked"],
  ] as const) {
    markShown(verifier.contacts, await verificationOf(verifier, "yoda"));
    const verification = await verificationOf(verifier, "yoda");
    expect(verification.own).toBe(own);
    expect(objectionTo(verification)).toContain("link");
  }
});

test("a peer that is introduced with the user's own name does not become the user's identity", async () => {
  const verifier = await verifierOf(undefined, answersWith(fake));
  const peer = { ...peerOf(fake.publicKey, true), username: names.username };
  verifier.contacts.save(remembered(undefined, peer, new Date()));
  expect((await verificationOf(verifier, "yoda")).own).toBe("unlinked");
});

test("a linked device detects a changed own identity key", async () => {
  const linked = await verifierOf(undefined, answersWith(mine));
  rememberLink(linked.contacts, names, mine.publicKey);
  expect((await verificationOf(linked, "yoda")).own).toBe("linked");
  const lied = { ...(await verifierOf(undefined, answersWith(fake))), contacts: linked.contacts };
  expect((await verificationOf(lied, "yoda")).own).toBe("changed");
});

test("only the code that was shown can be confirmed", async () => {
  let shown = theirs;
  const verifier = await verifierOf(mine, {
    ...answersWith(mine),
    getIdentity: () => Promise.resolve(identityOf("u2", "yoda", shown)),
  });
  markShown(verifier.contacts, await verificationOf(verifier, "yoda"));
  shown = fake;
  expect(objectionTo(await verificationOf(verifier, "yoda"))).toContain("changed since it was shown");
  shown = theirs;
  const verification = await verificationOf(verifier, "yoda");
  expect(objectionTo(verification)).toBeUndefined();
  confirm(verifier.contacts, verification);
  expect((await verificationOf(verifier, "yoda")).standing).toBe("verified");
});

test("an identity of another user is not accepted", async () => {
  const getIdentity = () => Promise.resolve(identityOf("u2", "leia", theirs));
  const verifier = await verifierOf(mine, { ...answersWith(mine), getIdentity });
  await expect(verificationOf(verifier, "yoda")).rejects.toThrow("another user");
});

test("the first identity key of a contact without one is new, and no setting accepts it", () => {
  const contact = { ...peerOf(Buffer.alloc(0), false), since: new Date(), verified: false };
  const known = { ...contact, acceptedDevices: [], always: "direct" } as const;
  const peer = peerOf(theirs.publicKey, true);
  const keyCheck = checkKeys(known, peer);
  expect(keyCheck).toEqual({ standing: "new", problem: undefined, stops: false });
  expect(isAutoAccepted("contacts", keyCheck, known.always)).toBe(false);
  expect(remembered(known, peer, new Date()).always).toBe("ask");
});

function peerOf(identityKey: Uint8Array, signed: boolean): PeerKeys {
  const { fingerprint } = yoda;
  return { userId: "u2", username: "yoda", identityKey, deviceId: "d2", deviceName: "", fingerprint, signed };
}
