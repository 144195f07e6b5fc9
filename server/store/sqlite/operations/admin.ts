// The operations of AdminStore: disabled users, bots, password resets, invites, and the record of administration.
import type {
  AccountRow,
  AdminActionKind,
  AdminActionRow,
  Administering,
  AdminStore,
  BotSession,
} from "../../store.ts";
import type { Database } from "../database/database.ts";
import { type Operations, read, write } from "./operation.ts";
import { addToTotal } from "./row-totals.ts";

/** The most rows of the record of administration. */
const MOST_ACTIONS = 10_000;
/** The hexadecimal digits of an invite's id: too many for two invites to share them. */
const INVITE_ID_DIGITS = 16;
const INVITE_ID = /^[\da-f]{16}$/;

export const adminOperations: Operations<AdminStore> = {
  listAccounts: read((database, afterName, limit) =>
    database
      .all<AccountColumns>(
        `${selectAccount} WHERE username > ? AND removed_time IS NULL ORDER BY username LIMIT ?`,
        afterName,
        limit,
      )
      .map(accountRow),
  ),

  account: read((database, username) => {
    const row = database.get<AccountColumns>(
      `${selectAccount} WHERE username = ? AND removed_time IS NULL`,
      username,
    );
    return row && accountRow(row);
  }),

  setDisabled: write((database, username, isDisabled, by) => {
    const userId = userIdOf(database, username);
    if (userId === undefined) return undefined;
    const sql = isDisabled
      ? "UPDATE users SET disabled_time = coalesce(disabled_time, ?1) WHERE user_id = ?2"
      : "UPDATE users SET disabled_time = NULL WHERE user_id = ?2 AND ?1 > 0";
    database.run(sql, by.time, userId);
    recordAction(database, by, isDisabled ? "disable" : "enable", username);
    return isDisabled ? deleteSessions(database, userId) : 0;
  }),

  endSessions: write((database, username, by) => {
    const userId = userIdOf(database, username);
    if (userId === undefined) return undefined;
    recordAction(database, by, "log-out", username);
    return deleteSessions(database, userId);
  }),

  unlock: write((database, username, by) => {
    const userId = userIdOf(database, username);
    if (userId === undefined) return false;
    deleteFailures(database, userId, username);
    recordAction(database, by, "unlock", username);
    return true;
  }),

  replaceBotSession: write((database, username, session, by) => {
    const sql = "SELECT user_id AS userId FROM users WHERE username = ? AND bot = 1 AND removed_time IS NULL";
    const bot = database.get<{ userId: number }>(sql, username);
    if (bot === undefined) return false;
    deleteSessions(database, bot.userId);
    startBotSession(database, bot.userId, session, by);
    recordAction(database, by, "new-bot-token", username);
    return true;
  }),

  addReset: write((database, username, hash, expireTime, by) => {
    const userId = userIdOf(database, username);
    if (userId === undefined) return false;
    database.run(
      `INSERT INTO password_resets (user_id, hash, expire_time) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET hash = excluded.hash, expire_time = excluded.expire_time`,
      userId,
      hash,
      expireTime,
    );
    recordAction(database, by, "reset", username);
    return true;
  }),

  reset: read((database, hash, now) => validReset(database, hash, now)),

  useReset: write((database, { resetHash, passwordHash, time }) => {
    const reset = validReset(database, resetHash, time);
    if (reset === undefined || reset.isDisabled) return undefined;
    const { userId, username } = reset;
    database.run("DELETE FROM password_resets WHERE user_id = ?", userId);
    database.run("UPDATE users SET password_hash = ? WHERE user_id = ?", passwordHash, userId);
    database.run("UPDATE devices SET known = 0 WHERE user_id = ?", userId);
    deleteFailures(database, userId, username);
    return deleteSessions(database, userId);
  }),

  listInvites: read((database, afterId, limit, now) => {
    // Invites are ordered by hash, which begins with the id. No hash begins with the text that follows an id.
    const after = INVITE_ID.test(afterId)
      ? Buffer.from(`${afterId}${"ff".repeat(24)}`, "hex")
      : Buffer.alloc(0);
    return database
      .all<{ hash: Uint8Array; usesLeft: number; createTime: number; expireTime: number }>(
        `SELECT hash, uses_left AS usesLeft, create_time AS createTime, expire_time AS expireTime FROM invites
         WHERE hash > ? AND expire_time > ? ORDER BY hash LIMIT ?`,
        after,
        now,
        limit,
      )
      .map(({ hash, ...row }) => ({ inviteId: inviteIdOf(hash), ...row }));
  }),

  revokeInvite: write((database, inviteId, by) => {
    if (!INVITE_ID.test(inviteId)) return false;
    const { changes } = database.run(
      "DELETE FROM invites WHERE hash >= ? AND hash <= ? AND expire_time > ?",
      Buffer.from(`${inviteId}${"00".repeat(24)}`, "hex"),
      Buffer.from(`${inviteId}${"ff".repeat(24)}`, "hex"),
      by.time,
    );
    if (changes === 0) return false;
    recordAction(database, by, "revoke-invite", inviteId);
    return true;
  }),

  listActions: read((database, beforeId, limit) =>
    database
      .all<{ [K in keyof AdminActionRow]: AdminActionRow[K] } & { administrator: string | null }>(
        `SELECT action_id AS actionId, time, username AS administrator, address, action, subject
         FROM admin_actions LEFT JOIN users ON user_id = administrator_id
         WHERE action_id < ? ORDER BY action_id DESC LIMIT ?`,
        beforeId,
        limit,
      )
      .map((row) => ({ ...row, administrator: row.administrator ?? undefined })),
  ),
};

