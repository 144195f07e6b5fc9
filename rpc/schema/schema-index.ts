// Finds the encoded schema files for server reflection, by file name and by symbol.
import {
  createFileRegistry,
  type DescFile,
  type DescMessage,
  fromBinary,
  toBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

export class SchemaIndex {
  readonly #files = new Map<string, DescFile>();
  readonly #symbols = new Map<string, DescFile>();
  readonly #messages = new Set<string>();
  readonly #encoded = new Map<DescFile, Uint8Array>();
  readonly #withImportsOf = new Map<DescFile, readonly Uint8Array[]>();

  /** @param images encoded FileDescriptorSets, each with all its imports */
  constructor(images: readonly Uint8Array[]) {
    for (const image of images) {
      const { files } = createFileRegistry(fromBinary(FileDescriptorSetSchema, image));
      for (const file of files) this.#addFile(file);
    }
  }

  /** The file with this path, followed by all its imports, each as an encoded FileDescriptorProto. */
  file(name: string): readonly Uint8Array[] | undefined {
    return this.#withImports(this.#files.get(`${name.replace(/\.proto$/, "")}`));
  }

  /**
   * Like `file`, for the file that defines a service, method, message, field, enum or enum value with this
   * fully-qualified name.
   */
  fileOf(symbol: string): readonly Uint8Array[] | undefined {
    return this.#withImports(this.#symbols.get(symbol));
  }

  /** Whether there is a message with this fully-qualified name. */
  hasMessage(name: string): boolean {
    return this.#messages.has(name);
  }

  #addFile(file: DescFile): void {
    if (this.#files.has(file.name)) return;
    this.#files.set(file.name, file);
    const add = (symbol: string): unknown => this.#symbols.set(symbol, file);
    for (const message of file.messages) this.#addMessage(message, add);
    for (const one of file.enums) {
      add(one.typeName);
      // Enum values are in the scope that contains their enum.
      const scope = one.typeName.slice(0, one.typeName.lastIndexOf(".") + 1);
      for (const value of one.values) add(scope + value.name);
    }
    for (const extension of file.extensions) add(extension.typeName);
    for (const service of file.services) {
      add(service.typeName);
      for (const method of service.methods) add(`${service.typeName}.${method.name}`);
    }
  }

  #addMessage(message: DescMessage, add: (symbol: string) => void): void {
    this.#messages.add(message.typeName);
    add(message.typeName);
    for (const field of message.fields) add(`${message.typeName}.${field.name}`);
    for (const oneof of message.oneofs) add(`${message.typeName}.${oneof.name}`);
    for (const nested of message.nestedMessages) this.#addMessage(nested, add);
    for (const one of message.nestedEnums) {
      add(one.typeName);
      for (const value of one.values) add(`${message.typeName}.${value.name}`);
    }
  }

  #withImports(file: DescFile | undefined): readonly Uint8Array[] | undefined {
    if (file === undefined) return undefined;
    let files = this.#withImportsOf.get(file);
    if (files === undefined) {
      files = [...reachable(file)].reverse().map((one) => this.#encode(one));
      this.#withImportsOf.set(file, files);
    }
    return files;
  }

  /** Returns the same bytes for the same file. */
  #encode(file: DescFile): Uint8Array {
    let encoded = this.#encoded.get(file);
    if (encoded === undefined) {
      encoded = toBinary(FileDescriptorProtoSchema, file.proto);
      this.#encoded.set(file, encoded);
    }
    return encoded;
  }
}

/** The file and all its imports. Each file comes after its own imports. */
function reachable(file: DescFile, found = new Set<DescFile>()): Set<DescFile> {
  if (found.has(file)) return found;
  for (const imported of file.dependencies) reachable(imported, found);
  return found.add(file);
}
