// The numbered migrations of the state database. A migration that was released must not be edited.

/** Migration n (from 1) changes user_version from n-1 to n. All pending ones run in one transaction. */
export const migrations: readonly string[] = [
  `
  CREATE TABLE servers (
    address TEXT PRIMARY KEY,
    trust TEXT NOT NULL CHECK (trust IN ('system', 'pin', 'plaintext')),
    fingerprint TEXT,
    last_used_time INTEGER NOT NULL,
    CHECK ((trust = 'pin') = (fingerprint IS NOT NULL))
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE profiles (
    profile_id INTEGER PRIMARY KEY AUTOINCREMENT,
    address TEXT NOT NULL REFERENCES servers,
    username TEXT NOT NULL,
    server_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    device_secret TEXT NOT NULL,
    session_id TEXT,
    token TEXT,
    token_expire_time INTEGER,
    last_client_message_id INTEGER NOT NULL DEFAULT 0,
    last_used_time INTEGER NOT NULL,
    UNIQUE (address, username),
    CHECK ((token IS NULL) = (session_id IS NULL))
  ) STRICT;

  CREATE TABLE cursors (
    profile_id INTEGER NOT NULL REFERENCES profiles ON DELETE CASCADE,
    conversation_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    peer_user_id TEXT,
    peer_username TEXT,
    delivered_seq INTEGER NOT NULL,
    read_seq INTEGER NOT NULL,
    last_used_time INTEGER NOT NULL,
    PRIMARY KEY (profile_id, conversation_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE processes (
    process_id TEXT PRIMARY KEY,
    pid INTEGER NOT NULL,
    host TEXT NOT NULL,
    heartbeat_time INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE queue_owners (
    profile_id INTEGER PRIMARY KEY REFERENCES profiles ON DELETE CASCADE,
    process_id TEXT NOT NULL
  ) STRICT;

  CREATE TABLE unsent (
    profile_id INTEGER NOT NULL REFERENCES profiles ON DELETE CASCADE,
    client_message_id INTEGER NOT NULL,
    target_kind TEXT NOT NULL CHECK (target_kind IN ('user', 'conversation', 'broadcast')),
    target TEXT NOT NULL,
    content BLOB NOT NULL,
    queued_time INTEGER NOT NULL,
    held INTEGER NOT NULL,
    process_id TEXT,
    PRIMARY KEY (profile_id, client_message_id)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- The keys of private chats: this device's, and on a user's first device the identity key.
  CREATE TABLE device_keys (
    profile_id INTEGER PRIMARY KEY REFERENCES profiles ON DELETE CASCADE,
    device_id TEXT NOT NULL,
    private_key TEXT NOT NULL,
    certificate TEXT NOT NULL,
    identity_key BLOB
  ) STRICT;

  CREATE TABLE contacts (
    profile_id INTEGER NOT NULL REFERENCES profiles ON DELETE CASCADE,
    username TEXT NOT NULL,
    user_id TEXT NOT NULL,
    identity_key BLOB NOT NULL,
    since_time INTEGER NOT NULL,
    verified INTEGER NOT NULL CHECK (verified IN (0, 1)),
    accepted_devices TEXT NOT NULL,
    always TEXT NOT NULL CHECK (always IN ('ask', 'direct', 'relay')),
    PRIMARY KEY (profile_id, username)
  ) STRICT, WITHOUT ROWID;

  -- What was said in private, where the person wants it kept.
  CREATE TABLE private_lines (
    line_id INTEGER PRIMARY KEY AUTOINCREMENT,
    profile_id INTEGER NOT NULL REFERENCES profiles ON DELETE CASCADE,
    username TEXT NOT NULL,
    mine INTEGER NOT NULL CHECK (mine IN (0, 1)),
    time INTEGER NOT NULL,
    text TEXT NOT NULL
  ) STRICT;
  CREATE INDEX private_lines_by_user ON private_lines (profile_id, username, line_id);
  `,
  `
  -- The code of a contact that was shown last, which a person may confirm.
  ALTER TABLE contacts ADD COLUMN shown_code TEXT;
  `,
  `
  -- The fingerprint of the device of a contact that stopped a chat last, which a person may accept.
  ALTER TABLE contacts ADD COLUMN stopped_device TEXT;
  `,
  `
  -- Ids below a million are left to those who number by hand.
  UPDATE profiles SET last_client_message_id = last_client_message_id + 1000000;
  `,
  `
  -- A server can have several addresses. The fingerprint of one that authorities vouch for is that of its last probe.
  ALTER TABLE servers RENAME TO old_servers;
  CREATE TABLE servers (
    server_key INTEGER PRIMARY KEY AUTOINCREMENT,
    trust TEXT NOT NULL CHECK (trust IN ('system', 'pin', 'plaintext')),
    fingerprint TEXT,
    CHECK (trust <> 'pin' OR fingerprint IS NOT NULL)
  ) STRICT;
  CREATE TABLE addresses (
    address TEXT PRIMARY KEY,
    server_key INTEGER NOT NULL REFERENCES servers,
    last_used_time INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  INSERT INTO servers (server_key, trust, fingerprint)
    SELECT row_number() OVER (ORDER BY address), trust, fingerprint FROM old_servers;
  INSERT INTO addresses (address, server_key, last_used_time)
    SELECT address, row_number() OVER (ORDER BY address), last_used_time FROM old_servers;

  CREATE TABLE new_profiles (
    profile_id INTEGER PRIMARY KEY AUTOINCREMENT,
    server_key INTEGER NOT NULL REFERENCES servers,
    username TEXT NOT NULL,
    server_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    device_secret TEXT NOT NULL,
    session_id TEXT,
    token TEXT,
    token_expire_time INTEGER,
    last_client_message_id INTEGER NOT NULL DEFAULT 0,
    last_used_time INTEGER NOT NULL,
    UNIQUE (server_key, username),
    CHECK ((token IS NULL) = (session_id IS NULL))
  ) STRICT;
  INSERT INTO new_profiles (profile_id, server_key, username, server_id, user_id, device_id, device_secret, session_id,
      token, token_expire_time, last_client_message_id, last_used_time)
    SELECT profile_id, server_key, username, server_id, user_id, device_id, device_secret, session_id,
      token, token_expire_time, last_client_message_id, p.last_used_time
    FROM profiles p JOIN addresses USING (address);
  DROP TABLE profiles;
  ALTER TABLE new_profiles RENAME TO profiles;
  DROP TABLE old_servers;
  `,
  `
  -- The unsigned devices with which a private chat has opened before, as a JSON list of fingerprints.
  ALTER TABLE contacts ADD COLUMN seen_devices TEXT;
  `,
];
