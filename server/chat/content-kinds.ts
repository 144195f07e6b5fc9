// The kinds of content that this server knows, and the rules of each. Other kinds are refused, so that nothing is stored today
// that a later version would understand otherwise.
import type { Content } from "../../gen/parley/chat/v1/entry.ts";
import { Reason } from "../../gen/parley/chat/v1/reason.ts";
import { Refusal } from "../reasons.ts";

type Kind = NonNullable<Content["kind"]>;
type Of<C extends Kind["$case"]> = Extract<Kind, { $case: C }>["value"];

interface Rules<V> {
  /** The number of the field in Content. It is stored with the entry. */
  readonly number: number;
  /** Whether an entry of this kind makes a conversation unread. */
  readonly countsAsUnread: boolean;
  /** Every member of a conversation may write every kind of this version, and none refers to another entry. */
  readonly check: (value: V) => void;
}

const kinds: { readonly [C in Kind["$case"]]: Rules<Of<C>> } = {
  text: {
    number: 1,
    countsAsUnread: true,
    check: (text) => {
      if (text === "") throw new Refusal(Reason.CONTENT_EMPTY, { field: "content.text" });
      if (!text.includes("\0")) return;
      throw new Refusal(Reason.INVALID_FIELD, {
        field: "content.text",
        message: "A text must not contain NUL.",
      });
    },
  },
};

/**
 * Checks a content that is not empty, and returns the number of its kind.
 * @throws Refusal CONTENT_KIND_UNKNOWN, CONTENT_EMPTY, INVALID_FIELD
 */
export function checkKind(content: Content | undefined): number {
  const kind = content?.kind;
  if (kind === undefined) throw new Refusal(Reason.CONTENT_KIND_UNKNOWN, { field: "content" });
  const { number, check } = kinds[kind.$case];
  check(kind.value);
  return number;
}
