// A text from a server or another user cannot add lines to the output of a command.
import { Server, ServerCredentials, status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { logInLine } from "../../../client/cli/log/show-log-ins.ts";
import { AuthServiceService, LogInOutcome, LogInRecord } from "../../../gen/parley/chat/v1/auth_service.ts";
import { RpcError, toStatus } from "../../../rpc/status/status.ts";
import { Home } from "./parley.ts";

const forged = "desk\r\n2026-11-30 10:00:00  logged in  from 10.0.0.1\u2028\u0085\u202e\x1b[2J";
const breaks = /[\n\r\u0085\u2028\u2029\u202e\x1b]/;

test("a program cannot forge lines of the record of log-ins by its name, version or device name", () => {
  const client = { name: forged, version: forged, deviceName: forged };
  const record = {
    outcome: LogInOutcome.LOGGED_IN,
    username: forged,
    address: forged,
    deviceId: forged,
    client,
  };
  expect(logInLine({ ...LogInRecord.decode(new Uint8Array()), ...record }, true).plain).not.toMatch(breaks);
});

test("a server cannot add lines by the message of a refusal, nor by its reason", async () => {
  const refusal = new RpcError({ code: status.PERMISSION_DENIED, reason: forged, message: forged });
  const server = new Server();
  const refuse = (_call: unknown, answer: (error: object) => void): void => answer(toStatus(refusal));
  server.addService(AuthServiceService, { logIn: refuse });
  const port = await new Promise<number>((resolve) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (_error, bound) => resolve(bound));
  });
  await using home = await Home.make();
  const flags = ["--password-stdin", "--plaintext", "--server", `127.0.0.1:${port}`];
  const { code, stderr } = await home.pipe("a password\n", "login", "yoda", ...flags);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^desk.*\n$/);
  expect(stderr.trimEnd()).not.toMatch(breaks);
  server.forceShutdown();
});
