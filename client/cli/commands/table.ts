// The table of commands, in the order of the help. The module of a command is loaded when it runs.
import type { Command } from "../command/command.ts";

export const groups = ["Talk", "Look", "People", "Account", "Programs"] as const;

export interface CommandRow {
  readonly name: string;
  readonly group: (typeof groups)[number];
  /** One sentence for the overview. */
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: Command }>;
}

export const commands: readonly CommandRow[] = [
  {
    name: "chat",
    group: "Talk",
    summary: "Start the chat, on this terminal or in a pipe.",
    load: () => import("./chat.ts"),
  },
  { name: "send", group: "Talk", summary: "Send a message to a user.", load: () => import("./send.ts") },
  { name: "message", group: "Talk", summary: "The same as send.", load: () => import("./send.ts") },
  {
    name: "broadcast",
    group: "Talk",
    summary: "Send a message to all users online.",
    load: () => import("./broadcast.ts"),
  },
  {
    name: "ask",
    group: "Talk",
    summary: "Send a message to a user, and print the answer.",
    load: () => import("./ask.ts"),
  },
  {
    name: "private",
    group: "Talk",
    summary: "Chat privately with a user, through a pipe.",
    load: () => import("./private.ts"),
  },
  {
    name: "listen",
    group: "Talk",
    summary: "Accept private chats, and print their lines.",
    load: () => import("./listen.ts"),
  },
  {
    name: "outbox",
    group: "Talk",
    summary: "List, send or drop what the chat could not send.",
    load: () => import("./outbox.ts"),
  },
  { name: "tail", group: "Look", summary: "Print messages as they arrive.", load: () => import("./tail.ts") },
  {
    name: "history",
    group: "Look",
    summary: "Print the messages of a conversation.",
    load: () => import("./history.ts"),
  },
  {
    name: "who",
    group: "Look",
    summary: "List the users who are or were online.",
    load: () => import("./who.ts"),
  },
  {
    name: "whoelse",
    group: "Look",
    summary: "List the names of the other users online.",
    load: () => import("./whoelse.ts"),
  },
  {
    name: "whoelsesince",
    group: "Look",
    summary: "List who was online within a number of seconds.",
    load: () => import("./whoelsesince.ts"),
  },
  { name: "block", group: "People", summary: "Block a user.", load: () => import("./block.ts") },
  { name: "unblock", group: "People", summary: "Remove a block.", load: () => import("./unblock.ts") },
  {
    name: "blocks",
    group: "People",
    summary: "List the users that you have blocked.",
    load: () => import("./blocks.ts"),
  },
  {
    name: "verify",
    group: "People",
    summary: "Check that a key belongs to a user.",
    load: () => import("./verify.ts"),
  },
  {
    name: "devices",
    group: "Account",
    summary: "List, link and remove your devices.",
    load: () => import("./devices.ts"),
  },
  { name: "login", group: "Account", summary: "Log in as a user.", load: () => import("./login.ts") },
  {
    name: "join",
    group: "Account",
    summary: "Sign up with an invite link.",
    load: () => import("./join.ts"),
  },
  {
    name: "signup",
    group: "Account",
    summary: "Sign up at a server, with an invite code.",
    load: () => import("./signup.ts"),
  },
  {
    name: "logout",
    group: "Account",
    summary: "End the session of this device.",
    load: () => import("./logout.ts"),
  },
  {
    name: "account",
    group: "Account",
    summary: "Delete the account.",
    load: () => import("./account.ts"),
  },
  { name: "passwd", group: "Account", summary: "Change the password.", load: () => import("./passwd.ts") },
  {
    name: "sessions",
    group: "Account",
    summary: "List the user's sessions.",
    load: () => import("./sessions.ts"),
  },
  {
    name: "logins",
    group: "Account",
    summary: "List log-ins and refused attempts.",
    load: () => import("./logins.ts"),
  },
  {
    name: "revoke",
    group: "Account",
    summary: "End one of the user's sessions.",
    load: () => import("./revoke.ts"),
  },
  {
    name: "whoami",
    group: "Account",
    summary: "Print the user who is logged in.",
    load: () => import("./whoami.ts"),
  },
  {
    name: "token",
    group: "Account",
    summary: "Print the session's token, for other programs.",
    load: () => import("./token.ts"),
  },
  {
    name: "admin",
    group: "Account",
    summary: "Manage users and invites, for administrators.",
    load: () => import("./admin.ts"),
  },
  {
    name: "rpc",
    group: "Programs",
    summary: "Call any method of the contract, with JSON.",
    load: () => import("./rpc.ts"),
  },
  {
    name: "record",
    group: "Programs",
    summary: "Write a stream to a file.",
    load: () => import("./record.ts"),
  },
  {
    name: "replay",
    group: "Programs",
    summary: "Send a recording again, and compare the answers.",
    load: () => import("./replay.ts"),
  },
];
