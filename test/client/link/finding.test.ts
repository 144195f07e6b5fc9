// The calls of the SDK that find servers, users, conversations and devices.
import { expect, test } from "vitest";
import { Account, logIn } from "../../../client/link/server/account.ts";
import { Endpoint } from "../../../client/link/server/endpoint.ts";
import { serverInfo } from "../../../client/link/server/server-info.ts";
import { SignUpMode } from "../../../gen/parley/chat/v1/server_service.ts";
import { passwordOf, TestServer } from "../../support/server.ts";

test("a server, a user, a conversation and a device are found, and the account is deleted", async () => {
  await using server = await TestServer.start({ users: ["leia", "Han", "hans"] });
  await using endpoint = new Endpoint({ address: `127.0.0.1:${server.port}`, trust: { kind: "plaintext" } });
  expect(await serverInfo(endpoint)).toMatchObject({
    serverId: server.store.serverId,
    signUp: SignUpMode.INVITE,
  });
  const grant = await logIn(endpoint, { username: "leia", password: passwordOf("leia") });
  const account = new Account(endpoint, grant.token);
  expect(await account.getUser("Han")).toMatchObject({ user: { username: "Han" }, online: false });
  const found: string[] = [];
  for await (const { username } of account.searchUsers("HA")) found.push(username);
  expect(found).toEqual(["Han", "hans"]);
  const target = { kind: "user", username: "Han" } as const;
  expect(await account.getConversation(target)).toBeUndefined();
  const leia = await server.logIn("leia");
  const before = new Date();
  await leia.send("Han", "hello");
  expect(await account.getConversation(target)).toMatchObject({ headSeq: 1n, peer: { username: "Han" } });
  const texts: unknown[] = [];
  const range = {
    fromTime: new Date(before.getTime() - 60_000),
    toTime: new Date(before.getTime() + 60_000),
  };
  for await (const { items } of account.listMessages(target, range)) texts.push(...items);
  expect(texts).toHaveLength(1);
  const devices: string[] = [];
  for await (const { deviceId } of account.listDevices()) devices.push(deviceId);
  expect(devices).toHaveLength(2);
  expect(await account.removeDevice(devices[0] ?? "")).toBe(1);
  await account.deleteAccount(passwordOf("leia"));
  await expect(account.getUser("Han")).rejects.toMatchObject({ reason: "TOKEN_INVALID" });
});
