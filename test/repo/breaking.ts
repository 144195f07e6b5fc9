// Checks that proto/ has no breaking change against the main branch. Run by `npm run check:static`.
//
// The base is the main branch of the remote, or the current commit if there is no remote. Its files are extracted from git, so
// shallow and detached clones work. A base without protos passes.
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
    // git exits with an error if the revision or the path does not exist, or there is no repository.
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
    // buf has already printed the breaking changes.
    process.stderr.write(`buf breaking: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
