// A plugin of typedoc: shows generated messages as what they are for a reader, and writes what every variant has.
import { Comment, Converter, ReflectionKind } from "typedoc";

/** Properties that tell variants apart, or name an error: their type is their meaning. */
const discriminants = new Set(["type", "kind", "phase", "verdict", "$case"]);

/** @param {import("typedoc").Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const one of all(project)) if (isMachinery(one)) project.removeReflection(one);
  });
  app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => {
    for (const one of all(project)) one.comment ??= describe(one);
  });
}

function all(project) {
  return Object.values(project.reflections);
}

/** Codecs beside the messages, and namespaces of types beside the enums: ts-proto makes both, and the SDK exports neither. */
function isMachinery(one) {
  if (one.type?.type === "query" || one.type?.type === "reference") {
    const name = one.type.type === "query" ? one.type.queryType.name : one.type.name;
    if (name === "MessageFns" || one.type.typeArguments?.[0]?.name === one.name) return true;
  }
  return one.kind === ReflectionKind.Namespace;
}

function describe(one) {
  if (one.kind !== ReflectionKind.Property) return undefined;
  if (discriminants.has(one.name) && one.type?.type === "literal")
    return says("Tells this variant from the others.");
  if (one.name === "value" && one.parent?.children?.some(({ name }) => name === "$case"))
    return says("What it is.");
  if (one.name === "name" && one.parent?.extendedTypes?.some(({ name }) => name === "Error"))
    return says("The name of the class.");
  if (one.name === "UNRECOGNIZED") return says("Never sent; a value that is not known here is its number.");
  return undefined;
}

function says(text) {
  return new Comment([{ kind: "text", text }]);
}
