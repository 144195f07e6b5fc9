// Generates gen/ from the protos, or into another folder: `node test/repo/gen.ts [FOLDER]`, the folder that gets a gen/.
import { execFileSync } from "node:child_process";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { root } from "./sources.ts";

const reflection = "node_modules/@grpc/reflection/build/proto";

/** The descriptors for server reflection and canonical JSON: one FileDescriptorSet for each name, with imports. */
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
 * Corrects the conversion of times before 1970. ts-proto rounds the seconds towards zero, which gives negative nanoseconds. A
 * Timestamp must not have these, and readers refuse them, including canonical JSON.
 * @throws Error if the code that ts-proto generates has changed
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
