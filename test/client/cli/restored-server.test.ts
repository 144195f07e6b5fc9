// The programs of a user after the data of the server was restored from a backup, under a new id.
import { expect, it } from "vitest";
import { PrivateUser } from "../../private/private-user.ts";
import { restartRestored } from "../../support/restored.ts";
import { TestServer } from "../../support/server.ts";
import { Person } from "./private-people.ts";

it("the chat goes on, and private chats with it", async () => {
  // A stream that learns the new id is closed. Without the grace period its user would count as offline then.
  await using server = await TestServer.start({ users: ["luke", "yoda"], presenceGraceMs: 10_000 });
  await using lukes = await Person.at(server, "luke", "--plaintext");
  await using yoda = await PrivateUser.logIn(server.port, "yoda");
  const luke = lukes.start("chat", "--plain", "--private-answer", "accept");
  await luke.prints("Logged in as luke");
  await restartRestored(server);
  await yoda.liveAgain();
  await expect.poll(() => yoda.chats.start("luke", { direct: false }).then(() => true, String)).toBe(true);
  const { keyCheck } = await yoda.next("opened");
  expect(keyCheck.problem).toBeUndefined();
  yoda.chats.send("luke", "are you there?");
  await luke.prints("yoda (private): are you there?");
  luke.say("/quit");
  const run = await luke.ended;
  expect(run).toMatchObject({ code: 0 });
  // The new id is stored, so a later program does not start anew.
  expect(await lukes.home.run("verify", "yoda")).toMatchObject({ code: 0 });
});

it("a pipe that starts after the restore opens its chat", async () => {
  await using server = await TestServer.start({ users: ["luke", "yoda"], presenceGraceMs: 10_000 });
  await using lukes = await Person.at(server, "luke", "--plaintext");
  await using yoda = await PrivateUser.logIn(server.port, "yoda");
  await restartRestored(server);
  await yoda.liveAgain();
  const luke = lukes.start("private", "yoda");
  luke.child.stdin.end("hi\n");
  await yoda.next("requested");
  await yoda.chats.answer("luke", "accept");
  expect((await yoda.next("opened")).keyCheck.problem).toBeUndefined();
  expect(await luke.ended).toMatchObject({ code: 0 });
});

it("a command without a stream names the command that repairs it", async () => {
  await using server = await TestServer.start({ users: ["luke", "yoda"] });
  await using lukes = await Person.at(server, "luke", "--plaintext");
  await using _yoda = await PrivateUser.logIn(server.port, "yoda");
  await restartRestored(server);
  const refused = await lukes.home.run("verify", "yoda");
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  const address = `127.0.0.1:${server.port}`;
  expect(refused.stderr).toContain(`Start the chat once, or run: parley login luke --server ${address}`);
  await lukes.home.logIn("luke", server);
  expect(await lukes.home.run("verify", "yoda")).toMatchObject({ code: 0 });
});

it("a chat at a server where only the stream names another id goes on without private chats", async () => {
  const ids: string[] = [];
  await using server = await TestServer.start({
    users: ["luke", "yoda"],
    // The rules of keys read the id at the start, each stream reads it when it opens.
    wrapStore: (store) =>
      new Proxy(store, {
        get: (target, name) => {
          if (name === "serverId" && ids[0] !== undefined) return ids[0];
          const value: unknown = Reflect.get(target, name, target);
          return typeof value === "function" ? (value.bind(target) as unknown) : value;
        },
      }),
  });
  await using lukes = await Person.at(server, "luke", "--plaintext");
  ids.push("another");
  const luke = lukes.start("chat", "--plain");
  await luke.prints("Logged in as luke");
  luke.say("/whoelse", "/private", "/quit");
  const run = await luke.ended;
  expect(`${run.stdout}${run.stderr}`).not.toContain("Something failed");
  expect(run).toMatchObject({ code: 0 });
});