export function startBotSession(
  database: Database,
  userId: number,
  { tokenHash, deviceSecretHash, expireTime }: BotSession,
  { address, time }: Pick<Administering, "address" | "time">,
): void {
  const device = database.run(
    "INSERT INTO devices (user_id, secret_hash, create_time) VALUES (?, ?, ?)",
    userId,
    deviceSecretHash,
    time,
  );
  database.run(
    `INSERT INTO sessions (user_id, device_id, token_hash, client_name, client_version, device_name, address,
       create_time, last_used_time, active_time, expire_time)
     VALUES (?1, ?2, ?3, '', '', '', ?4, ?5, ?5, ?5, ?6)`,
    userId,
    device.id,
    tokenHash,
    address,
    time,
    expireTime,
  );
}

/** Adds a row to the record of administration, in the transaction of the change. */
export function recordAction(
  database: Database,
  by: Administering,
  action: AdminActionKind,
  subject: string,
): void {
  const { id } = database.run(
    "INSERT INTO admin_actions (time, administrator_id, address, action, subject) VALUES (?, ?, ?, ?, ?)",
    by.time,
    by.userId ?? null,
    by.address,
    action,
    subject,
  );
  database.run("DELETE FROM admin_actions WHERE action_id <= ?", id - MOST_ACTIONS);
}

/** The public id of an invite. */
export function inviteIdOf(hash: Uint8Array): string {
  return Buffer.from(hash).toString("hex").slice(0, INVITE_ID_DIGITS);
}

function userIdOf(database: Database, username: string): number | undefined {
  const sql = "SELECT user_id AS userId FROM users WHERE username = ? AND removed_time IS NULL";
  return database.get<{ userId: number }>(sql, username)?.userId;
}

function deleteSessions(database: Database, userId: number): number {
  return database.run("DELETE FROM sessions WHERE user_id = ?", userId).changes;
}

/** Forgets the failed log-ins of a name and of the user's devices. The keys are those of lockout.ts. */
function deleteFailures(database: Database, userId: number, username: string): void {
  const { changes } = database.run(
    `DELETE FROM log_in_failures
     WHERE key IN (SELECT 'name:' || ?1 UNION ALL SELECT 'device:' || device_id FROM devices WHERE user_id = ?2)`,
    username,
    userId,
  );
  if (changes > 0) addToTotal(database, "failures", -changes);
}

function validReset(database: Database, hash: Uint8Array, now: number) {
  const row = database.get<{ userId: number; username: string; isDisabled: number }>(
    `SELECT user_id AS userId, username, disabled_time IS NOT NULL AS isDisabled
     FROM password_resets JOIN users USING (user_id)
     WHERE hash = ? AND expire_time > ? AND removed_time IS NULL`,
    hash,
    now,
  );
  return row && { ...row, isDisabled: row.isDisabled === 1 };
}

interface AccountColumns extends Record<string, unknown> {
  userId: number;
  username: string;
  createTime: number;
  administrator: number;
  bot: number;
  disabledTime: number | null;
}

const selectAccount = `
  SELECT user_id AS userId, username, create_time AS createTime, administrator, bot, disabled_time AS disabledTime
  FROM users`;

function accountRow({
  userId,
  username,
  createTime,
  administrator,
  bot,
  disabledTime,
}: AccountColumns): AccountRow {
  return {
    userId,
    username,
    createTime,
    isAdministrator: administrator === 1,
    isBot: bot === 1,
    disabledTime: disabledTime ?? undefined,
  };
}
