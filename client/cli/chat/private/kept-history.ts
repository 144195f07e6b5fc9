// /history --private: the lines of private chats that are kept on this device.

import type { PrivateSettings } from "../../private/settings.ts";
import { refuse } from "../command/chat-command.ts";
import type { DisplayItem } from "../model/display-item.ts";
import { privately } from "../model/place.ts";

/**
 * The last `count` kept lines with that user, those of earlier runs included.
 * @throws CommandError if there are none and this run keeps none
 */
export function keptHistory(
  { lines, kept: store = lines }: Pick<PrivateSettings, "lines" | "kept">,
  me: string,
  username: string,
  count: number,
): DisplayItem[] {
  const last = store?.last(username, count) ?? [];
  if (last.length === 0 && lines === undefined) {
    throw refuse("Lines of private chats are not kept. Start parley with --keep-private to keep them.");
  }
  if (last.length === 0) {
    return [{ kind: "answer", lines: [`No lines of private chats with ${username} are kept yet.`] }];
  }
  const place = privately(username);
  const items = last.map(
    ({ mine, time, text }): DisplayItem => ({
      kind: "message",
      time,
      from: mine ? me : username,
      mine,
      place,
      content: { kind: "text", text },
      here: true,
      waiting: false,
      echo: false,
      whole: true,
    }),
  );
  return [{ kind: "history-heading", place }, ...items];
}
