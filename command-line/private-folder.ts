// Makes sure that a folder with private data belongs to the user of this process, and that other users cannot use it.
import { chmodSync, lstatSync, type Stats } from "node:fs";
import { join } from "node:path";

/**
 * The folder or a file in it belongs to another user, or is not a file. The message is for the person who chose the folder.
 */
export class OtherOwnerError extends Error {
  override name = "OtherOwnerError";
}

/**
 * Closes the folder and its files to other users. Does nothing on Windows, where folders inherit the rights of the profile.
 * @param files the names of the program's files in the folder, which may be missing
 * @returns the paths that were open, with the permissions that they had
 * @throws OtherOwnerError if one belongs to another user, also for root: files that root makes there would be useless to
 * the owner; and if one is a pipe, a socket or a device, which could block the program
 */
export function closePrivateFolder(folder: string, files: readonly string[]): string[] {
  const user = process.geteuid?.();
  if (user === undefined) return [];
  const closed: string[] = [];
  for (const path of [folder, ...files.map((name) => join(folder, name))]) {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) continue;
    if (stat.uid !== user) throw otherOwner(path, stat, user, path === folder);
    if (!stat.isFile() && !stat.isDirectory() && !stat.isSymbolicLink())
      throw new OtherOwnerError(`${path} is not a regular file, and cannot be used; delete it`);
    // The permissions of a symbolic link mean nothing, and its target is not this program's to change.
    if (stat.isSymbolicLink() || (stat.mode & 0o077) === 0) continue;
    chmodSync(path, stat.mode & 0o700);
    closed.push(`${path} (mode ${(stat.mode & 0o777).toString(8).padStart(4, "0")})`);
  }
  return closed;
}

function otherOwner(path: string, { uid }: Stats, user: number, isFolder: boolean): OtherOwnerError {
  const advice = isFolder
    ? `run it as the owner (sudo -u '#${uid}' …), or use another folder`
    : `if the file is yours, run: chown ${user} '${path}'`;
  return new OtherOwnerError(
    `${path} belongs to the user with the id ${uid}, and this program runs as the user ${user}; ${advice}`,
  );
}
