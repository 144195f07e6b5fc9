// The kinds of content that this server knows. The number of a kind is that of its field in Content; it is stored with the
// entry.
import type { Content } from "../../gen/parley/chat/v1/entry.ts";

type Kind = NonNullable<Content["kind"]>["$case"];

const numbers: Readonly<Record<Kind, number>> = { text: 1 };

/** The number of the content's kind; 0 if this server does not know it. */
export function kindOf(content: Content | undefined): number {
  const kind = content?.kind?.$case;
  return kind === undefined ? 0 : numbers[kind];
}
