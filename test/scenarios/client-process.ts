// Starts a client in a separate process, so that a test can kill or stop it.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { passwordOf, type TestServer } from "../support/server.ts";

const program = fileURLToPath(new URL("client-process-main.ts", import.meta.url));

/** Resolves when the client's Connect or Follow stream has caught up. The process is killed when the test ends. */
export async function startClientProcess(
  server: TestServer,
  username: string,
  isConnect = true,
): Promise<ChildProcess> {
  const transport = isConnect ? "connect" : "follow";
  const child = spawn(
    process.execPath,
    [program, String(server.port), username, passwordOf(username), transport],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  await once(child.stdout, "data");
  return child;
}
