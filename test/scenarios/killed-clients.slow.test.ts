// Scenarios of clients in processes of their own that are killed, or stopped so that their network falls silent.
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { textOf } from "../support/client.ts";
import { TestServer } from "../support/server.ts";
import { elsewhere } from "./elsewhere.ts";
import { online } from "./online.ts";
import { comes, goes, toldOf } from "./presence-seen.ts";
import { transports } from "./transports.ts";

const people = ["hans", "yoda", "vader", "leia"];

describe.each(transports)("through $name", ({ here, isConnect }) => {
  test.each(["SIGKILL", "SIGINT", "SIGHUP"] as const)(
    "a client that ends by %s goes offline",
    async (signal) => {
      await using server = await TestServer.start({ users: people, presenceGraceMs: 0 });
      const { stream: hans, client } = await here(server, "hans");
      const child = await elsewhere(server, "yoda", isConnect);
      await comes(hans, "yoda");
      child.kill(signal);
      await goes(hans, "yoda");
      expect(await client.whoelse()).toEqual([]);
      expect(toldOf(hans, "yoda")).toEqual(["in", "out"]);
    },
  );

  test("a sender stays online and can write to a recipient whose killed client is still listed", async () => {
    await using server = await TestServer.start({ users: people, presenceGraceMs: 3_600_000 });
    const hans = await here(server, "hans");
    const leia = await here(server, "leia");
    const child = await elsewhere(server, "yoda", isConnect);
    await comes(hans.stream, "yoda");
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(await hans.client.whoelse()).toEqual(["leia", "yoda"]);
    for (const text of ["one", "two"]) {
      await hans.send("yoda", text);
    }
    expect(await leia.client.whoelse()).toEqual(["hans", "yoda"]);
    await leia.send("hans", "you are still here");
    // A Follow stream also delivers the user's own messages.
    await hans.stream.next("entryAppended", (one) => textOf(one) === "you are still here");
    const back = await here(server, "yoda");
    expect(back.stream.all("entryAppended").map(textOf)).toEqual(["one", "two"]);
  });
});

test("a user on a network that falls silent goes offline within 45 s", {
  timeout: 60_000,
}, async () => {
  await using server = await TestServer.start({ users: people, presenceGraceMs: 0 });
  const { stream: hans } = await online(server, "hans");
  const child = await elsewhere(server, "yoda");
  await comes(hans, "yoda");
  // Its sockets stay open and answer nothing, as when a cable is pulled.
  child.kill("SIGSTOP");
  const start = performance.now();
  await goes(hans, "yoda");
  expect(performance.now() - start).toBeLessThan(45_000);
});
