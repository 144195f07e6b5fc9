// The table of the chat's commands, which parsing, help and completion read.

import type { ChatCommand } from "../command/chat-command.ts";
import { accept, refuseChat } from "./accept.ts";
import { block, blocks, unblock } from "./block.ts";
import { broadcast } from "./broadcast.ts";
import { close } from "./close.ts";
import { help } from "./help.ts";
import { history } from "./history.ts";
import { logout, quit, quitForGood } from "./leave.ts";
import { logins } from "./logins.ts";
import { message } from "./message.ts";
import { open } from "./open.ts";
import { outbox } from "./outbox.ts";
import { privateTo, startprivate, stopprivate } from "./private.ts";
import { retry } from "./retry.ts";
import { verify } from "./verify.ts";
import { who } from "./who.ts";
import { whoelse, whoelsesince } from "./whoelse.ts";

/** In the order in which /help lists them. */
export const chatCommands: readonly ChatCommand[] = [
  open,
  close,
  message,
  broadcast,
  who,
  whoelse,
  whoelsesince,
  history,
  startprivate,
  privateTo,
  stopprivate,
  accept,
  refuseChat,
  verify,
  block,
  unblock,
  blocks,
  logins,
  outbox,
  retry,
  help,
  quit,
  logout,
];

/** @param logsOut every way to leave logs out */
export function commandsOf(logsOut: boolean): readonly ChatCommand[] {
  return logsOut ? chatCommands.map((command) => (command === quit ? quitForGood : command)) : chatCommands;
}
