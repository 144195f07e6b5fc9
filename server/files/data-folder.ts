// The data folder: where it lies by the platform's convention, and what lies in it.
import { rmSync } from "node:fs";
import { mkdtemp, readdir, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";

export interface DataFiles {
  readonly database: string;
  /** Settings, if the operator wrote some. */
  readonly config: string;
  readonly tlsFolder: string;
  readonly cert: string;
  readonly key: string;
  /** What the running server says of itself; see server-file.ts. */
  readonly server: string;
}

export function dataFiles(folder: string): DataFiles {
  const tlsFolder = join(folder, "tls");
  return {
    database: join(folder, "parley.db"),
    config: join(folder, "parley-server.toml"),
    tlsFolder,
    cert: join(tlsFolder, "cert.pem"),
    key: join(tlsFolder, "key.pem"),
    server: join(folder, "server.json"),
  };
}

/** The folder is somebody else's as well. */
export class FolderInUseError extends Error {
  override name = "FolderInUseError";
}

/**
 * Makes sure that closing the folder to everyone else, which is going to happen, takes nothing from anybody.
 * @throws FolderInUseError where others may look in, other files lie there, and no data of ours
 */
export async function claimDataFolder(folder: string): Promise<void> {
  const files = dataFiles(folder);
  const own = [...Object.values(files).map((path) => basename(path)), "lock.db", "lock.db-journal"];
  let found: string[];
  let mode: number;
  try {
    found = await readdir(folder);
    ({ mode } = await stat(folder));
  } catch {
    // It is made, or what is wrong with it is told, by whoever opens it.
    return;
  }
  const isClosed = (mode & 0o077) === 0;
  if (isClosed || found.includes(basename(files.database)) || found.every((name) => own.includes(name)))
    return;
  throw new FolderInUseError(
    `${folder} holds other files and is open to other users; Parley would close it. Name an empty or a new folder.`,
  );
}

export interface TemporaryFolder extends Disposable {
  readonly path: string;
}

/** A new folder for this process alone, with mode 0700; goes with all that is in it, at the latest with the process. */
export async function temporaryDataFolder(): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), "parley-server-"));
  const remove = (): void => rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  // A crash, and a stop that takes too long, dispose of nothing.
  process.once("exit", remove);
  return {
    path,
    [Symbol.dispose]: () => {
      process.off("exit", remove);
      remove();
    },
  };
}

/** Undefined where the environment does not even name a home. */
export function defaultDataFolder(
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform,
): string | undefined {
  const home = env.HOME || env.USERPROFILE;
  if (platform === "win32") {
    const base = env.LOCALAPPDATA || (home && join(home, "AppData", "Local"));
    return base && join(base, "parley-server");
  }
  if (platform === "darwin") return home && join(home, "Library", "Application Support", "parley-server");
  // The XDG Base Directory Specification wants a relative path ignored.
  if (env.XDG_DATA_HOME?.startsWith("/")) return join(env.XDG_DATA_HOME, "parley-server");
  return home && join(home, ".local", "share", "parley-server");
}
