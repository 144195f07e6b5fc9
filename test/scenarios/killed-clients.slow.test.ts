// Scenarios of clients in separate processes that are killed, or stopped so that they answer nothing.
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { textOf } from "../support/client.ts";
import { TestServer } from "../support/server.ts";
import { startClientProcess } from "./client-process.ts";
import { connectUser } from "./connect-user.ts";
import { presenceEventsOf, waitUntilOffline, waitUntilOnline } from "./presence-events.ts";
import { transports } from "./transports.ts";

const people = ["hans", "yoda", "vader", "leia"];

describe.each(transports)("through $name", ({ online, onlineThroughProxy, isConnect }) => {
  test.each(["SIGKILL", "SIGINT", "SIGHUP"] as const)(
    "a client that ends by %s goes offline",
    async (signal) => {
      await using server = await TestServer.start({ users: people, presenceGraceMs: 0 });
      const { stream: hans, client } = await online(server, "hans");
      const child = await startClientProcess(server, "yoda", isConnect);
      await waitUntilOnline(hans, "yoda");
      child.kill(signal);
      await waitUntilOffline(hans, "yoda");
      expect(await client.whoelse()).toEqual([]);
      expect(presenceEventsOf(hans, "yoda")).toEqual(["online", "offline"]);
    },
  );

  // A ping detects a dead connection only after tens of seconds.
  test("a user whose connection is closed goes offline without waiting for a ping", async () => {
    await using server = await TestServer.start({ users: people, presenceGraceMs: 0 });
    const { stream: hans } = await online(server, "hans");
    const { client, proxy } = await onlineThroughProxy(server, "yoda");
    using _client = client;
    await waitUntilOnline(hans, "yoda");
    const start = performance.now();
    proxy[Symbol.dispose]();
    await waitUntilOffline(hans, "yoda");
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  test("a sender stays online and can send to a user who is still listed after the client was killed", async () => {
    await using server = await TestServer.start({ users: people, presenceGraceMs: 3_600_000 });
    const hans = await online(server, "hans");
    const leia = await online(server, "leia");
    const child = await startClientProcess(server, "yoda", isConnect);
    await waitUntilOnline(hans.stream, "yoda");
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(await hans.client.whoelse()).toEqual(["leia", "yoda"]);
    for (const text of ["one", "two"]) {
      await hans.send("yoda", text);
    }
    expect(await leia.client.whoelse()).toEqual(["hans", "yoda"]);
    await leia.send("hans", "you are still here");
    // A Follow stream also delivers the user's own messages.
    await hans.stream.next("entryAppended", (appended) => textOf(appended) === "you are still here");
    const back = await online(server, "yoda");
    expect(back.stream.all("entryAppended").map(textOf)).toEqual(["one", "two"]);
  });
});

test("a user whose network answers nothing goes offline within 45 s", {
  timeout: 60_000,
}, async () => {
  await using server = await TestServer.start({ users: people, presenceGraceMs: 0 });
  const { stream: hans } = await connectUser(server, "hans");
  const child = await startClientProcess(server, "yoda");
  await waitUntilOnline(hans, "yoda");
  // The sockets stay open and answer nothing, as when a cable is pulled.
  child.kill("SIGSTOP");
  const start = performance.now();
  await waitUntilOffline(hans, "yoda");
  expect(performance.now() - start).toBeLessThan(45_000);
});
