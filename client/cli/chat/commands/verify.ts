// /verify USER: shows the code that two users compare to detect an attacker between them.
import { usage } from "../../process/exit.ts";
import { type ChatCommand, usageOf, usernameOf, words } from "../command/chat-command.ts";

const flags: ReadonlyMap<string, "confirm" | "accept"> = new Map([
  ["--confirm", "confirm"],
  ["--accept", "accept"],
] as const);

export const verify: ChatCommand = {
  name: "verify",
  isLocal: true,
  usage: "USER",
  summary: "show the code that proves who a user is",
  details: [
    "Both of you see the same code unless an attacker is in between: compare it in person or in a call.",
    "/verify USER --confirm: the codes are the same. From then on a private chat with any other key is stopped.",
    "/verify USER --accept: accept a changed key without comparing.",
  ],
  async run(chat, rest) {
    const [username, flag] = words(verify, rest, 2);
    if (username === undefined) throw usageOf(verify);
    const what = flag === undefined ? "show" : flags.get(flag);
    if (what === undefined) throw usage("Usage: /verify USER, or with --confirm or --accept");
    await chat.privates.verify(usernameOf(username), what);
  },
};
