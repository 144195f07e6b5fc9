// Ids on the wire: a letter for what they name, and the store's number. Opaque to clients, easy on a person who debugs.

export type IdKind = "user" | "device" | "session" | "conversation";

const letters: Record<IdKind, string> = { user: "u", device: "d", session: "s", conversation: "c" };

export function formatId(kind: IdKind, id: number): string {
  return letters[kind] + id;
}

/** The number behind an id of this kind; undefined for anything that formatId never gave. */
export function parseId(kind: IdKind, text: string): number | undefined {
  if (text[0] !== letters[kind] || !/^[1-9][0-9]{0,15}$/.test(text.slice(1))) return undefined;
  const id = Number(text.slice(1));
  return Number.isSafeInteger(id) ? id : undefined;
}
