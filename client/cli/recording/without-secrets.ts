// Removes the fields that contain secrets, because users pass recordings on.
import type { DescMessage } from "@bufbuild/protobuf";
import { isSecret } from "../process/secret-fields.ts";
import { rewrite } from "./walk.ts";

/** Returns the message without its secrets; the same bytes if no secret is set. */
export function withoutSecrets(desc: DescMessage, bytes: Uint8Array): Uint8Array {
  return rewrite(desc, bytes, (message, field) => {
    if (!isSecret(field)) return false;
    message.clear(field);
    return true;
  });
}
