// Private chats by the SDK: two programs connect, one asks, the other says yes in its loop, and they talk.
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

/** Reads the link, as every program has to; resolves when it is live. */
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
  throw new Error(`no ${type} came`);
}

test("two programs talk, and the one that remembers knows the other again", async () => {
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
      const asked = await next(atYoda, "requested");
      expect([asked.username, asked.keyCheck.standing]).toEqual(["luke", standing]);
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

test("where it cannot listen it says why, by an error that programs can tell", async () => {
  await using server = await TestServer.start({ users: ["luke"] });
  const taken = { listen: { host: "127.0.0.1", port: server.port } };
  const failure = await connect({ ...login(server, "luke"), privateChats: taken }).catch((error) => error);
  expect(failure).toBeInstanceOf(ListenError);
  expect(failure.code).toBe("EADDRINUSE");
});

test.each(["127.0.0.1:33535", { host: "127.0.0.1", port: "33535" }, { port: 33535 }, null])(
  "%j is no place to listen at, and nothing is asked of the server for it",
  async (listen) => {
    const nowhere = { address: "127.0.0.1:1", trust: { kind: "plaintext" } } as const;
    const asked = { privateChats: { listen }, login: { username: "luke", password: "any" } };
    // As JavaScript would, which has no types.
    const connecting = connect({ ...nowhere, ...asked } as unknown as ConnectOptions);
    await expect(connecting).rejects.toThrow(TypeError);
    await expect(connecting).rejects.toThrow("privateChats.listen has to be { host, port }");
  },
);

test("a token alone does not say whose device it is", async () => {
  await using server = await TestServer.start({ users: ["luke"] });
  const connecting = connect({ ...login(server, "luke"), login: { token: "anything" } });
  await expect(connecting).rejects.toThrow(TypeError);
});
