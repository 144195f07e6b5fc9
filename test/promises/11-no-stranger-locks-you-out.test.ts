// Promise 11: a stranger cannot lock a user out of that user's own known devices.
import { expect, test } from "vitest";
import type { DeviceKey } from "../../gen/parley/chat/v1/auth_service.ts";
import { passwordOf, TestServer } from "../support/server.ts";

type Caller = ReturnType<TestServer["anonymous"]>;

function attempt(caller: Caller, password: string, device?: DeviceKey): Promise<string> {
  const request = { username: "yoda", password, device, client: undefined };
  return caller.unary(caller.auth, caller.auth.logIn, request).then(
    () => "logged in",
    (error: { reason: string }) => error.reason,
  );
}

test("strangers lock a name for strangers, and never for a device that its user has logged in on", async () => {
  await using server = await TestServer.start({ users: ["yoda"] });
  const own = await server.logIn("yoda");
  const device = own.grant?.device;
  const stranger = server.anonymous();
  const guesses = [];
  for (let i = 0; i < 5; i++) guesses.push(await attempt(stranger, `guess ${i}`));
  expect(guesses).toEqual([
    "CREDENTIALS_WRONG",
    "CREDENTIALS_WRONG",
    "ACCOUNT_LOCKED",
    "ACCOUNT_LOCKED",
    "ACCOUNT_LOCKED",
  ]);
  expect(await attempt(stranger, passwordOf("yoda"))).toBe("ACCOUNT_LOCKED");
  expect(await attempt(server.anonymous(), passwordOf("yoda"), device)).toBe("logged in");
  // Nor does the owner's log-in give the strangers new guesses.
  expect(await attempt(stranger, passwordOf("yoda"))).toBe("ACCOUNT_LOCKED");
});

test("a made up device is a stranger's, and a known one that fails three times locks itself alone", async () => {
  await using server = await TestServer.start({ users: ["yoda"] });
  const mine = (await server.logIn("yoda")).grant?.device;
  const other = (await server.logIn("yoda")).grant?.device;
  const made = { deviceId: mine?.deviceId ?? "", deviceSecret: "made up" };
  const caller = server.anonymous();
  for (let i = 0; i < 3; i++) await attempt(caller, "guess", made);
  expect(await attempt(caller, passwordOf("yoda"), made)).toBe("ACCOUNT_LOCKED");
  for (let i = 0; i < 2; i++) expect(await attempt(caller, "guess", mine)).toBe("CREDENTIALS_WRONG");
  expect(await attempt(caller, "guess", mine)).toBe("ACCOUNT_LOCKED");
  expect(await attempt(caller, passwordOf("yoda"), mine)).toBe("ACCOUNT_LOCKED");
  expect(await attempt(caller, passwordOf("yoda"), other)).toBe("logged in");
});

test("where the operator chose the original's strict lock, it locks every device", async () => {
  await using server = await TestServer.start({ users: ["yoda"], lock: "strict" });
  const device = (await server.logIn("yoda")).grant?.device;
  const stranger = server.anonymous();
  for (let i = 0; i < 3; i++) await attempt(stranger, "guess");
  expect(await attempt(stranger, passwordOf("yoda"), device)).toBe("ACCOUNT_LOCKED");
});
