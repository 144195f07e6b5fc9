// Scenarios of user names: a name is found however it was typed, in every field of a request that names a user.
import type { DescMessage } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { readRegistry } from "../../client/cli/process/schema.ts";
import { fromServiceError } from "../../rpc/status/status.ts";
import { reasonOf, type TestClient } from "../support/client.ts";
import { passwordOf, TestServer } from "../support/server.ts";
import { logInDevice } from "./introduction-calls.ts";

/** A call that names a user. Resolves to its reason, or "" if it succeeded. */
type Call = (client: TestClient, server: TestServer, name: string) => Promise<string>;

const target = (value: string) => ({ target: { $case: "username" as const, value } });
const content = { kind: { $case: "text" as const, value: "hello" } };
const typing = { typing: true };

/** A call of an administrator. */
function asAdmin(act: (client: TestClient, username: string) => Promise<unknown>): Call {
  return async (client, server, name) => {
    await server.store.accounts.setAdministrator("hans", true);
    return reasonOf(act(client, name));
  };
}

const firstPage = { pageSize: 0, pageToken: "" };

/** One call for each field of a request that contains a user name. */
const fields: Record<string, Call> = {
  "AdminService.AddUser username": asAdmin((client, username) =>
    client.unary(client.admin, client.admin.addUser, { username, password: "long enough 1", bot: false }),
  ),
  "AdminService.EndUserSessions username": asAdmin((client, username) =>
    client.unary(client.admin, client.admin.endUserSessions, { username }),
  ),
  "AdminService.ListUserSessions username": asAdmin((client, username) =>
    client.unary(client.admin, client.admin.listUserSessions, { username, ...firstPage }),
  ),
  "AdminService.RemoveUser username": asAdmin((client, username) =>
    client.unary(client.admin, client.admin.removeUser, { username }),
  ),
  "AdminService.ResetUser username": asAdmin((client, username) =>
    client.unary(client.admin, client.admin.resetUser, { username }),
  ),
  "AdminService.SetAdministrator username": asAdmin((client, username) =>
    client.unary(client.admin, client.admin.setAdministrator, { username, administrator: true }),
  ),
  "AdminService.SetDisabled username": asAdmin((client, username) =>
    client.unary(client.admin, client.admin.setDisabled, { username, disabled: true }),
  ),
  "AdminService.UnlockUser username": asAdmin((client, username) =>
    client.unary(client.admin, client.admin.unlockUser, { username }),
  ),
  "AuthService.ListLogIns username": async (client, server, name) => {
    await server.store.accounts.setAdministrator("hans", true);
    await reasonOf(server.anonymous().logIn("Zoë", "not it"));
    const { auth } = client;
    const { logIns } = await client.unary(auth, auth.listLogIns, {
      username: name,
      allUsers: false,
      ...firstPage,
    });
    return logIns.length > 0 ? "" : "USER_NOT_FOUND";
  },
  "AuthService.LogIn username": (_client, server, name) =>
    reasonOf(server.anonymous().logIn(name, passwordOf("Zoë"))),
  "AuthService.SignUp username": (client, _server, name) => {
    const request = { username: name, password: "long enough 1", invite: "", client: undefined };
    return reasonOf(client.unary(client.auth, client.auth.signUp, request));
  },
  "BlockService.BlockUser username": (client, _server, name) => reasonOf(client.block(name)),
  "BlockService.UnblockUser username": async (client, _server, name) => {
    await client.block("Zoë");
    return reasonOf(client.unblock(name));
  },
  "ChatService.SendMessage target.username": (client, _server, name) => reasonOf(client.send(name, "hello")),
  "ChatService.SetTyping target.username": (client, _server, name) =>
    reasonOf(client.unary(client.chat, client.chat.setTyping, { target: target(name), ...typing })),
  "ChatService.Connect commands.send_message.target.username": async (client, _server, name) => {
    const stream = await client.connect().caughtUp();
    stream.write({
      kind: {
        $case: "sendMessage",
        value: { clientMessageId: client.nextId(), target: target(name), content },
      },
    });
    const ack = await stream.next("ack");
    return ack.seq > 0n ? "" : "no ack";
  },
  "ChatService.Connect commands.set_typing.target.username": async (client, _server, name) => {
    const stream = await client.connect().caughtUp();
    stream.write({ kind: { $case: "setTyping", value: { target: target(name), ...typing } } });
    stream.write({
      kind: {
        $case: "sendMessage",
        value: { clientMessageId: client.nextId(), target: target("Zoë"), content },
      },
    });
    await stream.next("ack");
    return stream.events.some((event) => event.kind?.$case === "refused") ? "refused" : "";
  },
  "DirectoryService.GetUser username": (client, _server, name) => {
    const request = { user: { $case: "username" as const, value: name }, background: false };
    return reasonOf(client.unary(client.directory, client.directory.getUser, request));
  },
  "DirectoryService.SearchUsers prefix": async (client, _server, name) => {
    const request = { prefix: name, pageSize: 0, pageToken: "", background: false };
    const { users } = await client.unary(client.directory, client.directory.searchUsers, request);
    return users.some(({ username }) => username === "Zoë") ? "" : "USER_NOT_FOUND";
  },
  "HistoryService.GetConversation target.username": (client, _server, name) =>
    reasonOf(
      client.unary(client.history, client.history.getConversation, {
        target: target(name),
        background: false,
      }),
    ),
  "HistoryService.ListMessages target.username": (client, _server, name) => reasonOf(client.textsWith(name)),
  "IdentityService.GetIdentity username": (client, _server, name) =>
    reasonOf(client.unary(client.identity, client.identity.getIdentity, { username: name })),
  "IntroductionService.Introduce username": (client, _server, name) =>
    new Promise((resolve) => {
      const request = { username: name, direct: false, addresses: undefined, processId: "" };
      client.introduction
        .introduce(request, client.metadata)
        .on("data", () => undefined)
        .on("error", (error) => resolve(String(fromServiceError(error).reason)));
    }),
  "IntroductionService.GetPrivateChat username": (client, _server, name) =>
    reasonOf(client.unary(client.introduction, client.introduction.getPrivateChat, { username: name })),
};

