// /verify USER: the code that two people compare, to know that nobody is in between.
import { usage } from "../../process/exit.ts";
import { type ChatCommand, usageOf, usernameOf, words } from "../command/chat-command.ts";

const flags = { "--confirm": "confirm", "--accept": "accept" } as const;

export const verify: ChatCommand = {
  name: "verify",
  isLocal: true,
  usage: "USER",
  summary: "the code by which two people know each other",
  details: [
    "The code is the same at both ends if nobody is in between: compare it face to face or over a call.",
    "/verify USER --confirm says that it is: from then on a chat with any other key is stopped.",
    "/verify USER --accept takes a changed key without a comparison.",
  ],
  async run(chat, rest) {
    const [username, flag] = words(verify, rest, 2);
    if (username === undefined) throw usageOf(verify);
    const what = flag === undefined ? "show" : flags[flag as keyof typeof flags];
    if (what === undefined) throw usage("usage: /verify USER, or with --confirm or --accept");
    await chat.privates.verify(usernameOf(username), what);
  },
};
