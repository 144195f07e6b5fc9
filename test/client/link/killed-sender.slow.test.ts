// A process that is killed while it sends leaves its unsent messages to the next process.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { logIn } from "../../../client/link/server/account.ts";
import { Endpoint } from "../../../client/link/server/endpoint.ts";
import { passwordOf, TestServer } from "../../support/server.ts";
import { newFolder, openState } from "../state/fixture.ts";
import { open } from "./fixture.ts";

test("after a process was killed while it sent, the next one sends the rest, and each message is stored once", async () => {
  await using server = await TestServer.start({ users: ["hans", "yoda"] });
  const address = `127.0.0.1:${server.port}`;
  using folder = newFolder();
  using state = openState(folder.path);
  state.servers.remember(address, { kind: "plaintext" });
  await using endpoint = new Endpoint({ address, trust: { kind: "plaintext" } });
  const grant = await logIn(endpoint, { username: "hans", password: passwordOf("hans") });
  const { profile } = state.profiles.loggedIn(address, grant);

  const script = new URL("./sending-process.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [script, folder.path, address], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const queued: string[] = [];
  let acked = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const [what, id = ""] = line.split(" ");
    if (what === "queued") queued.push(id);
    else if (what === "acked") acked++;
    else throw new Error(line);
    // After some acks the server stops; the process queues more messages and is killed.
    if (acked === 20) await server.stop();
    if (acked >= 20 && queued.length === acked + 50) child.kill("SIGKILL");
  }
  if (child.signalCode === null) await once(child, "exit");
  expect(state.unsent(profile.profileId).length).toBeGreaterThan(40);

  await server.start();
  await using client = open(
    { address },
    {
      token: profile.session?.token ?? "",
      queue: state.sendQueue(profile.profileId),
      serverId: profile.serverId,
    },
  );
  await client.link.settled();
  expect(state.unsent(profile.profileId)).toEqual([]);
  const texts: string[] = [];
  for await (const page of client.link.account.listMessages({ kind: "user", username: "yoda" })) {
    for (const { item } of page.items) {
      if (item?.$case === "entry") texts.push(item.value.content?.kind?.value ?? "");
    }
  }
  expect(texts.slice(0, queued.length)).toEqual(queued.map((_, n) => `message ${n + 1}`));
  expect(new Set(texts).size).toBe(texts.length);
});
