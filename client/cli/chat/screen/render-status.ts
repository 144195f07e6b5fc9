// Renders the prompt, the status line below it, and the window title.
import type { LinkState } from "../../../link/model/events.ts";
import { safeName } from "../../terminal/text/safe-text.ts";
import { line, type Styled, styled } from "../../terminal/text/style.ts";
import type { ChatStatus } from "../model/chat-status.ts";
import { nameOf, samePlace } from "../model/place.ts";
import { placeName, privateMark } from "./render.ts";

const MARKS = { stored: "sent", delivered: "delivered", read: "read" } as const;

export function promptOf({ openPlace, peer }: ChatStatus): Styled {
  if (openPlace?.kind === "private") {
    return line`${placeName(openPlace)} ${privateMark(`(private, ${peer?.path ?? "waiting"})`)}> `;
  }
  return openPlace === undefined ? styled("parley> ", { bold: true }) : line`${placeName(openPlace)}> `;
}

/** The parts of the status line, the most important first; a narrow window drops the last ones. */
export function statusOf(status: ChatStatus, now: Date): Styled[] {
  const { connection, openPlace, peer, online, unanswered, heldBack, unread } = status;
  const parts: Styled[] = [];
  const state = connectionWords(connection, now);
  if (state !== undefined) {
    // In one part, because a narrow window shows only the first one.
    const waiting = unanswered > 0 ? `${unanswered} waiting, ` : "";
    parts.push(styled(waiting + state, { colour: "yellow" }));
  }
  if (connection.phase === "waiting") parts.push(styled("Enter: now", { colour: "yellow" }));
  if (state === undefined && peer?.mark !== undefined) parts.push(dim(`last: ${MARKS[peer.mark]}`));
  if (heldBack > 0) parts.push(styled(`${heldBack} in the outbox: /outbox`, { colour: "yellow" }));
  const others = unread.filter(({ place }) => !samePlace(place, openPlace));
  if (others.length > 0) {
    const shown = others.slice(0, 3).map(({ place, count, isCut }) => {
      // The list may have a conversation and a private chat with the same user.
      const mark = place.kind === "private" ? " (private)" : "";
      return `${safeName(nameOf(place))}${mark} ${count}${isCut === true ? "+" : ""}`;
    });
    const more = others.length > 3 ? ", …" : "";
    parts.push(styled(`unread: ${shown.join(", ")}${more} (Alt-a)`, { bold: true }));
  }
  if (state === undefined && peer !== undefined && openPlace !== undefined) {
    const name = safeName(nameOf(openPlace));
    if (peer.typing) parts.push(styled(`${name} is typing…`, { italic: true }));
    else parts.push(dim(`${name} is ${peer.online ? "online" : "offline"}`));
  } else if (state === undefined) parts.push(dim(onlineWords(online)));
  return parts;
}

export function titleOf({ openPlace, unseen }: ChatStatus): string {
  const count = unseen > 0 ? `(${unseen}) ` : "";
  return `${count}parley${openPlace === undefined ? "" : ` – ${safeName(nameOf(openPlace))}`}`;
}

function onlineWords(others: number): string {
  if (others === 0) return "no others online";
  return others === 1 ? "1 other online" : `${others} others online`;
}

function connectionWords(state: LinkState, now: Date): string | undefined {
  switch (state.phase) {
    case "connecting":
      return state.attempt > 1 ? "reconnecting…" : "connecting…";
    case "catching-up":
      return "catching up…";
    case "waiting": {
      const seconds = Math.ceil((state.retryTime.getTime() - now.getTime()) / 1000);
      return seconds > 0 ? `reconnecting in ${seconds} s` : "reconnecting…";
    }
    case "live":
    case "ended":
      return undefined;
  }
}

function dim(text: string): Styled {
  return styled(text, { dim: true });
}
