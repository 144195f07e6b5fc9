// The data folder: the platform's default location, and the files in it.
import { rmSync } from "node:fs";
import { mkdtemp, readdir, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { serverFileName } from "../store/sqlite/database/data-check.ts";

export interface DataFiles {
  readonly database: string;
  /** The settings file, which the operator may write. */
  readonly config: string;
  readonly tlsFolder: string;
  readonly cert: string;
  readonly key: string;
  /** Facts about the running server; see server-file.ts. */
  readonly server: string;
  /** Space for a start on a full disk; see reserve.ts. */
  readonly reserve: string;
}

export function dataFiles(folder: string): DataFiles {
  const tlsFolder = join(folder, "tls");
  return {
    database: join(folder, "parley.db"),
    config: join(folder, "parley-server.toml"),
    tlsFolder,
    cert: join(tlsFolder, "cert.pem"),
    key: join(tlsFolder, "key.pem"),
    server: join(folder, serverFileName),
    reserve: join(folder, "reserve"),
  };
}

/** The folder contains files that are not Parley's, and other users can read it. */
export class FolderInUseError extends Error {
  override name = "FolderInUseError";
}

/**
 * Opening a data folder closes it to other users. This checks that doing so does not take their files from them.
 * @throws FolderInUseError if other users can read the folder, and it contains other files but no Parley data
 */
export async function claimDataFolder(folder: string): Promise<void> {
  const files = dataFiles(folder);
  const own = [
    ...Object.values(files).map((path) => basename(path)),
    "lock.db",
    "lock.db-journal",
    "parley.db-head",
  ];
  let found: string[];
  let mode: number;
  try {
    found = await readdir(folder);
    ({ mode } = await stat(folder));
  } catch {
    // Opening the folder creates it, or reports why that fails.
    return;
  }
  const isClosed = (mode & 0o077) === 0;
  if (isClosed || found.includes(basename(files.database)) || found.every((name) => own.includes(name)))
    return;
  throw new FolderInUseError(
    `${folder} contains other files and is open to other users, and Parley would close it. Use an empty or a new folder.`,
  );
}

export interface TemporaryFolder extends Disposable {
  readonly path: string;
}

/** Creates a folder with mode 0700. It is deleted with its content when it is disposed of or the process exits. */
export async function temporaryDataFolder(): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), "parley-server-"));
  const remove = (): void => rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  // A crash, or a stop that takes too long, does not dispose of the folder.
  process.once("exit", remove);
  return {
    path,
    [Symbol.dispose]: () => {
      process.off("exit", remove);
      remove();
    },
  };
}

/** The default data folder; undefined if the environment has no home directory. */
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
  // The XDG Base Directory Specification requires that a relative path is ignored.
  if (env.XDG_DATA_HOME?.startsWith("/")) return join(env.XDG_DATA_HOME, "parley-server");
  return home && join(home, ".local", "share", "parley-server");
}
