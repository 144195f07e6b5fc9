// A plugin of typedoc: hides the codecs of generated messages, and describes properties that all variants of a union have.
import { Comment, Converter, ReflectionKind } from "typedoc";

/** Properties that distinguish variants of a union or name an error. Their type says everything. */
const discriminants = new Set(["type", "kind", "phase", "verdict", "$case"]);

/** @param {import("typedoc").Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const reflection of all(project)) if (isMachinery(reflection)) project.removeReflection(reflection);
  });
  app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => {
    for (const reflection of all(project)) reflection.comment ??= describe(reflection);
  });
}

function all(project) {
  return Object.values(project.reflections);
}

/** Codecs beside messages, and namespaces beside enums: ts-proto generates both, and the SDK exports neither. */
function isMachinery(reflection) {
  if (reflection.type?.type === "query" || reflection.type?.type === "reference") {
    const name = reflection.type.type === "query" ? reflection.type.queryType.name : reflection.type.name;
    if (name === "MessageFns" || reflection.type.typeArguments?.[0]?.name === reflection.name) return true;
  }
  return reflection.kind === ReflectionKind.Namespace;
}

function describe(reflection) {
  if (reflection.kind !== ReflectionKind.Property) return undefined;
  if (discriminants.has(reflection.name) && reflection.type?.type === "literal")
    return comment("Distinguishes this variant from the others.");
  if (reflection.name === "value" && reflection.parent?.children?.some(({ name }) => name === "$case"))
    return comment("The value of this variant.");
  if (reflection.name === "name" && reflection.parent?.extendedTypes?.some(({ name }) => name === "Error"))
    return comment("The name of the class.");
  if (reflection.name === "UNRECOGNIZED") return comment("Never sent; an unknown value is its number.");
  return undefined;
}

function comment(text) {
  return new Comment([{ kind: "text", text }]);
}
