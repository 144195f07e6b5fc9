// server.json: facts about the running server in its data folder, for the commands that run beside it.
import { rename, rm, writeFile } from "node:fs/promises";
import { OtherOwnerError } from "../../command-line/private-folder.ts";
import { isOthers, readSmallFile } from "../../command-line/small-file.ts";

export interface ServerFacts {
  readonly host: string;
  /** The actual port, even if port 0 was requested. */
  readonly port: number;
  /** The fingerprint of the server's key; undefined if the server serves plaintext. */
  readonly fingerprint?: string | undefined;
  readonly publicNames: readonly string[];
  readonly pid: number;
}

export async function writeServerFile(file: string, facts: ServerFacts): Promise<void> {
  const part = `${file}.part`;
  await writeFile(part, `${JSON.stringify(facts, undefined, 2)}\n`, { mode: 0o600 });
  await rename(part, file);
}

export async function removeServerFile(file: string): Promise<void> {
  await rm(file, { force: true });
}

/** The facts about the running server, or about a server that was killed; undefined if there is no file. */
export async function readServerFile(file: string): Promise<ServerFacts | undefined> {
  let text: string;
  try {
    const read = await readSmallFile(file);
    // Another user could have put the file into a data folder that was open, and name another server in it.
    if (isOthers(read))
      throw new OtherOwnerError(`${file} belongs to another user, and is not used; delete it`);
    text = read.text;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  return JSON.parse(text) as ServerFacts;
}
