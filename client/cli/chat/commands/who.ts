// /who [SINCE]: lists the users who are online, or were within a time.

import { parseDuration } from "../../../../command-line/durations.ts";
import type { UserPresence } from "../../../../gen/parley/chat/v1/directory_service.ts";
import { type ChatCommand, words } from "../command/chat-command.ts";

export const who: ChatCommand = {
  name: "who",
  usage: "[SINCE]",
  summary: "list who is or was online: /who 10m, /who 2h, /who 7d",
  details: ["A number without a unit is in seconds."],
  async run(chat, rest) {
    const [since] = words(who, rest, 1);
    const wanted = since === undefined ? {} : { onlineWithinMs: parseDuration(since) };
    const users: { name: string; remark: string }[] = [];
    for await (const presence of chat.link.account.listUsers(wanted)) {
      users.push({
        name: presence.user?.username ?? "",
        remark: remark(presence, new Date(chat.clock.now())),
      });
    }
    const heading = since === undefined ? "Other users online" : `Other users online within ${since}`;
    if (users.length > 0) chat.show({ kind: "heading", text: heading });
    chat.show({ kind: "users", users });
  },
};

function remark({ online, lastOnlineTime, bot }: UserPresence, now: Date): string {
  const kind = bot ? "bot, " : "";
  if (online || lastOnlineTime === undefined) return online ? `${kind}online` : kind.slice(0, -2);
  return `${kind}last online ${ago(now.getTime() - lastOnlineTime.getTime())}`;
}

function ago(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return "a moment ago";
  if (minutes < 120) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} hours ago` : `${Math.floor(hours / 24)} days ago`;
}
