// The fields of the contract that contain secrets, by name: recordings leave them out, and command lines may not have them.
import type { DescField } from "@bufbuild/protobuf";

/**
 * The contract has no option for this: `debug_redact` is unknown to compilers before protoc 22, and an option of its own
 * would add a file to the code of every client. A test compares the names with the comments of the protos.
 */
const SECRET: ReadonlySet<string> = new Set([
  "bot_token",
  "device_secret",
  "invite",
  "new_password",
  "old_password",
  "password",
  "reset",
  "secret",
  "token",
]);

export function isSecret(field: DescField): boolean {
  return field.message === undefined && SECRET.has(field.name);
}
