// Every bound that the server enforces, with its unit and the reason for its size.

const KiB = 1024;
const MiB = 1024 * KiB;

export const limits = {
  /** Encoded Content, bytes: about 16 pages of text. */
  contentBytes: 32 * KiB,
  /** One request message, bytes. A compressed one may inflate to twice as many. */
  requestBytes: 256 * KiB,
  commandsPerRequest: 1000,
  cursors: 1000,
  streamsPerSession: 4,
  markersPerRequest: 1000,
  usernameBytes: 64,
  passwordBytes: 256,
  secretBytes: 64,
  /** The number of wrong passwords in a row that locks log-ins. The original has the same number. */
  failuresToLock: 3,
  /** The longest lock, ms, and how long after its end a lock makes the next one longer. */
  longestLockMs: 60 * 60_000,
  locksRememberedMs: 24 * 60 * 60_000,
  /** The log-ins with the same name, or from the same known device, that may wait for their turn. */
  attemptsPerName: 8,
  /**
   * The refused log-ins and sign-ups of one network: at once, and then each second. Enough for people who mistype in one
   * house; at 15 ms each, a stranger then takes little of a core.
   */
  refusalsBurst: 60,
  refusalsPerSecond: 1,
  /**
   * How long the answer to an attempt beyond that rate is held, ms, and the number of these answers for one network and
   * in all. They are held so that a program that repeats attempts at once is slowed down; each takes about 10 KiB.
   */
  heldRefusalMs: 1_000,
  heldRefusalsOfNetwork: 256,
  heldRefusals: 1_024,
  /** The networks whose rate of refusals is known. */
  cachedNetworks: 50_000,
  /** The password checks that wait: of strangers and of known devices each, and of one network or one user. */
  passwordsWaiting: 256,
  passwordsWaitingOfOne: 32,
  idBytes: 32,
  clientFieldBytes: 64,

  /** How many users can sign up with one invite, and for how many seconds it is valid: at most ten years. */
  inviteUses: 1_000_000,
  inviteSeconds: 3650 * 86_400,
  inviteSecondsDefault: 7 * 86_400,

  /** A device's certificate, DER, bytes. Certificates on P-256 have about 300 to 600. */
  deviceCertificateBytes: 2048,
  /** An Ed25519 key and an Ed25519 signature, bytes. */
  identityKeyBytes: 32,
  signatureBytes: 64,

  /** How long a private chat request waits for its answer, and how long an acceptance is valid, ms. */
  introductionMs: 60_000,
  agreementMs: 60_000,
  /** The pending requests of one calling session, and those to one user. */
  introductionsPerSession: 8,
  introductionsPerCallee: 32,
  /** Accepted requests of one user that are still valid. */
  agreementsPerUser: 64,
  introductionRetryMs: 5_000,
  /** The requests of one user to another: enough for a person, but too few to flood a screen. */
  introductionsPerMinute: 10,
  /** Answered requests for which the answering device is remembered. */
  answeredIntroductions: 1000,
  /** Addresses that a device announces for direct connections, and the bytes of one. */
  directAddresses: 16,
  addressBytes: 64,
  reportedChats: 1000,
  failedIntroductions: 100,
  /**
   * Programs of one session whose last stream ended and that may reconnect. Beyond this number, the oldest is dropped.
   */
  leavingPrograms: 16,
  /** The id that distinguishes the programs of a session. */
  processIdBytes: 32,

  /** The time within which a new relay call must send its opening, ms. */
  relayOpeningMs: 5_000,
  /** Open relays, also those of sessions that have just ended. */
  relaysPerSession: 16,
  relaysPerUser: 64,
  relayPieceBytes: 16 * KiB,
  /** How much a device may send before the other has received it, bytes. This is the most that waits in memory. */
  relayWindowBytes: 256 * KiB,
  /** Credit is granted in steps of this many bytes, so that a small message needs no answer. */
  relayCreditBytes: 32 * KiB,
  /** Bytes per second in each direction: enough for a chat with pictures, too few for films. */
  relayBytesPerSecond: 1 * MiB,
  /**
   * The outbox of one direction, bytes: the window, plus the overhead of pieces of about 500 bytes. Above it, the
   * sender is not read.
   */
  relaySoftBytes: 384 * KiB,
  relayHardBytes: 512 * KiB,
  /** What a waiting piece takes in memory in addition to its bytes. It was measured for small pieces. */
  relayPieceOverhead: 256,
  /** How long a device may take to receive the rest after the other has left, ms. */
  relayFlushMs: 10_000,
  /** How long a relay stays open after its session has ended, so that the device can tell its peer the reason, ms. */
  relayGoodbyeMs: 2_000,

  /** Entries pushed in a backlog for a conversation without a cursor. */
  backlogUnnamed: 50,
  /** The most entries pushed for one conversation. A Gap covers older ones. */
  backlogPerConversation: 500,
  /** Entries read from the store at a time while pushing. */
  backlogPage: 100,

  /** The encoded response of a history or list call, bytes. A page ends before the item that would exceed it. */
  pageBytes: 512 * KiB,
  /** The same for the entries that are read at a time for a stream, which keeps them while its reader is slow. */
  backlogPageBytes: 128 * KiB,
  /** What an entry of a page counts in addition to its content, bytes: ids, names, and a range that is left out. */
  entryOverhead: 512,
  pageDefault: 100,
  pageMost: 1000,
  historyPageMost: 500,

  /**
   * The answers of unary calls that are prepared and not taken by their clients, bytes: of a session (two pages), of a
   * user, and of everyone. Further calls wait.
   */
  answersPerSession: 1 * MiB,
  answersPerUser: 4 * MiB,
  answersInAll: 64 * MiB,
  /** What each answer counts in addition to its bytes, since an open call takes memory too. */
  answerOverhead: 1 * KiB,
  /** The pages that are prepared at the same time. Each takes up to four times its bytes until it is handed over. */
  pagesInPreparation: 8,
  /** The bytes of pages that a session may receive each second, before compression. */
  pageBytesPerSecond: 8 * MiB,
  /** The calls that may wait for the above: of a user, and of everyone. */
  waitingCallsPerUser: 64,
  waitingCalls: 4096,

  /**
   * The outbox of one stream, bytes. Above the soft limit the stream catches up from the store; above the hard limit it
   * ends with SLOW_READER.
   */
  outboxSoftBytes: 256 * KiB,
  outboxHardBytes: 1 * MiB,
  frameBytes: 64 * KiB,
  /**
   * The changed conversations that a stream records while it catches up. If there are more, it ends with SLOW_READER.
   */
  touchedConversations: 1000,
  /**
   * The presence changes, and the markers, that wait for a slow stream. If there are more, it ends with SLOW_READER.
   */
  heldPresence: 10_000,
  heldMarkers: 10_000,
  /** The users in one PresenceChanged event. If there are more, they are sent in several events. */
  presencePerEvent: 500,
  /** The number of bytes that a marker counts as in sendsInFlightBytes. */
  markerBytes: 64,
  /** How long a stream may receive nothing while its outbox is not empty, ms. */
  slowReaderMs: 60_000,

  /** The sends of one stream that wait for their commit. Above either bound, the stream is not read. */
  sendsInFlight: 1024,
  sendsInFlightBytes: 1 * MiB,

  /** The time within which a new stream must send its Hello, ms. */
  helloMs: 5_000,
  /** How long presence changes are collected before they are sent together, ms. */
  presenceJoinMs: 100,
  /** How often a node looks by itself at what others have stored, in case a message of the bus was lost, ms. */
  lookMs: 1_000,
  /** A node that does not renew its lease for this long is taken as dead, ms. A renewal may fail twice. */
  leaseMs: 15_000,
  leaseRenewalMs: 5_000,
  /** The streams of dead nodes that are removed in one write. */
  sweptStreams: 1_000,

  /** The reconnect delay that a stopping server gives, ms. Clients add jitter. */
  comeBackMs: 1_000,
  overloadedRetryMs: 2_000,
  tooManyStreamsRetryMs: 5_000,
  /** Damage stays until an operator acts. */
  damagedRetryMs: 30_000,

  /** The entries of the caches of users and of sessions. */
  cachedUsers: 50_000,
  cachedSessions: 20_000,
  /** How often a node asks which of its sessions have ended, ms: if the bus loses the news, they end so late. */
  sessionLookMs: 1_000,
  /** How long a node trusts a token without asking the store, ms. A token that is used more often is asked about by a look. */
  tokenTrustedMs: 2_000,
  /** How long a node trusts the name of a user without asking the store, ms: another node may have removed the user. */
  namesTrustedMs: 60_000,
} as const;
