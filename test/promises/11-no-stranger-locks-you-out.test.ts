// Promise 11: wrong passwords of others do not lock a user out on known devices.
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

test("wrong passwords of an unknown device lock the name for unknown devices, but not for a known device of the user", async () => {
  await using server = await TestServer.start({ users: ["yoda"] });
  const own = await server.logIn("yoda");
  const device = own.grant?.device;
  const caller = server.anonymous();
  const guesses = [];
  for (let i = 0; i < 5; i++) guesses.push(await attempt(caller, `guess ${i}`));
  expect(guesses).toEqual([
    "CREDENTIALS_WRONG",
    "CREDENTIALS_WRONG",
    "ACCOUNT_LOCKED",
    "ACCOUNT_LOCKED",
    "ACCOUNT_LOCKED",
  ]);
  expect(await attempt(caller, passwordOf("yoda"))).toBe("ACCOUNT_LOCKED");
  expect(await attempt(server.anonymous(), passwordOf("yoda"), device)).toBe("logged in");
  // The log-in of the user does not allow the unknown device new guesses.
  expect(await attempt(caller, passwordOf("yoda"))).toBe("ACCOUNT_LOCKED");
});

test("a device with a wrong secret counts as unknown, and a known device that fails three times locks only itself", async () => {
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

test("the strict lock locks every device", async () => {
  await using server = await TestServer.start({ users: ["yoda"], lock: "strict" });
  const device = (await server.logIn("yoda")).grant?.device;
  const caller = server.anonymous();
  for (let i = 0; i < 3; i++) await attempt(caller, "guess");
  expect(await attempt(caller, passwordOf("yoda"), device)).toBe("ACCOUNT_LOCKED");
});
