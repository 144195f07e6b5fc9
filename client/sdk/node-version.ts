// Says on a Node that is too old that it is, before anything of the SDK fails in a way that does not. package.json has no
// `engines` for it: npm would warn in every clone, where any Node does, since bin/launch.js goes on with the right one.
import process from "node:process";

/** As in bin/launch.js. */
const least = { major: 24, minor: 7 };

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < least.major || (major === least.major && minor < least.minor)) {
  throw new Error(`Parley needs Node ${least.major}.${least.minor} or newer; this is ${process.version}.`);
}
