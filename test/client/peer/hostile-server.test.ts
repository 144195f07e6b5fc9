// What a server that lies can make of a device: no packet where none was allowed, and nothing that is taken on its word.
import { afterEach, beforeEach, expect, test } from "vitest";
import { Asking } from "../../../client/peer/asking.ts";
import type { PrivateCalls } from "../../../client/peer/calls.ts";
import { MemoryContacts } from "../../../client/peer/contacts.ts";
import { Desk } from "../../../client/peer/desk.ts";
import { derOf, MemoryKeys } from "../../../client/peer/keys.ts";
import type { Introduction } from "../../../gen/parley/chat/v1/introduction_service.ts";
import { bind } from "../../../rpc/bind.ts";
import { RpcError } from "../../../rpc/status.ts";
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

/** The answers of a server as a test wants them. */
function callsOf(lies: Partial<Record<keyof PrivateCalls, unknown>>): PrivateCalls {
  const calls: Partial<Record<keyof PrivateCalls, unknown>> = {
    token: "",
    endpoint: { connect: () => Promise.reject(new Error("no relay")) },
    registerDeviceKey: () => Promise.resolve({ identity: undefined, device: undefined }),
    getIdentity: () => Promise.reject(notFound),
    ...lies,
  };
  return calls as unknown as PrivateCalls;
}

/** Asks by a server whose answer is this introduction; how many were dialled. */
async function dialledBy(direct: boolean, count: number): Promise<number> {
  let dialled = 0;
  const { port, servers } = await bind("127.0.0.1", 0, (socket) => {
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
    addresses: Array.from({ length: count }, () => `127.0.0.1:${port}`),
    lifetime: { seconds: 60n, nanos: 0 },
  };
  const asked = { introductionId: introduction.introductionId, devices: 1, timeout: undefined };
  const calls = callsOf({
    introduce: async function* () {
      yield { step: { $case: "asked", value: asked } };
      yield { step: { $case: "introduction", value: introduction } };
    },
  });
  const desk = new Desk({
    calls,
    names,
    keys: new MemoryKeys(),
    contacts: new MemoryContacts(),
    client: undefined,
    server: luke.server,
    closing: new AbortController().signal,
    emit: () => Promise.resolve(),
  });
  const asking = new Asking(desk, "yoda");
  await asking.ask(direct);
  await expect(asking.begin()).rejects.toThrow("no relay");
  for (const server of servers) server.close();
  return dialled;
}

test("who asked by relay dials nobody, whatever the server says", async () => {
  expect(await dialledBy(false, 1)).toBe(0);
});

test("no more addresses are dialled than the contract allows", async () => {
  expect(await dialledBy(true, 100)).toBe(17);
});
