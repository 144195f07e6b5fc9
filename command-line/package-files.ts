// Finds the files that ship with the package, and its version.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Whether this is a clone, which runs its sources, and not the published package, which runs a bundle. */
export const isClone = import.meta.url.endsWith(".ts");

/** The package's folder. This file is one folder below it, and so is the bundle in dist/. */
const root = new URL("../", import.meta.url);

/** The absolute path of a file of the package. @param path from the package's folder, with slashes */
export function packageFile(path: string): string {
  return fileURLToPath(new URL(path, root));
}

/** What a person types for one of the package's programs. */
export function commandLine(program: "parley" | "parley-server"): string {
  return isClone ? `npx ${program}` : program;
}

/** The version in package.json. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(packageFile("package.json"), "utf8")) as { version: string };
  return version;
}
