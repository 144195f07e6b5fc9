// parley private: a private chat in a pipe. It sends the lines of standard input, and prints the peer's lines.
import { parseWait } from "../../../command-line/durations.ts";
import type { Flag } from "../../../command-line/flags.ts";
import { Ending } from "../../../gen/parley/peer/v1/peer_service.ts";
import { accountFlags } from "../command/account-flags.ts";
import { defineCommand } from "../command/command.ts";
import { admitsOf, keepFlag, keyFlags, peerPortFlag, scriptPathFlag } from "../private/flags.ts";
import { PipeChat } from "../private/pipe-chat.ts";
import { withPrivateChats } from "../private/run-with-chats.ts";

const wait: Flag<number> = {
  value: "TIME",
  help: "How long to wait until USER is online and accepts private chats, and to repeat a request that fails because USER left. Default: 0s.",
  read: parseWait,
};

export const command = defineCommand({
  forms: ["USER"],
  words: { least: 1, most: 1 },
  flags: {
    wait,
    "private-path": scriptPathFlag,
    "keep-private": keepFlag,
    "peer-port": peerPortFlag,
    ...keyFlags,
    ...accountFlags,
  },
  about: [
    "Requests a private chat with USER, or accepts a request of USER. Then it sends each line of standard input, and " +
      "prints each line of the peer. The lines go from device to device, or through the server, which cannot read them.",
    "Two shells talk if each names the other user, one with --wait. The command ends with exit code 0 when both inputs " +
      "have ended and all lines have arrived. The input of a person, in the chat or at a terminal, counts as ended when " +
      "the other input has. SIGINT, SIGTERM and /stopprivate end the chat immediately. The exit code is 1 if a line was " +
      "not sent or is not known to have arrived, and if the command ends before the chat is open. No line is empty: a " +
      "blank line is sent as a space. For a server with an idle time-out, each sent line is activity.",
  ],
  json: "Line of parley.peer.v1, one for each line of the peer.",
  examples: ["yoda", "yoda --wait 1m --json", "yoda --private-path direct < letter.txt"],
  run: async (call) => {
    const [username = ""] = call.words;
    const { values, environment } = call;
    const path = values["private-path"] ?? "auto";
    const port = values["peer-port"] ?? 0;
    const direct = path === "direct";
    const keep = values["keep-private"] === true;
    // A person at this terminal could keep typing after the peer's input has ended, so the chat does not wait for that.
    const allowHalfOpen = !environment.stdin.isTTY;
    const wanted = { path, port, allowHalfOpen, admits: admitsOf(values), canAsk: false };
    return withPrivateChats(call, wanted, Ending.STOPPED, (run) =>
      new PipeChat(call, run, { username, direct, keep, waitMs: values.wait ?? 0 }).run(),
    );
  },
});
