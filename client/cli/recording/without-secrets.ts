// Takes out of a message what the schema marks as secret: a recording is made to be handed on.
import type { DescMessage } from "@bufbuild/protobuf";
import { rewrite } from "./walk.ts";

/** The same bytes where nothing secret is set. */
export function withoutSecrets(desc: DescMessage, bytes: Uint8Array): Uint8Array {
  return rewrite(desc, bytes, (message, field) => {
    if (field.proto.options?.debugRedact !== true) return false;
    message.clear(field);
    return true;
  });
}
