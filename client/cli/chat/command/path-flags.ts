// The flags --direct, --relay and --always of the commands for private chats.

import type { PathChoice } from "../../private/settings.ts";
import { usage } from "../../process/exit.ts";
import type { ChatCommand } from "./chat-command.ts";

export interface PathFlags {
  readonly path: PathChoice | undefined;
  readonly always: boolean;
}

/** @throws CommandError if a word is none of them, or both paths are named */
export function pathOf(
  command: Pick<ChatCommand, "name">,
  flags: readonly string[],
  takesAlways = false,
): PathFlags {
  const isDirect = flags.includes("--direct");
  const isRelay = flags.includes("--relay");
  const isKnown = flags.every(
    (flag) => (takesAlways && flag === "--always") || ["--direct", "--relay"].includes(flag),
  );
  if (!isKnown || (isDirect && isRelay))
    throw usage(
      `Usage: /${command.name} USER, with --direct or --relay${takesAlways ? ", or --always" : ""}`,
    );
  return {
    path: isDirect ? "direct" : isRelay ? "relay" : undefined,
    always: flags.includes("--always"),
  };
}
