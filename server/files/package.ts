// The files of the package, and what a person types to start its programs.
export { commandLine, packageFile, packageVersion } from "../../command-line/package-files.ts";
