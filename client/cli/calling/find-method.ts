// Finds a method by its full name, or by the end of a name that no other method has.
import type { DescMethod, DescService, FileRegistry } from "@bufbuild/protobuf";
import { closest } from "../../../command-line/closest.ts";
import { usage } from "../process/exit.ts";

export function servicesOf(registry: FileRegistry): DescService[] {
  return [...registry].filter((type) => type.kind === "service");
}

/** The name in the path of a call, such as "parley.chat.v1.ChatService/SendMessage". */
export function fullName(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}

/** A method or a service. @throws UsageError if none or several have that name */
export function findMethod(registry: FileRegistry, given: string): DescMethod | DescService {
  const services = servicesOf(registry);
  const all = [...services.flatMap(({ methods }) => methods), ...services];
  const found = all.filter((one) => endsWith(nameOf(one), given));
  const [first] = found;
  if (first === undefined) throw unknown(services, given);
  if (found.length > 1) {
    throw usage(`"${given}" names several: ${found.map(nameOf).join(", ")}. Use a longer name.`);
  }
  return first;
}

function nameOf(one: DescMethod | DescService): string {
  return one.kind === "service" ? one.typeName : fullName(one);
}

/** Whether the name ends with the given parts. A dot is accepted for the slash. */
function endsWith(name: string, given: string): boolean {
  const [parts, wanted] = [split(name), split(given)];
  return wanted.length <= parts.length && parts.slice(-wanted.length).join("/") === wanted.join("/");
}

function split(name: string): string[] {
  return name.replace(/^\//, "").split(/[./]/);
}

function unknown(services: readonly DescService[], given: string): Error {
  const parts = split(given);
  const serviceGiven = parts.slice(0, -1).join(".");
  const service = services.find(({ typeName }) => serviceGiven !== "" && endsWith(typeName, serviceGiven));
  const candidates = (service === undefined ? services : [service]).flatMap(({ name, methods }) =>
    methods.map((method) => `${name}/${method.name}`),
  );
  const names = [...candidates, ...services.map(({ name }) => name)];
  const near = closest(parts.slice(-2).join("/"), names) ?? closestMethod(parts.at(-1) ?? "", candidates);
  const meant = near === undefined ? "" : ` Did you mean ${near}?`;
  return usage(`The schema has no method "${given}".${meant} Without a name, rpc lists all methods.`);
}

/** The candidate to suggest for an almost correct method name with a wrong service name. */
function closestMethod(given: string, candidates: readonly string[]): string | undefined {
  const methods = candidates.map((name) => name.slice(name.indexOf("/") + 1));
  const near = closest(given, methods);
  return near === undefined ? undefined : candidates[methods.indexOf(near)];
}
