// Throws a clear error on a Node.js that is too old. package.json has no `engines`, because npm would warn about it in
// each clone, where any Node.js works: bin/launch.js continues with the right one.
import process from "node:process";

/** The same version as in bin/launch.js. */
const least = { major: 24, minor: 7 };

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < least.major || (major === least.major && minor < least.minor)) {
  throw new Error(`Parley needs Node ${least.major}.${least.minor} or newer; this is ${process.version}.`);
}
