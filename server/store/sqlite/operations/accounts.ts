// The operations of AccountStore on users and invites, together with those on devices and sessions.
import type { AccountStore, NewUser, NewUserResult, UserRow, UserWithPassword } from "../../store.ts";
import type { Database } from "../database/database.ts";
import { searchKey } from "../search-key.ts";
import { inviteIdOf, recordAction, startBotSession } from "./admin.ts";
import { deviceOperations } from "./devices.ts";
import { removeIdentity } from "./identities.ts";
import { type Operations, read, write } from "./operation.ts";
import { hasPassword, hasSession, isDeviceOf, sessionOperations } from "./sessions.ts";

export const accountOperations: Operations<AccountStore> = {
  userByName: read((database, username) => {
    return database.get<Columns<UserWithPassword>>(
      `SELECT user_id AS userId, username, password_hash AS passwordHash FROM users
       WHERE username = ? AND removed_time IS NULL`,
      username,
    );
  }),

  userById: read((database, userId) => {
    const sql = "SELECT user_id AS userId, username FROM users WHERE user_id = ? AND removed_time IS NULL";
    return database.get<Columns<UserRow>>(sql, userId);
  }),

  removedUser: read((database, username) => {
    const sql =
      "SELECT user_id AS userId, username FROM users WHERE username = ? AND removed_time IS NOT NULL";
    return database.get<Columns<UserRow>>(sql, username);
  }),

  usersById: read((database, userIds) => {
    return userIds.flatMap((userId) => {
      const sql = "SELECT user_id AS userId, username FROM users WHERE user_id = ?";
      return database.get<Columns<UserRow>>(sql, userId) ?? [];
    });
  }),

  listUsers: read((database, afterName, limit) => {
    return database.all<Columns<UserRow>>(
      `SELECT user_id AS userId, username FROM users
       WHERE username > ? AND removed_time IS NULL ORDER BY username LIMIT ?`,
      afterName,
      limit,
    );
  }),

  searchUsers: read((database, prefix, askingId, afterName, limit) => {
    const from = searchKey(prefix);
    return database.all<Columns<UserRow>>(
      `SELECT user_id AS userId, username FROM users
       WHERE search_key >= ?1 AND search_key < ?2 AND (search_key, username) > (?3, ?4)
         AND user_id <> ?5 AND removed_time IS NULL
       ORDER BY search_key, username LIMIT ?6`,
      from,
      `${from}\u{10ffff}`,
      searchKey(afterName),
      afterName,
      askingId,
      limit,
    );
  }),

  checkNewUser: read(checkNewUser),

  addUser: write((database, user, by) => {
    if (by?.userId !== undefined && !mayAdminister(database, by.userId))
      return { status: "not-administrator" };
    const status = checkNewUser(database, user);
    if (status !== "added") return { status };
    const userId = insertUser(database, user);
    if (user.inviteHash !== undefined) useInvite(database, user.inviteHash);
    if (user.bot !== undefined) {
      database.run("UPDATE users SET bot = 1 WHERE user_id = ?", userId);
      startBotSession(database, userId, user.bot, by ?? { address: "", time: user.time });
    }
    if (by !== undefined) recordAction(database, by, user.bot ? "add-bot" : "add-user", user.username);
    return { status: "added", user: { userId, username: user.username } };
  }),

  importUsers: write((database, users) => {
    const added: string[] = [];
    for (const user of users) {
      if (isKnownName(database, user.username)) continue;
      insertUser(database, user);
      added.push(user.username);
    }
    return added;
  }),

  knownNames: read((database, usernames) => {
    return usernames.filter((username) => isKnownName(database, username));
  }),

  setPassword: write((database, userId, { from, to, keepSessionId }) => {
    if (!hasPassword(database, userId, from)) return undefined;
    if (keepSessionId !== undefined && !hasSession(database, userId, keepSessionId)) return undefined;
    database.run("UPDATE users SET password_hash = ? WHERE user_id = ?", to, userId);
    if (keepSessionId === undefined) return [];
    database.run("DELETE FROM password_resets WHERE user_id = ?", userId);
    database.run(
      `UPDATE devices SET known = 0
       WHERE user_id = ?1 AND device_id <> (SELECT device_id FROM sessions WHERE session_id = ?2)`,
      userId,
      keepSessionId,
    );
    const sql =
      "DELETE FROM sessions WHERE user_id = ? AND session_id <> ? RETURNING session_id AS sessionId";
    return database.all<{ sessionId: number }>(sql, userId, keepSessionId).map((row) => row.sessionId);
  }),

  setAdministrator: write((database, username, isAdministrator, by) => {
    const sql = "UPDATE users SET administrator = ? WHERE username = ? AND removed_time IS NULL";
    const isDone = database.run(sql, isAdministrator ? 1 : 0, username).changes > 0;
    if (isDone && by !== undefined)
      recordAction(database, by, isAdministrator ? "promote" : "demote", username);
    return isDone;
  }),

  isAdministrator: read((database, userId) => {
    const sql = "SELECT 1 FROM users WHERE user_id = ? AND administrator = 1 AND removed_time IS NULL";
    return database.get(sql, userId) !== undefined;
  }),

  administrators: read((database) => {
    const sql =
      "SELECT username FROM users WHERE administrator = 1 AND removed_time IS NULL ORDER BY username";
    return database.all<{ username: string }>(sql).map(({ username }) => username);
  }),

  hasDevice: read((database, userId, deviceId, secretHash) => {
    const isKnown = "SELECT 1 FROM devices WHERE device_id = ? AND known = 1";
    return (
      isDeviceOf(database, userId, deviceId, secretHash) && database.get(isKnown, deviceId) !== undefined
    );
  }),

  removeUser: write((database, username, by) => {
    const user = database.get<{ userId: number }>(
      "SELECT user_id AS userId FROM users WHERE username = ? AND removed_time IS NULL",
      username,
    );
    if (user === undefined) return false;
    removeUser(database, user.userId);
    if (by !== undefined) recordAction(database, by, "remove-user", username);
    return true;
  }),

  deleteAccount: write((database, userId, sessionId, passwordHash) => {
    if (!hasPassword(database, userId, passwordHash) || !hasSession(database, userId, sessionId))
      return false;
    removeUser(database, userId);
    return true;
  }),

  ...deviceOperations,
  ...sessionOperations,

  addInvite: write((database, hash, uses, expireTime, time, by) => {
    database.run("DELETE FROM invites WHERE expire_time <= ?", time);
    const sql = "INSERT INTO invites (hash, uses_left, create_time, expire_time) VALUES (?, ?, ?, ?)";
    database.run(sql, hash, uses, time, expireTime);
    const inviteId = inviteIdOf(hash);
    if (by !== undefined) recordAction(database, by, "create-invite", inviteId);
    return inviteId;
  }),
};

