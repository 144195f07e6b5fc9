// --direct, --relay and --always, as the commands of private chats take them.
import type { PathChoice } from "../private-link.ts";
import { type ChatCommand, usageOf } from "./command.ts";

export interface PathFlags {
  readonly path: PathChoice | undefined;
  readonly always: boolean;
}

/** @throws CommandError where a word is none of them, or both paths are named */
export function pathOf(command: Pick<ChatCommand, "name" | "usage">, flags: readonly string[]): PathFlags {
  const isDirect = flags.includes("--direct");
  const isRelay = flags.includes("--relay");
  const isKnown = flags.every((flag) => ["--direct", "--relay", "--always"].includes(flag));
  if (!isKnown || (isDirect && isRelay)) throw usageOf(command);
  return {
    path: isDirect ? "direct" : isRelay ? "relay" : undefined,
    always: flags.includes("--always"),
  };
}
