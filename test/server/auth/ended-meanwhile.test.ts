// What a call may still change when its session, or the rights of its user, end while the server hashes a password.
import { expect, test } from "vitest";
import { Passwords } from "../../../server/auth/passwords.ts";
import { CHEAP } from "../../support/cheap-passwords.ts";
import { reasonOf, type TestClient } from "../../support/client.ts";
import { passwordOf, TestServer } from "../../support/server.ts";

const NEW = "a password to remember";

/** Passwords whose next hash or check, after `hold`, waits until it is released. */
class HeldPasswords extends Passwords {
  #held: { readonly reached: () => void; readonly released: Promise<void> } | undefined;

  constructor() {
    super({ cost: CHEAP });
  }

  /** `reached` resolves when a call waits. */
  hold(): { reached: Promise<void>; release: () => void } {
    const reached = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    this.#held = { reached: reached.resolve, released: released.promise };
    return { reached: reached.promise, release: released.resolve };
  }

  override async hash(...args: Parameters<Passwords["hash"]>): Promise<string> {
    await this.#wait();
    return super.hash(...args);
  }

  override async verify(...args: Parameters<Passwords["verify"]>): Promise<boolean> {
    await this.#wait();
    return super.verify(...args);
  }

  async #wait(): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    held?.reached();
    await held?.released;
  }
}

const changePassword = (client: TestClient) =>
  client.unary(client.auth, client.auth.changePassword, {
    oldPassword: passwordOf("yoda"),
    newPassword: NEW,
  });

const deleteAccount = (client: TestClient) =>
  client.unary(client.auth, client.auth.deleteAccount, { password: passwordOf("yoda") });

const disable = (leia: TestClient, username: string) =>
  leia.unary(leia.admin, leia.admin.setDisabled, { username, disabled: true });

const demote = (leia: TestClient, username: string) =>
  leia.unary(leia.admin, leia.admin.setAdministrator, { username, administrator: false });

async function start() {
  const passwords = new HeldPasswords();
  const server = await TestServer.start({ users: ["yoda", "leia", "han"], passwords });
  for (const name of ["leia", "han"]) await server.store.accounts.setAdministrator(name, true);
  return { server, passwords, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

test.each([
  ["password change", changePassword],
  ["removal of the account", deleteAccount],
])("a session that is revoked in the middle of a %s changes nothing", async (_what, call) => {
  await using fixture = await start();
  const { server, passwords } = fixture;
  const [thief, owner] = [await server.logIn("yoda"), await server.logIn("yoda")];
  const { reached, release } = passwords.hold();
  const reason = reasonOf(call(thief));
  await reached;
  const sessionId = thief.grant?.sessionId ?? "";
  await owner.unary(owner.auth, owner.auth.revokeSession, { sessionId });
  release();
  expect(await reason).toBe("TOKEN_INVALID");
  expect(await owner.whoelse()).toEqual([]);
  await server.logIn("yoda");
});

test.each([
  ["password change", changePassword],
  ["removal of the account", deleteAccount],
])("a user who is disabled in the middle of a %s changes nothing", async (_what, call) => {
  await using fixture = await start();
  const { server, passwords } = fixture;
  const [yoda, leia] = [await server.logIn("yoda"), await server.logIn("leia")];
  const { reached, release } = passwords.hold();
  const reason = reasonOf(call(yoda));
  await reached;
  await disable(leia, "yoda");
  release();
  expect(await reason).toBe("TOKEN_INVALID");
  expect(await reasonOf(server.logIn("yoda"))).toBe("ACCOUNT_DISABLED");
});

test.each([
  ["demoted", demote],
  ["disabled", disable],
])("an administrator who is %s in the middle of AddUser adds nobody", async (_what, end) => {
  await using fixture = await start();
  const { server, passwords } = fixture;
  const [han, leia] = [await server.logIn("han"), await server.logIn("leia")];
  const { reached, release } = passwords.hold();
  const request = { username: "rey", password: NEW, bot: false };
  const reason = reasonOf(han.unary(han.admin, han.admin.addUser, request));
  await reached;
  await end(leia, "han");
  release();
  expect(await reason).toBe("ADMINISTRATORS_ONLY");
  expect(await server.store.accounts.userByName("rey")).toBeUndefined();
});
