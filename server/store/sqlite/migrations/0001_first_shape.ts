// Step 1: users, devices, sessions, invites, the conversation log with its markers, and presence.
import { broadcastConversationId } from "../broadcast.ts";
import type { Database } from "../database/database.ts";

export function firstShape(database: Database): void {
  database.exec(`
    CREATE TABLE server (
      one INTEGER PRIMARY KEY CHECK (one = 1),
      server_id TEXT NOT NULL,
      -- The number of the last group that the server's writer committed. Other processes do not change it.
      group_number INTEGER NOT NULL,
      heartbeat INTEGER NOT NULL
    ) STRICT;

    -- A removed user keeps id, name and skeleton, so that none is reused.
    CREATE TABLE users (
      user_id INTEGER PRIMARY KEY AUTOINCREMENT,
      username TEXT NOT NULL UNIQUE,
      skeleton TEXT NOT NULL,
      password_hash TEXT NOT NULL,
      create_time INTEGER NOT NULL,
      removed_time INTEGER
    ) STRICT;
    CREATE INDEX users_by_skeleton ON users (skeleton);

    CREATE TABLE devices (
      device_id INTEGER PRIMARY KEY AUTOINCREMENT,
      user_id INTEGER NOT NULL REFERENCES users,
      secret_hash BLOB NOT NULL,
      create_time INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX devices_by_user ON devices (user_id);

    CREATE TABLE sessions (
      session_id INTEGER PRIMARY KEY AUTOINCREMENT,
      user_id INTEGER NOT NULL REFERENCES users,
      device_id INTEGER NOT NULL REFERENCES devices,
      token_hash BLOB NOT NULL UNIQUE,
      client_name TEXT NOT NULL,
      client_version TEXT NOT NULL,
      device_name TEXT NOT NULL,
      address TEXT NOT NULL,
      create_time INTEGER NOT NULL,
      last_used_time INTEGER NOT NULL,
      expire_time INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX sessions_by_user ON sessions (user_id, session_id);
    CREATE INDEX sessions_by_device ON sessions (device_id);

    CREATE TABLE invites (
      hash BLOB PRIMARY KEY,
      uses_left INTEGER NOT NULL CHECK (uses_left > 0),
      create_time INTEGER NOT NULL,
      expire_time INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE conversations (
      conversation_id INTEGER PRIMARY KEY AUTOINCREMENT,
      kind TEXT NOT NULL,
      head_seq INTEGER NOT NULL,
      -- The two users of a direct conversation, the lower id first.
      user_low INTEGER REFERENCES users,
      user_high INTEGER REFERENCES users,
      UNIQUE (user_low, user_high),
      CHECK (CASE kind WHEN 'direct' THEN user_low < user_high ELSE user_low IS NULL AND user_high IS NULL END)
    ) STRICT;
    CREATE INDEX conversations_by_high ON conversations (user_high);

    -- The users of a conversation, with their markers. All users are in the broadcast one; it has rows for markers.
    CREATE TABLE participants (
      user_id INTEGER NOT NULL REFERENCES users,
      conversation_id INTEGER NOT NULL REFERENCES conversations,
      delivered_seq INTEGER NOT NULL,
      read_seq INTEGER NOT NULL CHECK (read_seq <= delivered_seq),
      PRIMARY KEY (user_id, conversation_id)
    ) STRICT, WITHOUT ROWID;

    -- No foreign keys: the writer checks users and conversation, and entries remain when their device is removed.
    CREATE TABLE entries (
      conversation_id INTEGER NOT NULL,
      seq INTEGER NOT NULL,
      sender_id INTEGER NOT NULL,
      device_id INTEGER NOT NULL,
      -- The 64 bits of the unsigned number, as a signed one.
      client_message_id INTEGER NOT NULL,
      time INTEGER NOT NULL,
      content BLOB NOT NULL,
      PRIMARY KEY (conversation_id, seq)
    ) STRICT, WITHOUT ROWID;
    CREATE UNIQUE INDEX entries_by_send ON entries (device_id, client_message_id);

    -- When, and at which broadcast seqs, a user was online. end_time and to_seq are null in an open interval.
    CREATE TABLE presence_intervals (
      interval_id INTEGER PRIMARY KEY,
      user_id INTEGER NOT NULL REFERENCES users,
      start_time INTEGER NOT NULL,
      end_time INTEGER,
      from_seq INTEGER NOT NULL,
      to_seq INTEGER
    ) STRICT;
    CREATE UNIQUE INDEX presence_open ON presence_intervals (user_id) WHERE end_time IS NULL;
    CREATE INDEX presence_by_end ON presence_intervals (user_id, end_time);
    CREATE INDEX presence_by_seq ON presence_intervals (user_id, to_seq, from_seq);
  `);
  // The id is not secret, so SQLite's own generator suffices, which the operating system seeds. It saves loading
  // node:crypto.
  database.exec("INSERT INTO server VALUES (1, lower(hex(randomblob(16))), 0, 0)");
  database.run("INSERT INTO conversations VALUES (?, 'broadcast', 0, NULL, NULL)", broadcastConversationId);
}
