// Finds files that ship with the program, from its sources as well as from its compiled form, which lies one folder deeper.
import { readFileSync } from "node:fs";

/** The content of a file, named from the package's folder. */
export function readPackageFile(path: string): Buffer {
  try {
    return readFileSync(new URL(`../../../${path}`, import.meta.url));
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    return readFileSync(new URL(`../../../../${path}`, import.meta.url));
  }
}

/** As package.json has it. */
export function packageVersion(): string {
  const { version } = JSON.parse(readPackageFile("package.json").toString("utf8")) as { version: string };
  return version;
}
