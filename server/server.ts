// The composition root: builds the parts of a server around a store, and serves them until it is stopped.
import { Reason } from "../gen/parley/chat/v1/reason.ts";
import type { Service } from "../rpc/calls/handler.ts";
import { type ListenOptions, listen } from "../rpc/listening/listen.ts";
import { Health } from "../rpc/schema/health.ts";
import { reflectionServices } from "../rpc/schema/reflection.ts";
import { type Clock, systemClock } from "../time/clock.ts";
import { Administration } from "./admin/administration.ts";
import { Identities } from "./auth/identities.ts";
import { RefusalRate } from "./auth/load/refusal-rate.ts";
import type { LockRule } from "./auth/lockout.ts";
import { LogIns } from "./auth/log-ins.ts";
import type { Passwords } from "./auth/passwords.ts";
import { Sessions, tooManySessions } from "./auth/sessions.ts";
import { type SignUpMode, UserAccounts } from "./auth/user-accounts.ts";
import type { Bus } from "./bus/bus.ts";
import { NodeBus } from "./bus/node-bus.ts";
import { Blocks } from "./chat/blocks.ts";
import { ConversationLog } from "./chat/conversation-log.ts";
import { ConversationLookup } from "./chat/conversation-lookup.ts";
import { LogDelivery } from "./chat/delivery/log-delivery.ts";
import { WaitingSends } from "./chat/delivery/waiting-sends.ts";
import { Markers } from "./chat/markers.ts";
import { Presence } from "./chat/presence/presence.ts";
import { MessageSending } from "./chat/sending.ts";
import { Typing } from "./chat/typing.ts";
import { UserCache } from "./chat/user-cache.ts";
import { ClientManager, tooManyStreams } from "./client-manager.ts";
import { limits } from "./limits.ts";
import type { Log } from "./log.ts";
import { NodeLease } from "./nodes/node-lease.ts";
import type { ServerObserver, ServerState } from "./observer.ts";
import { Agreements } from "./private/agreements.ts";
import { Introductions, type IntroductionTimes } from "./private/introductions.ts";
import { OpenChats } from "./private/open-chats.ts";
import { Relays } from "./private/relays.ts";
import { ProblemLog } from "./problem-log.ts";
import { Refusal, reasonName } from "./reasons.ts";
import { adminService } from "./services/admin-service.ts";
import { authService } from "./services/auth-service.ts";
import { blockService } from "./services/block-service.ts";
import { Answers } from "./services/calls/answers.ts";
import { Failures } from "./services/calls/failures.ts";
import { Gate } from "./services/calls/gate.ts";
import { shortRequest } from "./services/calls/request-bounds.ts";
import { SessionCalls } from "./services/calls/session-calls.ts";
import { chatService } from "./services/chat-service.ts";
import { directoryService } from "./services/directory-service.ts";
import { historyService } from "./services/history-service.ts";
import { identityService } from "./services/identity-service.ts";
import { introductionService } from "./services/introduction-service.ts";
import { serverService } from "./services/server-service.ts";
import { Streams } from "./services/streams/streams.ts";
import type { Store } from "./store/store.ts";

export interface ServerOptions {
  /** The store, which the caller closes after the server has stopped. */
  readonly store: Store;
  /** Connects this node with the others, if there are any. The caller disposes of it after the server has stopped. */
  readonly bus?: Bus;
  /** Names this process among those that work on the store. It must be given if there are others. */
  readonly nodeId?: string;
  readonly listen: Pick<ListenOptions, "host" | "port" | "limits">;
  /** The certificate and its key, PEM. Without them, the server serves plaintext. */
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly passwords: Passwords;
  readonly signUp: SignUpMode;
  /** The version of the program, which ServerService tells. */
  readonly version?: string;
  readonly presenceGraceMs: number;
  readonly sessionLifetimeMs: number;
  /** Commands and calls that one session may make each second. */
  readonly callRate: number;
  /** How many sessions of one user may be online at the same time. */
  readonly sessionsPerUser: number;
  readonly lock: LockRule;
  /** How long wrong passwords lock log-ins. */
  readonly lockDurationMs: number;
  /** How long a session may go without a command before it ends, ms; undefined if there is no limit. */
  readonly idleTimeoutMs: number | undefined;
  /** Whether the server relays private chats. Default: true. */
  readonly relay?: boolean;
  /** For tests. */
  readonly introductionTimes?: IntroductionTimes;
  /** For tests. */
  readonly introductionsPerMinute?: number;
  /** Encoded FileDescriptorSets, each with its imports, for server reflection. Without them there is no reflection. */
  readonly reflection?: readonly Uint8Array[] | undefined;
  /** Whether to serve the standard health service. Default: true. */
  readonly health?: boolean;
  readonly log: Log;
  /** Counts calls and refusals. */
  readonly observer?: ServerObserver | undefined;
  /** The clock, which tests replace to set the time. By default it is the clock of the system. */
  readonly clock?: Clock;
}