/** The names of fields that contain a user name, or the beginning of one. */
const NAMES = ["username", "prefix"];

/** The paths of the fields below a message that contain a user name. */
function namePaths(message: DescMessage, above: readonly DescMessage[] = []): string[] {
  if (above.includes(message)) return [];
  return message.fields.flatMap((field) => {
    if (field.fieldKind === "scalar" && NAMES.includes(field.name)) return [field.name];
    const below = field.fieldKind === "map" ? undefined : field.message;
    return below === undefined
      ? []
      : namePaths(below, [...above, message]).map((path) => `${field.name}.${path}`);
  });
}

test("every field of a request that contains a user name has a call below", () => {
  const found: string[] = [];
  for (const type of readRegistry("gen/parley.binpb")) {
    if (type.kind !== "service" || !type.typeName.startsWith("parley.chat.v1.")) continue;
    for (const method of type.methods)
      found.push(...namePaths(method.input).map((path) => `${type.name}.${method.name} ${path}`));
  }
  expect(found.sort()).toEqual(Object.keys(fields).sort());
});

const spellings = { decomposed: "Zoe\u0308", "full-width": "\uff3a\uff4f\u00eb" };

test.each(Object.entries(fields))("%s: a name is found however it was typed", async (_name, call) => {
  const answers: Record<string, string> = {};
  for (const [spelling, name] of Object.entries({ stored: "Zoë", ...spellings })) {
    await using server = await TestServer.start({ users: ["Zoë", "hans"], signUp: "open" });
    answers[spelling] = await call(await logInDevice(server, "hans"), server, name);
  }
  expect(["USER_NOT_FOUND", "CREDENTIALS_WRONG"]).not.toContain(answers.stored);
  expect(answers).toEqual({
    stored: answers.stored,
    decomposed: answers.stored,
    "full-width": answers.stored,
  });
});

test("wrong passwords for different spellings of a name are counted together", async () => {
  await using server = await TestServer.start({ users: ["Zoë"] });
  const reasons = [];
  for (const name of ["Zoë", ...Object.values(spellings)])
    reasons.push(await reasonOf(server.anonymous().logIn(name, "not it")));
  expect(reasons).toEqual(["CREDENTIALS_WRONG", "CREDENTIALS_WRONG", "ACCOUNT_LOCKED"]);
});
