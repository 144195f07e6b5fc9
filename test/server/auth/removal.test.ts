// Users remove their own accounts and devices: what ends, what stays, and which passwords and ids are refused.
import { expect, test } from "vitest";
import type { TestClient } from "../../support/client.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { passwordOf, TestServer } from "../../support/server.ts";

const deleteAccount = (client: TestClient, password: string) =>
  client.unary(client.auth, client.auth.deleteAccount, { password });
const removeDevice = (client: TestClient, deviceId: string) =>
  client.unary(client.auth, client.auth.removeDevice, { deviceId });
const list = (client: TestClient, pageSize = 0, pageToken = "") =>
  client.unary(client.auth, client.auth.listDevices, { pageSize, pageToken });
const deviceOf = (client: TestClient): string => client.grant?.device?.deviceId ?? "";
const isActive = (client: TestClient) => client.unary(client.chat, client.chat.reportActivity, {});

test("a deleted account ends all sessions and streams, its messages stay, and its name is not given again", async () => {
  await using server = await TestServer.start({ users: ["leia", "han"], signUp: "open" });
  const leia = await server.logIn("leia");
  const phone = await server.logIn("leia");
  const han = await server.logIn("han");
  using onPhone = await phone.connect().caughtUp();
  using atHan = await han.connect().caughtUp();
  await leia.send("han", "goodbye");
  await deleteAccount(leia, passwordOf("leia"));
  expect(await onPhone.ended).toMatchObject({ reason: "SESSION_ENDED" });
  for (const client of [leia, phone])
    await expect(isActive(client)).rejects.toMatchObject({ reason: "TOKEN_INVALID" });
  await expect(server.logIn("leia")).rejects.toMatchObject({ reason: "CREDENTIALS_WRONG" });
  expect(await han.textsWith("leia")).toEqual(["goodbye"]);
  await expect(han.send("leia", "wait")).rejects.toMatchObject({ reason: "USER_NOT_FOUND" });
  const names = () =>
    atHan.all("presenceChanged").flatMap((one) => one.wentOffline.map((user) => user.username));
  while (!names().includes("leia")) await atHan.change();
  const again = { username: "leia", password: "another password", invite: "", client: undefined };
  const stranger = server.anonymous();
  await expect(stranger.unary(stranger.auth, stranger.auth.signUp, again)).rejects.toMatchObject({
    reason: "USERNAME_TAKEN",
  });
});

test("an account is not deleted with a wrong password, which counts like a failed log-in of the device", async () => {
  await using server = await TestServer.start({ users: ["leia"] });
  const leia = await server.logIn("leia");
  await expect(deleteAccount(leia, "")).rejects.toMatchObject({ reason: "INVALID_FIELD", field: "password" });
  for (let count = 0; count < 2; count++) {
    await expect(deleteAccount(leia, "wrong")).rejects.toMatchObject({
      reason: "CREDENTIALS_WRONG",
      field: "password",
    });
  }
  await expect(deleteAccount(leia, "wrong")).rejects.toMatchObject({ reason: "ACCOUNT_LOCKED" });
  await expect(deleteAccount(leia, passwordOf("leia"))).rejects.toMatchObject({ reason: "ACCOUNT_LOCKED" });
  await isActive(leia);
});

test("devices are listed with their sessions, the newest first, in pages", async () => {
  const start = Date.UTC(2026, 0, 1);
  const clock = new ManualClock(start);
  await using server = await TestServer.start({
    users: ["leia", "han"],
    clock,
    sessionLifetimeMs: 86_400_000,
  });
  const first = await server.logIn("leia");
  clock.advance(3_600_000);
  const second = await server.logIn("leia");
  await server.logIn("leia", second.grant?.device && { ...second.grant.device });
  await server.logIn("han");
  await first.logOut();
  const { devices, nextPageToken } = await list(second);
  expect(nextPageToken).toBe("");
  expect(devices).toMatchObject([
    {
      deviceId: deviceOf(second),
      createTime: new Date(start + 3_600_000),
      lastUsedTime: new Date(start + 3_600_000),
      sessions: 2,
      hasCertificate: false,
      current: true,
    },
    {
      deviceId: deviceOf(first),
      createTime: new Date(start),
      lastUsedTime: undefined,
      sessions: 0,
      current: false,
    },
  ]);
  const page = await list(second, 1);
  expect(page.devices).toEqual(devices.slice(0, 1));
  expect((await list(second, 1, page.nextPageToken)).devices).toEqual(devices.slice(1));
});

test("a removed device loses its sessions and cannot log in; the others go on", async () => {
  await using server = await TestServer.start({ users: ["leia", "han"] });
  const leia = await server.logIn("leia");
  const phone = await server.logIn("leia");
  const device = phone.grant?.device;
  using onPhone = await phone.connect().caughtUp();
  const ack = await phone.send("han", "from the phone");
  expect(await removeDevice(leia, deviceOf(phone))).toEqual({ endedSessions: 1 });
  expect(await onPhone.ended).toMatchObject({ reason: "SESSION_ENDED" });
  await expect(isActive(phone)).rejects.toMatchObject({ reason: "TOKEN_INVALID" });
  await expect(server.logIn("leia", device)).rejects.toMatchObject({ reason: "DEVICE_INVALID" });
  expect((await list(leia)).devices.map(({ deviceId }) => deviceId)).toEqual([deviceOf(leia)]);
  expect(ack.seq).toBe(1n);
  expect(await leia.textsWith("han")).toEqual(["from the phone"]);
  // The calling device may be removed as well.
  expect(await removeDevice(leia, deviceOf(leia))).toEqual({ endedSessions: 1 });
  await expect(isActive(leia)).rejects.toMatchObject({ reason: "TOKEN_INVALID" });
});

test("only an own device can be removed", async () => {
  await using server = await TestServer.start({ users: ["leia", "han"] });
  const leia = await server.logIn("leia");
  const han = await server.logIn("han");
  for (const id of [deviceOf(han), "d999", "x", ""]) {
    await expect(removeDevice(leia, id)).rejects.toMatchObject({
      reason: "DEVICE_NOT_FOUND",
      field: "device_id",
    });
  }
  await isActive(han);
});
