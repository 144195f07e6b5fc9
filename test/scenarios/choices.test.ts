// Scenarios of what a new user may choose: a password that is not guessed first, and a name that does not mislead.
import { expect, test } from "vitest";
import type { RpcError } from "../../rpc/status/status.ts";
import { skeleton } from "../../server/auth/username.ts";
import { cheapPasswords } from "../support/cheap-passwords.ts";
import { TestServer } from "../support/server.ts";

/** The refusal of a call. */
function refusal(call: Promise<unknown>): Promise<RpcError> {
  return call.then(
    () => {
      throw new Error("the call was not refused");
    },
    (error: RpcError) => error,
  );
}

test.each(["password", "12345678", "yoda2024"])(
  "the password %s is refused wherever a user chooses one",
  async (password) => {
    await using server = await TestServer.start({ users: ["hans"], signUp: "open" });
    const yoda = server.anonymous();
    const { grant } = await yoda.unary(yoda.auth, yoda.auth.signUp, {
      username: "yoda",
      password: "a long password",
      invite: "",
      client: undefined,
    });
    yoda.grant = grant;
    await server.store.accounts.setAdministrator("hans", true);
    const hans = await server.logIn("hans");
    const { result } = await hans.unary(hans.admin, hans.admin.resetUser, { username: "yoda" });
    const reset = result?.$case === "passwordReset" ? result.value.reset : "";
    const stranger = server.anonymous();
    const client = undefined;

    const refusals = await Promise.all([
      refusal(
        stranger.unary(stranger.auth, stranger.auth.signUp, {
          username: "yoda2",
          password,
          invite: "",
          client,
        }),
      ),
      refusal(
        yoda.unary(yoda.auth, yoda.auth.changePassword, {
          oldPassword: "a long password",
          newPassword: password,
        }),
      ),
      refusal(
        stranger.unary(stranger.auth, stranger.auth.resetPassword, { reset, newPassword: password, client }),
      ),
      refusal(hans.unary(hans.admin, hans.admin.addUser, { username: "yoda2", password, bot: false })),
    ]);
    expect(refusals.map(({ reason, field }) => [reason, field])).toEqual([
      ["PASSWORD_INVALID", "password"],
      ["PASSWORD_INVALID", "new_password"],
      ["PASSWORD_INVALID", "new_password"],
      ["PASSWORD_INVALID", "password"],
    ]);
    for (const { message } of refusals) expect(message).toMatch(/Choose another/);
  },
);

test("users with names and passwords that are refused today can log in", async () => {
  await using server = await TestServer.start({ users: ["admin", "$(reboot)", "p\u0430ypal"] });
  for (const username of ["admin", "$(reboot)", "p\u0430ypal"]) await server.logIn(username);
  const passwordHash = await cheapPasswords().hash("password");
  const user = { username: "yoda", skeleton: skeleton("yoda"), passwordHash, time: 1 };
  await server.store.accounts.importUsers([user]);
  await server.anonymous().logIn("yoda", "password");
});

test("names that mislead are refused at sign-up, with a sentence that says what to do", async () => {
  await using server = await TestServer.start({ users: [], signUp: "open" });
  const caller = server.anonymous();
  for (const username of [
    "admin",
    "root",
    "support",
    "$(reboot)",
    "a&b",
    "yoda!!",
    "@alice",
    "p\u0430ypal",
  ]) {
    const request = { username, password: "a long password", invite: "", client: undefined };
    const { reason, field, message } = await refusal(caller.unary(caller.auth, caller.auth.signUp, request));
    expect([reason, field]).toEqual(["USERNAME_INVALID", "username"]);
    expect(message).toMatch(/reserved|consists of letters|cannot mix/);
  }
});
