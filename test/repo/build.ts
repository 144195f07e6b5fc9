// Builds dist/ for the published package: both programs, the SDK with its types, and the store's threads. A clone needs none.
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { rolldown } from "rolldown";
import { root } from "./sources.ts";

/**
 * The modules that something outside the bundle loads, by the name of their file in dist/. Everything else is in chunks
 * beside them. All files are in one folder: a thread is loaded from the folder of the module that starts it.
 */
const entries = {
  parley: "client/cli/main.ts",
  "parley-server": "server/main.ts",
  sdk: "client/sdk/index.ts",
  messages: "client/sdk/messages.ts",
  "reader-thread": "server/store/sqlite/threads/reader-thread.ts",
  "writer-thread": "server/store/sqlite/threads/writer-thread.ts",
};

const dist = join(root, "dist");
rmSync(dist, { recursive: true, force: true });
execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", "tsconfig.build.json"], {
  cwd: root,
  stdio: "inherit",
});
// Packages are not in the bundle: npm installs them, with their licenses, and updates them without a release of Parley.
const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  dependencies: Record<string, string>;
};
const bundle = await rolldown({
  cwd: root,
  input: entries,
  platform: "node",
  // Without `using`, which old versions of Node.js cannot read: they could not run client/sdk/node-version.ts either.
  transform: { target: "es2024" },
  external: Object.keys(dependencies).map((name) => new RegExp(`^${name}(/|$)`)),
});
await bundle.write({ dir: dist, format: "esm" });
await bundle.close();
