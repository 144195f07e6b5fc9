// A client in a process of its own, which can be killed, or stopped in its tracks.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { passwordOf, type TestServer } from "../support/server.ts";

const program = fileURLToPath(new URL("follower.ts", import.meta.url));

/** Resolves when that client has caught up, through Connect or Follow. It is killed when the test is over. */
export async function elsewhere(
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
