// parley admin: manages the users and invites of the server, for its administrators.
import { closest } from "../../../command-line/closest.ts";
import type { UsageError } from "../../../command-line/usage-error.ts";
import { AdminCalls } from "../../link/server/admin-calls.ts";
import { withAccount } from "../account/with-account.ts";
import { adminFlags } from "../admin/admin-call.ts";
import { inviteActions } from "../admin/invite-actions.ts";
import { recordActions } from "../admin/record-actions.ts";
import { userActions } from "../admin/user-actions.ts";
import { defineCommand } from "../command/command.ts";
import { usage } from "../process/exit.ts";

const actions = [...userActions, ...inviteActions, ...recordActions];

export const command = defineCommand({
  forms: actions.map(({ name, subject }) => `${name} ${subject}`.trim()),
  words: { least: 1, most: 3 },
  flags: adminFlags,
  about: [
    "Only for administrators, whom the server's operator makes with parley-server user promote. Each change is in the " +
      "record that actions prints.",
    "user reset prints a link with which a user sets a new password, once and within 24 hours; for a bot it prints a new " +
      "token. user disable refuses log-ins and ends all sessions. invite revoke takes an id that invite list prints.",
  ],
  json: "the response of AdminService, or one message for each item of a list: Account, Session, Invite, LogInRecord, AdminAction.",
  examples: ["user reset yoda", "invite create --uses 5", "logins yoda -n 20"],
  run: async (call) => {
    const { words } = call;
    const given = words.join(" ");
    const action = actions.find(({ name }) => given === name || given.startsWith(`${name} `));
    if (action === undefined) throw notAnAction(words);
    const rest = words.slice(action.name.split(" ").length);
    const most = action.subject === "" ? 0 : 1;
    const least = action.subject === "[NAME]" ? 0 : most;
    if (rest.length < least || rest.length > most) {
      throw usage(`Usage: admin ${action.name} ${action.subject}`.trim());
    }
    const [subject = ""] = rest;
    await withAccount(call, "changes", (signedIn) => {
      const calls = new AdminCalls(signedIn.endpoint, signedIn.token);
      return action.run({ call, calls, signedIn, subject });
    });
    return undefined;
  },
});

function notAnAction([group = "", word]: readonly string[]): UsageError {
  const inGroup = actions.flatMap(({ name }) =>
    name.startsWith(`${group} `) ? [name.slice(group.length + 1)] : [],
  );
  const names = inGroup.length > 0 ? inGroup : actions.map(({ name }) => name);
  const of = inGroup.length > 0 ? ` of ${group}` : "";
  const list = `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
  if (of !== "" && word === undefined) return usage(`Name an action${of}: one of ${list}.`);
  const given = of === "" ? group : (word ?? "");
  const meant = closest(given, names);
  const hint =
    meant === undefined
      ? `The actions${of} are ${list}.`
      : `Did you mean ${of === "" ? meant : `${group} ${meant}`}?`;
  return usage(`"${given}" is not an action${of}. ${hint}`);
}
