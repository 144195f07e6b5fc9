// The files of the package, and what a person types to start its programs.
import { isClone } from "../../command-line/package-files.ts";

export { packageFile, packageVersion } from "../../command-line/package-files.ts";

/** What a person types for one of the package's programs. */
export function commandLine(program: "parley" | "parley-server"): string {
  return isClone ? `npx ${program}` : program;
}
