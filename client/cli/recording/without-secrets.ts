// Removes the fields that the schema marks as secret, because users pass recordings on.
import type { DescMessage } from "@bufbuild/protobuf";
import { rewrite } from "./walk.ts";

/** Returns the message without its secrets; the same bytes if no secret is set. */
export function withoutSecrets(desc: DescMessage, bytes: Uint8Array): Uint8Array {
  return rewrite(desc, bytes, (message, field) => {
    if (field.proto.options?.debugRedact !== true) return false;
    message.clear(field);
    return true;
  });
}
