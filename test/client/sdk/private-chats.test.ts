// Private chats with the SDK: two programs connect, one requests a chat, and the other accepts it.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  type Connection,
  type ConnectOptions,
  connect,
  ListenError,
  type PrivateEvent,
} from "../../../client/sdk/index.ts";
import { passwordOf, TestServer } from "../../support/server.ts";

function login(server: TestServer, username: string) {
  return {
    address: `127.0.0.1:${server.port}`,
    trust: { kind: "plaintext" },
    login: { username, password: passwordOf(username) },
    privateChats: { listen: { host: "127.0.0.1", port: 0 } },
  } as const;
}

/** Reads the events of the link, as every program must; resolves when it is live. */
async function read(link: Connection): Promise<void> {
  const live = Promise.withResolvers<void>();
  void (async () => {
    for await (const event of link.events) {
      if (event.type === "state" && event.state.phase === "live") live.resolve();
    }
  })();
  await live.promise;
}

async function next<T extends PrivateEvent["type"]>(
  events: AsyncIterator<PrivateEvent>,
  type: T,
): Promise<Extract<PrivateEvent, { type: T }>> {
  for (let read = await events.next(); read.done !== true; read = await events.next()) {
    if (read.value.type === type) return read.value as Extract<PrivateEvent, { type: T }>;
  }
  throw new Error(`There was no ${type} event.`);
}

test("two programs chat, and with a state folder they recognise each other's keys", async () => {
  await using server = await TestServer.start({ users: ["luke", "yoda"] });
  const stateFolder = await mkdtemp(join(tmpdir(), "parley-sdk-"));
  try {
    for (const standing of ["new", "known"]) {
      await using luke = await connect({ ...login(server, "luke"), stateFolder });
      await using yoda = await connect({ ...login(server, "yoda"), stateFolder: `${stateFolder}/yoda` });
      await Promise.all([read(luke), read(yoda)]);
      if (luke.privateChats === undefined || yoda.privateChats === undefined) throw new Error("no chats");
      const atLuke = luke.privateChats.events[Symbol.asyncIterator]();
      const atYoda = yoda.privateChats.events[Symbol.asyncIterator]();

      await luke.privateChats.start("yoda", { direct: true });
      const requested = await next(atYoda, "requested");
      expect([requested.username, requested.keyCheck.standing]).toEqual(["luke", standing]);
      await yoda.privateChats.answer("luke", "accept", { direct: true });
      expect((await next(atLuke, "opened")).path).toBe("direct");
      luke.privateChats.send("yoda", "between us");
      await next(atYoda, "opened");
      expect((await next(atYoda, "line")).content).toEqual({ kind: "text", text: "between us" });
      await luke.close();
      expect((await next(atYoda, "ended")).how).toMatchObject({ kind: "goodbye", by: "them" });
    }
  } finally {
    await rm(stateFolder, { recursive: true, force: true });
  }
});

test("a port that cannot be used is a ListenError", async () => {
  await using server = await TestServer.start({ users: ["luke"] });
  const taken = { listen: { host: "127.0.0.1", port: server.port } };
  const failure = await connect({ ...login(server, "luke"), privateChats: taken }).catch((error) => error);
  expect(failure).toBeInstanceOf(ListenError);
  expect(failure.code).toBe("EADDRINUSE");
});

test.each(["127.0.0.1:33535", { host: "127.0.0.1", port: "33535" }, { port: 33535 }, null])(
  "listen: %j is a TypeError before any call to the server",
  async (listen) => {
    const nowhere = { address: "127.0.0.1:1", trust: { kind: "plaintext" } } as const;
    const options = { privateChats: { listen }, login: { username: "luke", password: "any" } };
    // As from JavaScript, which has no types.
    const connecting = connect({ ...nowhere, ...options } as unknown as ConnectOptions);
    await expect(connecting).rejects.toThrow(TypeError);
    await expect(connecting).rejects.toThrow("privateChats.listen must be { host, port }");
  },
);

test("private chats with a token are a TypeError", async () => {
  await using server = await TestServer.start({ users: ["luke"] });
  const connecting = connect({ ...login(server, "luke"), login: { token: "anything" } });
  await expect(connecting).rejects.toThrow(TypeError);
});
