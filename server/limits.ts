// Every bound that the server enforces, with its unit and the reason for its size.

const KiB = 1024;
const MiB = 1024 * KiB;

export const limits = {
  /** Encoded Content, bytes: some 16 pages of text; a longer one is a file. */
  contentBytes: 32 * KiB,
  /** One request message, bytes; inflation of a compressed one is cut at twice as many. */
  requestBytes: 256 * KiB,
  commandsPerRequest: 1000,
  cursors: 1000,
  streamsPerSession: 4,
  markersPerRequest: 1000,
  usernameBytes: 64,
  passwordBytes: 256,
  secretBytes: 64,
  /** Wrong passwords in a row that lock log-ins: the original's number. */
  failuresToLock: 3,
  /** Log-ins with the same name, or from the same known device, that wait for one another; they take turns. */
  attemptsPerName: 8,
  idBytes: 32,
  clientFieldBytes: 64,

  /** A device's certificate, DER, bytes: one on P-256 has some 300 to 600. */
  deviceCertificateBytes: 2048,
  /** Ed25519, bytes. */
  identityKeyBytes: 32,
  signatureBytes: 64,

  /** How long a question for a private chat waits for its answer, and how long a yes is good, ms. */
  introductionMs: 60_000,
  agreementMs: 60_000,
  /** Questions that wait: of one calling session, and for one user. */
  introductionsPerSession: 8,
  introductionsPerCallee: 32,
  /** Questions of one user that were answered yes and are still good. */
  agreementsPerUser: 64,
  introductionRetryMs: 5_000,
  /** Questions of one user to another: enough for a person who is in doubt, and no way to fill a screen. */
  introductionsPerMinute: 10,
  /** Questions that were answered, of which it is remembered by which device. */
  answeredIntroductions: 1000,
  /** Addresses that a device says it may be dialled at, and the bytes of one. */
  directAddresses: 16,
  addressBytes: 64,
  reportedChats: 1000,
  failedIntroductions: 100,
  /** Programs of one session whose last stream is over and that may come back: beyond them the oldest may not. */
  leavingPrograms: 16,
  /** Of what tells apart the programs of a session. */
  processIdBytes: 32,

  /** How long a new relay call may wait with its opening, ms. */
  relayOpeningMs: 5_000,
  relaysPerSession: 16,
  relayPieceBytes: 16 * KiB,
  /** What a device may send ahead of what the other one has taken, bytes: so much waits in memory at most. */
  relayWindowBytes: 256 * KiB,
  /** Credit is given in steps of so many bytes: a small message alone costs no answer. */
  relayCreditBytes: 32 * KiB,
  /** Bytes a second, each way: a chat with some pictures; no way to move films through somebody's server. */
  relayBytesPerSecond: 1 * MiB,
  /** Outbox of one half, bytes: the window with what pieces of some 300 bytes cost beside; above it the other is not read. */
  relaySoftBytes: 320 * KiB,
  relayHardBytes: 512 * KiB,
  /** How long a device may take for what was sent to it when the other has left, ms. */
  relayFlushMs: 10_000,

  /** Entries pushed in a backlog for a conversation without a cursor. */
  backlogUnnamed: 50,
  /** Entries pushed at most for one conversation; older ones are named by a Gap. */
  backlogPerConversation: 500,
  /** Entries read from the store at a time while pushing. */
  backlogPage: 100,

  /** A page of entries ends once their contents are so many bytes. */
  pageBytes: 512 * KiB,
  pageDefault: 100,
  pageMost: 1000,
  historyPageMost: 500,

  /** Outbox of one stream, bytes: above soft it catches up from the store, above hard it ends as SLOW_READER. */
  outboxSoftBytes: 256 * KiB,
  outboxHardBytes: 1 * MiB,
  frameBytes: 64 * KiB,
  /** Conversations that a stream which catches up remembers as touched; more end it as SLOW_READER. */
  touchedConversations: 1000,
  /** Presence changes, and markers, held for a stream that cannot take them; more end it as SLOW_READER. */
  heldPresence: 10_000,
  heldMarkers: 10_000,
  /** Users named by one PresenceChanged; more come in several. */
  presencePerEvent: 500,
  /** What one marker counts in sendsInFlightBytes. */
  markerBytes: 64,
  /** How long a stream may take nothing at all while something waits, ms. */
  slowReaderMs: 60_000,

  /** Sends of one stream that wait for their commit; above either, the stream is not read. */
  sendsInFlight: 1024,
  sendsInFlightBytes: 1 * MiB,

  /** How long a new stream may wait with its Hello, ms. */
  helloMs: 5_000,
  /** Presence changes are joined for this long, ms. */
  presenceJoinMs: 100,
  presenceHeartbeatMs: 5_000,

  /** The delay that a good-bye asks for, ms; the client spreads it. */
  comeBackMs: 1_000,
  overloadedRetryMs: 2_000,
  tooManyStreamsRetryMs: 5_000,

  cachedUsers: 50_000,
  cachedSessions: 20_000,
} as const;