function checkNewUser(database: Database, user: Omit<NewUser, "passwordHash">): NewUserResult["status"] {
  if (user.inviteHash !== undefined && !isInviteValid(database, user.inviteHash, user.time))
    return "invite-invalid";
  if (isKnownName(database, user.username)) return "name-taken";
  if (user.refuseLookAlike && isKnownSkeleton(database, user.skeleton)) return "look-alike";
  return "added";
}

/** The fields of an interface as the columns of a row. */
type Columns<T> = { [K in keyof T]: T[K] };

function removeUser(database: Database, userId: number): void {
  database.run("DELETE FROM sessions WHERE user_id = ?", userId);
  removeIdentity(database, userId);
  database.run("DELETE FROM devices WHERE user_id = ?", userId);
  database.run("DELETE FROM password_resets WHERE user_id = ?", userId);
  const sql = "UPDATE users SET removed_time = unixepoch() * 1000, password_hash = '' WHERE user_id = ?";
  database.run(sql, userId);
}

function mayAdminister(database: Database, userId: number): boolean {
  const sql =
    "SELECT 1 FROM users WHERE user_id = ? AND administrator = 1 AND disabled_time IS NULL AND removed_time IS NULL";
  return database.get(sql, userId) !== undefined;
}

function isKnownName(database: Database, username: string): boolean {
  return database.get("SELECT 1 FROM users WHERE username = ?", username) !== undefined;
}

function isKnownSkeleton(database: Database, skeleton: string): boolean {
  return database.get("SELECT 1 FROM users WHERE skeleton = ?", skeleton) !== undefined;
}

function insertUser(
  database: Database,
  user: Pick<NewUser, "username" | "skeleton" | "passwordHash" | "time">,
) {
  const { username, skeleton, passwordHash, time } = user;
  const sql =
    "INSERT INTO users (username, search_key, skeleton, password_hash, create_time) VALUES (?, ?, ?, ?, ?)";
  return database.run(sql, username, searchKey(username), skeleton, passwordHash, time).id;
}

function isInviteValid(database: Database, hash: Uint8Array, now: number): boolean {
  return database.get("SELECT 1 FROM invites WHERE hash = ? AND expire_time > ?", hash, now) !== undefined;
}

/** Takes one use of the invite. Removes an invite that has no uses left. */
function useInvite(database: Database, hash: Uint8Array): void {
  const gone = database.run("DELETE FROM invites WHERE hash = ? AND uses_left = 1", hash).changes > 0;
  if (!gone) database.run("UPDATE invites SET uses_left = uses_left - 1 WHERE hash = ?", hash);
}
