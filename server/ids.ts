// Ids on the wire: a letter for the kind, followed by the store's number. Clients treat them as opaque.

export type IdKind = "user" | "device" | "session" | "conversation";

const letters: Record<IdKind, string> = { user: "u", device: "d", session: "s", conversation: "c" };

export function formatId(kind: IdKind, id: number): string {
  return letters[kind] + id;
}

/** The number of an id of this kind; undefined for a text that formatId does not return. */
export function parseId(kind: IdKind, text: string): number | undefined {
  if (text[0] !== letters[kind] || !/^[1-9][0-9]{0,15}$/.test(text.slice(1))) return undefined;
  const id = Number(text.slice(1));
  return Number.isSafeInteger(id) ? id : undefined;
}
