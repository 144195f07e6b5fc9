// Temporary folders, profiles and other processes for the tests of the state.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { State, type StateOptions } from "../../../client/state/state.ts";
import type { Grant } from "../../../gen/parley/chat/v1/auth_service.ts";

export interface Folder extends Disposable {
  readonly path: string;
}

export function newFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), "parley-state-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export function openState(folder: string, options: Partial<StateOptions> = {}): State {
  return new State(folder, {
    onProblem: (error) => {
      throw error;
    },
    ...options,
  });
}

export function grantFor(username: string, more: Partial<Grant> = {}): Grant {
  return {
    token: `token-of-${username}`,
    expireTime: new Date(2_000_000_000_000),
    sessionId: "s1",
    user: { userId: `u-${username}`, username },
    device: { deviceId: `d-${username}`, deviceSecret: "secret" },
    serverId: "server-1",
    ...more,
  };
}

/** A state with one profile: hans at 127.0.0.1:1. */
export function stateWithProfile(
  folder: string,
  options?: Partial<StateOptions>,
): { state: State; profileId: number } {
  const state = openState(folder, options);
  state.servers.remember("127.0.0.1:1", { kind: "plaintext" });
  const { profile } = state.profiles.loggedIn("127.0.0.1:1", grantFor("hans"));
  return { state, profileId: profile.profileId };
}

export interface Other extends AsyncDisposable {
  readonly child: ChildProcess;
  /** The next line that it prints. */
  line(): Promise<string>;
  write(line: string): void;
  kill(): Promise<void>;
}

/** Starts other-process.ts. */
export function startOther(...args: string[]): Other {
  const script = new URL("./other-process.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [script, ...args], { stdio: ["pipe", "pipe", "inherit"] });
  const output = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = once(child, "exit");
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
  };
  return {
    child,
    line: async () => {
      const next = await output.next();
      if (next.done === true) throw new Error("The other process ended.");
      return next.value;
    },
    write: (line) => child.stdin.write(`${line}\n`),
    kill,
    [Symbol.asyncDispose]: kill,
  };
}
