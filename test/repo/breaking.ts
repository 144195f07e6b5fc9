// Compares proto/ with the main branch: nothing that a client may rely on is broken. Run by `npm run check:static`.
//
// The base is the remote's main branch where there is one, else what is committed here. It is taken out of git as
// files, so that shallow and detached clones do; where the base has no protos there is nothing to break.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { root } from "./sources.ts";

const BASES = ["refs/remotes/origin/main", "HEAD"];

function git(...words: string[]): Buffer | undefined {
  try {
    return execFileSync("git", words, { cwd: root, stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    // git says no by its exit code: no such revision, no such path, or no repository at all.
    return undefined;
  }
}

const base = BASES.find((ref) => git("rev-parse", "--verify", "--quiet", `${ref}^{commit}`) !== undefined);
const archive = base === undefined ? undefined : git("archive", base, "proto", "buf.yaml");

if (base === undefined || archive === undefined) {
  process.stdout.write("buf breaking: nothing to compare with yet\n");
} else {
  const folder = mkdtempSync(join(tmpdir(), "parley-breaking-"));
  try {
    execFileSync("tar", ["-x", "-C", folder], { input: archive });
    const path = `${join(root, "node_modules", ".bin")}${delimiter}${process.env.PATH ?? ""}`;
    execFileSync("buf", ["breaking", "--against", folder], {
      cwd: root,
      stdio: "inherit",
      env: { ...process.env, PATH: path },
    });
    process.stdout.write(`buf breaking: compatible with ${base}\n`);
  } catch (error) {
    // buf has said by itself what is broken.
    process.stderr.write(`buf breaking: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
