// The schema at run time: the descriptors of everything in proto/, with their comments.
import { readFileSync } from "node:fs";
import { createFileRegistry, type DescMessage, type FileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { packageFile } from "../../../command-line/package-files.ts";

let registry: FileRegistry | undefined;

export function schema(): FileRegistry {
  registry ??= readRegistry("gen/parley.binpb");
  return registry;
}

/** @throws Error if the schema has no such message */
export function messageOf(typeName: string): DescMessage {
  const found = schema().getMessage(typeName);
  if (found === undefined) throw new Error(`The schema has no message ${typeName}.`);
  return found;
}

/** Reads a FileDescriptorSet that ships with the program. @param path from the package's folder */
export function readRegistry(path: string): FileRegistry {
  return createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(packageFile(path))));
}
