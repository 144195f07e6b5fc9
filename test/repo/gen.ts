// Generates gen/ from the protos, or into another folder: `node test/repo/gen.ts [FOLDER]`, the folder that gets a gen/.
import { execFileSync } from "node:child_process";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { root } from "./sources.ts";

const reflection = "node_modules/@grpc/reflection/build/proto";

/** What server reflection hands out, and canonical JSON is made by: one FileDescriptorSet each, imports included. */
const images: Record<string, readonly string[]> = {
  "parley.binpb": ["proto"],
  "health.binpb": ["node_modules/grpc-health-check/proto"],
  // For tools that show the details of a refusal.
  "error-details.binpb": [
    "node_modules/google-proto-files",
    "--path",
    "node_modules/google-proto-files/google/rpc/error_details.proto",
  ],
  "reflection.binpb": [
    reflection,
    "--path",
    `${reflection}/grpc/reflection/v1/reflection.proto`,
    "--path",
    `${reflection}/grpc/reflection/v1alpha/reflection.proto`,
  ],
};

export function generate(folder: string): void {
  buf("generate", "-o", folder);
  for (const file of globSync("gen/**/*.ts", { cwd: folder })) floorTimes(join(folder, file));
  for (const [name, input] of Object.entries(images)) {
    buf("build", ...input, "-o", join(folder, "gen", name), "--as-file-descriptor-set");
  }
}

/**
 * ts-proto rounds the seconds of a time towards zero. Before 1970 that gives nanoseconds below zero, which no Timestamp may
 * have: whoever reads them refuses them, canonical JSON included.
 * @throws Error where ts-proto writes it in another way by now
 */
function floorTimes(file: string): void {
  const before = readFileSync(file, "utf8");
  if (!before.includes("function toTimestamp(")) return;
  const after = before.replace(
    /(BigInt\(Math\.)trunc(\(date\.getTime\(\) \/ 1_000\)\);\n {2}const nanos = \(date\.getTime\(\)) % 1_000\)/,
    "$1floor$2 - Number(seconds) * 1_000)",
  );
  if (after === before) throw new Error(`${file}: toTimestamp is not as it was.`);
  writeFileSync(file, after);
}

function buf(...args: readonly string[]): void {
  execFileSync(join(root, "node_modules", ".bin", "buf"), args, {
    cwd: root,
    stdio: "inherit",
    env: {
      ...process.env,
      PATH: `${join(root, "node_modules", ".bin")}:${process.env.PATH ?? ""}`,
    },
  });
}

if (import.meta.main) generate(process.argv[2] ?? root);
