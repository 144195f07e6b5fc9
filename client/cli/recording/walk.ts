// Visits the fields of a message that is known only by its descriptor.
import { type DescField, type DescMessage, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";

/**
 * Visits each field that is set, parents first. Returns the message with the changes of `visit`, or the same bytes if
 * there are none.
 * @param visit returns true if it changed something
 */
export function rewrite(
  desc: DescMessage,
  bytes: Uint8Array,
  visit: (message: ReflectMessage, field: DescField) => boolean,
): Uint8Array {
  const message = fromBinary(desc, bytes);
  return walk(reflect(desc, message), visit) ? toBinary(desc, message) : bytes;
}

function walk(
  message: ReflectMessage,
  visit: (message: ReflectMessage, field: DescField) => boolean,
): boolean {
  let changed = false;
  for (const field of message.fields) {
    if (!message.isSet(field)) continue;
    if (visit(message, field)) changed = true;
    if (!message.isSet(field)) continue;
    for (const held of messagesIn(message, field)) if (walk(held, visit)) changed = true;
  }
  return changed;
}

function messagesIn(message: ReflectMessage, field: DescField): Iterable<ReflectMessage> {
  if (field.message === undefined) return [];
  const value: unknown = message.get(field);
  switch (field.fieldKind) {
    case "message":
      return [value as ReflectMessage];
    case "list":
      return value as Iterable<ReflectMessage>;
    case "map":
      return (value as ReadonlyMap<unknown, ReflectMessage>).values();
    default:
      return [];
  }
}
