// Where this program lies: its version, its folder, and how it is called there.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Sources run in a clone; what was installed was compiled, one folder deeper. */
const isClone = import.meta.url.endsWith(".ts");

const root = new URL(isClone ? "../../" : "../../../", import.meta.url);

/** The package's own file, as an absolute path. */
export function packageFile(path: string): string {
  return fileURLToPath(new URL(path, root));
}

export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(packageFile("package.json"), "utf8")) as { version: string };
  return version;
}

/** What a person types for one of the package's programs. */
export function commandLine(program: "parley" | "parley-server"): string {
  return isClone ? `npx ${program}` : program;
}
