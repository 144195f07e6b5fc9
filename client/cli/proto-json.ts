// Canonical Protobuf-JSON: the schema's own descriptors decide, since ts-proto's toJSON differs for durations and names.
import { createFileRegistry, type FileRegistry, fromBinary, toJsonString } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { readPackageFile } from "./package-file.ts";

let registry: FileRegistry | undefined;

/** One line of JSON for an encoded message of the named type, such as "parley.chat.v1.Ack". */
export function protoJson(typeName: string, bytes: Uint8Array): string {
  registry ??= createFileRegistry(fromBinary(FileDescriptorSetSchema, readPackageFile("gen/parley.binpb")));
  const schema = registry.getMessage(typeName);
  if (schema === undefined) throw new Error(`The schema has no message ${typeName}.`);
  return toJsonString(schema, fromBinary(schema, bytes), { registry });
}
