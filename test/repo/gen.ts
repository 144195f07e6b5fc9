// Generates gen/ from the protos, or into another folder: `node test/repo/gen.ts [FOLDER]`, the folder that gets a gen/.
import { execFileSync } from "node:child_process";
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
  for (const [name, input] of Object.entries(images)) {
    buf("build", ...input, "-o", join(folder, "gen", name), "--as-file-descriptor-set");
  }
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
