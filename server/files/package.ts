// This package: its version, its files, and how its programs are called.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A clone runs the sources. An installed package runs compiled files, which are one folder deeper. */
const isClone = import.meta.url.endsWith(".ts");

const root = new URL(isClone ? "../../" : "../../../", import.meta.url);

/** The absolute path of a file of the package. */
export function packageFile(path: string): string {
  return fileURLToPath(new URL(path, root));
}

export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(packageFile("package.json"), "utf8")) as { version: string };
  return version;
}

/** The command that starts one of the package's programs. */
export function commandLine(program: "parley" | "parley-server"): string {
  return isClone ? `npx ${program}` : program;
}
