// Finds the comments of the proto files, which descriptors list by their path in the file.
import type { DescField, DescFile, DescMessage, DescMethod, DescService } from "@bufbuild/protobuf";

const byFile = new WeakMap<DescFile, ReadonlyMap<string, string>>();

/** The leading comment in one line; "" if there is none. */
export function commentOf(described: DescMessage | DescField | DescService | DescMethod): string {
  const [file, path] = placeOf(described);
  let comments = byFile.get(file);
  if (comments === undefined) {
    const locations = file.proto.sourceCodeInfo?.location ?? [];
    comments = new Map(locations.map((one) => [one.path.join(","), oneLine(one.leadingComments)]));
    byFile.set(file, comments);
  }
  return comments.get(path.join(",")) ?? "";
}

/**
 * The path: field numbers of descriptor.proto, and indexes. See https://protobuf.com/docs/descriptors#source-code-info
 */
function placeOf(one: DescMessage | DescField | DescService | DescMethod): [DescFile, readonly number[]] {
  switch (one.kind) {
    case "service":
      return [one.file, [6, one.file.proto.service.indexOf(one.proto)]];
    case "rpc":
      return below(one.parent, 2, one.parent.proto.method.indexOf(one.proto));
    case "field":
      return below(one.parent, 2, one.parent.proto.field.indexOf(one.proto));
    case "message":
      if (one.parent !== undefined)
        return below(one.parent, 3, one.parent.proto.nestedType.indexOf(one.proto));
      return [one.file, [4, one.file.proto.messageType.indexOf(one.proto)]];
  }
}

function below(
  parent: DescMessage | DescService,
  number: number,
  index: number,
): [DescFile, readonly number[]] {
  const [file, path] = placeOf(parent);
  return [file, [...path, number, index]];
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s+/g, " ");
}