export interface RunningServer extends AsyncDisposable {
  readonly host: string;
  /** The actual port, even if port 0 was requested. */
  readonly port: number;
  readonly state: ServerState;
  /** Uses this certificate for new connections. Open connections continue. */
  replaceCertificate(tls: { cert: string; key: string }): void;
  /** Ends every stream with SERVER_STOPPING. Resolves within 5 s, when all connections are closed. */
  stop(): Promise<void>;
}

/** The name in the health service of the stored data. It is NOT_SERVING once damage was found. */
const DATA_HEALTH = "parley.data";

const STOP_GRACE_MS = 3_000;

/** The id of a node that is alone on its store, so that a process that starts replaces the one before. */
const ONLY_NODE = "only";

export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { store, log, clock = systemClock } = options;
  const bus = new NodeBus();
  if (options.bus !== undefined) {
    await bus.connect(options.bus, (error) =>
      log.error({ err: error }, "a message of another node is not readable"),
    );
  }
  const manager = new ClientManager(bus);
  const users = new UserCache(store.accounts);
  const waiting = new WaitingSends();
  const delivery = await LogDelivery.start({
    log: store.log,
    bus,
    manager,
    users,
    waiting,
    clock,
    onError: (error) => log.error({ err: error }, "the log could not be followed"),
  });
  const lease = new NodeLease({
    nodeId: options.nodeId ?? ONLY_NODE,
    store: store.nodes,
    clock,
    onError: (error) => log.error({ err: error }, "the lease was not renewed"),
  });
  lease.onRenewed((isNew) => {
    if (isNew) log.warn({ event: "lease lost" }, "the lease was lost, and this node has taken another one");
  });
  const presence = new Presence({
    store: store.presence,
    bus,
    manager,
    lease,
    graceMs: options.presenceGraceMs,
    broadcastHead: () => delivery.broadcastHead,
    sessionsPerUser: options.sessionsPerUser,
    tooManySessions,
    tooManyStreams,
    onError: (error) => log.error({ err: error }, "presence was not stored"),
    clock,
  });
  const sessions = new Sessions({
    ...options,
    accounts: store.accounts,
    presence: store.presence,
    lease,
    bus,
    manager,
    serverId: store.serverId,
  });
  bus.subscribe("everyone", (message) => {
    if (message.kind === "users-changed") users.forgetNames();
  });
  // The bus may lose the message.
  const freshNames = clock.every(limits.namesTrustedMs, () => users.forgetNames());
  const refusals = new RefusalRate(clock);
  const logIns = new LogIns({
    ...options,
    refusals,
    accounts: store.accounts,
    logIns: store.logIns,
    sessions,
    lease,
  });
  /** Applies a change of users that was made by a user, an administrator or by another process. */
  const applyChanges = (): Promise<void> => {
    bus.publish("everyone", { kind: "users-changed" });
    return sessions.sweep();
  };
  const userAccounts = new UserAccounts({
    ...options,
    accounts: store.accounts,
    admin: store.admin,
    sessions,
    logIns,
    refusals,
    onRemoved: applyChanges,
  });
  const conversationLog = new ConversationLog(store.log, users, (message) =>
    log.error({ event: "data damaged" }, message),
  );
  const sending = new MessageSending(store.log, waiting, users, store.broadcastId, clock);
  const lookup = new ConversationLookup(store.log, users);
  const markers = new Markers(store.log, bus, clock);
  const typing = new Typing(store.log, store.blocks, bus);
  const blocks = new Blocks(store.blocks, users, markers, presence, clock);
  const identities = new Identities(store.identities, store.serverId, clock);

  const chats = new OpenChats(clock);
  manager.onSessionAway((userId, sessionId) => chats.forget(userId, sessionId));
  const agreements = new Agreements(clock);
  const introductions = new Introductions({
    identities,
    store: store.identities,
    blocks: store.blocks,
    users,
    presence,
    chats,
    agreements,
    bus,
    times: options.introductionTimes ?? { timeoutMs: limits.introductionMs, lifetimeMs: limits.agreementMs },
    graceMs: options.presenceGraceMs,
    perMinute: options.introductionsPerMinute ?? limits.introductionsPerMinute,
    clock,
  });

  store.onExternalChange(() => {
    applyChanges().catch((error: unknown) => log.error({ err: error }, "sessions were not checked"));
  });
  const administration = new Administration({
    accounts: store.accounts,
    admin: store.admin,
    passwords: options.passwords,
    onChange: applyChanges,
  });
  await sessions.open();
  await lease.start();
  await presence.start();

  const onError = (error: unknown, method: string): void => log.error({ err: error, method }, "call failed");
  const { observer } = options;
  const serviceOptions = {
    onError,
    bounds: shortRequest,
    onEnded:
      observer && ((method: string, error?: { reason: string }) => observer.callEnded(method, error?.reason)),
  };
  const answers = new Answers(clock);
  const failures = new Failures(onError);
  const gate = new Gate(sessions, answers, failures);
  const calls = new SessionCalls(gate, manager);
  const streams = new Streams({
    bus,
    gate,
    store,
    log: conversationLog,
    manager,
    presence,
    identities,
    introductions,
    limits: options,
    clock,
  });
  const onRefused = (reason: Reason): void => observer?.commandRefused(reasonName(reason));
  const rules = { sending, markers, typing, failures, onRefused };
  const services = [
    adminService({
      gate,
      administration,
      sessions,
      store,
      clock,
      log,
      options: serviceOptions,
    }),
    authService({
      gate,
      sessions,
      userAccounts,
      logIns,
      logInStore: store.logIns,
      accounts: store.accounts,
      clock,
      options: serviceOptions,
    }),
    blockService({ gate, blocks, store: store.blocks, options: serviceOptions }),
    chatService({ gate, streams, rules, options: serviceOptions }),
    directoryService({
      gate,
      accounts: store.accounts,
      admin: store.admin,
      presence: store.presence,
      users,
      clock,
      options: serviceOptions,
    }),
    historyService({ gate, store: store.log, log: conversationLog, lookup, options: serviceOptions }),
    identityService({ gate, identities, store: store.identities, users, options: serviceOptions }),
    serverService({
      gate,
      serverId: store.serverId,
      version: options.version ?? "",
      signUp: options.signUp,
      limits: options,
      relay: options.relay !== false,
      clock,
      options: serviceOptions,
    }),
    introductionService({
      gate,
      calls,
      introductions,
      chats,
      users,
      relays: options.relay === false ? undefined : new Relays(agreements, clock),
      identities,
      clock,
      manager,
      options: serviceOptions,
    }),
  ];
  const health = new Health([...services.map(nameOf), DATA_HEALTH]);
  const problems = new ProblemLog(log, clock);
  store.onProblem((problem) => {
    problems.add(problem);
    if (problem.kind === "damaged") health.degrade(DATA_HEALTH);
  });
  if (options.health !== false) services.push(health.service({ onError }));
  if (options.reflection !== undefined) {
    // Reflection also lists itself.
    const own = ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"];
    const named = [...services.map(nameOf), ...own];
    services.push(...reflectionServices({ onError, clock, images: options.reflection, services: named }));
  }
  const listener = await listen({
    ...options.listen,
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    services,
    clock,
  });

  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    health.stop();
    manager.endAll(new Refusal(Reason.SERVER_STOPPING, { retryDelayMs: limits.comeBackMs }));
    await listener.stop({ graceMs: STOP_GRACE_MS });
    answers[Symbol.dispose]();
    streams[Symbol.dispose]();
    freshNames[Symbol.dispose]();
    await sessions[Symbol.asyncDispose]();
    manager[Symbol.dispose]();
    chats[Symbol.dispose]();
    agreements[Symbol.dispose]();
    try {
      await presence[Symbol.asyncDispose]();
      await lease[Symbol.asyncDispose]();
    } finally {
      delivery[Symbol.dispose]();
      bus[Symbol.dispose]();
    }
  };
  const running: RunningServer = {
    host: listener.host,
    port: listener.port,
    get state() {
      const { streams, users, queuedBytes } = manager.counts;
      return { connections: listener.connections, streams, users, outboxBytes: queuedBytes };
    },
    replaceCertificate: (tls) => listener.replaceCertificate(tls),
    stop: () => (stopping ??= stop()),
    [Symbol.asyncDispose]: () => running.stop(),
  };
  return running;
}

/** A service's fully-qualified name, from the path of a method: "/parley.chat.v1.AuthService/LogIn". */
function nameOf({ definition }: Service): string {
  const [method] = Object.values(definition);
  return method?.path.split("/")[1] ?? "";
}
