// Opens a server from its settings: data folder, lock, store, first users, certificate, services.
import { readFile } from "node:fs/promises";
import { fileProblemWithPath } from "../../command-line/file-problem.ts";
import { makeFolder } from "../../command-line/make-folder.ts";
import { fingerprintOf } from "../../rpc/dialling/dial.ts";
import { type Certificate, ListenError } from "../../rpc/listening/listen.ts";
import { formatAddress } from "../../rpc/network/address.ts";
import { type Clock, systemClock } from "../../time/clock.ts";
import { type PasswordCost, Passwords } from "../auth/passwords.ts";
import { CertificateError, loadCertificate, ownCertificate } from "../files/certificate.ts";
import { watchCertificateTimes } from "../files/certificate-times.ts";
import { watchCertificate } from "../files/certificate-watch.ts";
import {
  type Credential,
  easilyGuessed,
  importCredentials,
  readCredentials,
} from "../files/credentials-file.ts";
import { claimDataFolder, dataFiles, FolderInUseError, temporaryDataFolder } from "../files/data-folder.ts";
import { watchDescriptors } from "../files/descriptor-watch.ts";
import { isLoopback } from "../files/loopback.ts";
import { packageFile, packageVersion } from "../files/package.ts";
import { makeReserve, useReserveIfFull } from "../files/reserve.ts";
import { findSampleUsers } from "../files/sample-users.ts";
import { removeServerFile, writeServerFile } from "../files/server-file.ts";
import type { OpenLog } from "../log.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { type RunningServer, type ServerOptions, startServer } from "../server.ts";
import type { Config } from "../settings/config.ts";
import { ConfigError } from "../settings/layers.ts";
import type { SettingName } from "../settings/settings.ts";
import { lockDataFolder } from "../store/sqlite/database/lock.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import { CommandFailure } from "./command.ts";

export interface OpenServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly fingerprint: string | undefined;
  /** The data folder. */
  readonly data: string;
  /** Where the metrics are served; undefined if they are not. */
  readonly metricsUrl: string | undefined;
  /** The sample users that still have their public passwords: at most two on a loopback address, and otherwise all. */
  readonly sampleUsers: readonly Credential[];
  /** Loads the operator's certificate again, and opens the log file again. */
  reload(): Promise<void>;
}

export interface OpenServerOptions {
  readonly config: Config;
  readonly log: OpenLog;
  /** Called when the store has failed for good; only a restart helps. */
  readonly onFatal: (error: Error) => void;
  /** The cost of a password, set by tests; by default the real cost. */
  readonly passwordCost?: PasswordCost | undefined;
  /** The clock of the certificate and of the server, set by tests; by default the system's. */
  readonly clock?: Clock | undefined;
}

/** @throws errors whose messages are for the operator; see run-command.ts */
export async function openServer({
  config,
  log,
  passwordCost,
  onFatal,
  clock = systemClock,
}: OpenServerOptions): Promise<OpenServer> {
  await using opened = new AsyncDisposableStack();
  const data = await openDataFolder(config, opened);
  const files = dataFiles(data);
  const lock = opened.use(await lockDataFolder(data));
  for (const path of lock.closed) {
    log.warn(
      { event: "closed to others", file: path },
      `other users of this machine could use ${path}; it is closed now`,
    );
  }
  if (useReserveIfFull(files.reserve)) {
    log.error(
      { event: "disk full", file: data },
      `the disk of ${data} is full: what is stored is served, and sends are refused when they find no space`,
    );
  }
  const credentials = await readFirstUsers(config, log);
  const store = opened.use(await openSqliteStore({ file: files.database, onFatal }));
  if (!config.ephemeral) makeReserve(files.reserve);
  const passwords = new Passwords({ cost: passwordCost });
  const added = await importCredentials(store.accounts, credentials, passwords);
  if (added.length > 0) log.info({ event: "users imported", count: added.length }, "users imported");
  // The passwords of the sample users are public. The start message says so.
  const isSample = config.credentials === packageFile("docs/credentials.txt");
  const easy = isSample ? [] : easilyGuessed(credentials, added);
  if (easy.length > 0) {
    const names = `${easy.slice(0, 10).join(", ")}${easy.length > 10 ? " and others" : ""}`;
    log.warn(
      { event: "easy passwords", count: easy.length },
      `imported users whose passwords are easy to guess, and should be changed: ${names}`,
    );
  }

  const { plaintext, publicName, cert, key } = config;
  const own = cert === undefined || key === undefined ? undefined : { cert, key };
  const operators =
    own && (await namingSetting(config, "cert", () => loadCertificate(own, new Date(clock.now()))));
  if (operators?.warning !== undefined) log.warn({ event: "certificate" }, operators.warning);
  const tls = plaintext
    ? undefined
    : (operators ?? (await ownCertificate(files, publicName, new Date(clock.now()))));

  // Loaded only here, because most servers have no metrics.
  const metrics = config.metrics && new (await import("../metrics/metrics.ts")).Metrics();
  const server = opened.use(
    await start(config, {
      // The settings have the names of the options.
      ...config,
      store: metrics?.measured(store) ?? store,
      observer: metrics,
      ...(tls && { tls: { cert: tls.cert, key: tls.key } }),
      passwords,
      version: packageVersion(),
      reflection: config.reflection ? await readSchema() : undefined,
      log,
      clock,
    }),
  );
  const { host, port } = server;
  let served = tls?.cert;
  let fingerprint = served && fingerprintOf(served);
  const publish = (): Promise<void> =>
    writeServerFile(files.server, { host, port, fingerprint, publicNames: publicName, pid: process.pid });
  await publish();
  opened.defer(() => removeServerFile(files.server));

  const use = (certificate: Certificate): void => {
    server.replaceCertificate(certificate);
    served = certificate.cert;
    fingerprint = fingerprintOf(served);
    publish().catch((error: unknown) => log.error({ err: error }, "server.json was not written"));
  };
  const watch = own && opened.use(watchCertificate({ files: own, log, onChange: use, clock }));
  if (tls !== undefined) {
    opened.use(
      watchCertificateTimes({
        file: own?.cert ?? files.cert,
        served: () => served ?? tls.cert,
        renew: own === undefined ? (now) => ownCertificate(files, publicName, now) : undefined,
        onRenewed: use,
        log,
        clock,
      }),
    );
  }

  let metricsUrl: string | undefined;
  if (metrics !== undefined) {
    metrics.observe({
      state: () => server.state,
      certificate: () => served,
      folder: data,
      version: packageVersion(),
      now: () => clock.now(),
    });
    metricsUrl = opened.use(await openMetrics(config, metrics, log)).url;
  }

  opened.use(watchDescriptors(log, clock));

  const sampleUsers = await findSampleUsers(store.accounts, passwords, isLoopback(host) ? 2 : 100);
  const resources = opened.move();
  return {
    host,
    port,
    get fingerprint() {
      return fingerprint;
    },
    data,
    metricsUrl,
    sampleUsers,
    reload: async () => {
      log.reopen();
      await watch?.reload();
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

async function openDataFolder(config: Config, opened: AsyncDisposableStack): Promise<string> {
  const { data, ephemeral, sourceOf } = config;
  if (data === undefined) {
    return opened.use(await namingSetting(config, "ephemeral", () => temporaryDataFolder())).path;
  }
  if (ephemeral) {
    throw new ConfigError(`${sourceOf("ephemeral")}: contradicts ${sourceOf("data")}; leave one of them out`);
  }
  await namingSetting(config, "data", () => claimDataFolder(data));
  await namingSetting(config, "data", async () => makeFolder(data, 0o700));
  return data;
}

interface OpenMetrics extends AsyncDisposable {
  readonly url: string;
}

/** Serves the metrics where the setting says. */
async function openMetrics(config: Config, metrics: Metrics, log: OpenLog): Promise<OpenMetrics> {
  const { host, port } = config.metrics ?? { host: "127.0.0.1", port: 0 };
  const { serveMetrics } = await import("../metrics/metrics-endpoint.ts");
  const onError = (error: unknown): void => log.error({ err: error }, "the metrics could not be read");
  const endpoint = await namingSetting(config, "metrics", () =>
    serveMetrics({ host, port, metrics, onError }),
  );
  const address = formatAddress({ host, port: endpoint.port });
  log.info({ event: "metrics", host, port: endpoint.port }, "metrics");
  if (!isLoopback(host)) {
    log.warn(
      { event: "metrics", host, port: endpoint.port },
      `metrics are served at ${address} without encryption and without log-in; use a loopback address, or a firewall`,
    );
  }
  return {
    url: `http://${address}/metrics`,
    [Symbol.asyncDispose]: () => endpoint[Symbol.asyncDispose](),
  };
}

async function start(config: Config, options: ServerOptions): Promise<RunningServer> {
  try {
    return await namingSetting(config, "listen", () => startServer(options));
  } catch (error) {
    const isTaken =
      error instanceof Error && error.cause instanceof ListenError && error.cause.code === "EADDRINUSE";
    if (!isTaken) throw error;
    throw new CommandFailure(`${error.message} (--listen ${formatAddress({ ...options.listen, port: 0 })})`);
  }
}

/** Runs the work. If the operating system or a file causes an error, adds the source of the setting to it. */
async function namingSetting<T>({ sourceOf }: Config, name: SettingName, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const isKnown =
      cause instanceof ListenError || cause instanceof CertificateError || cause instanceof FolderInUseError;
    if (!(cause instanceof Error) || !(isKnown || "syscall" in cause)) throw cause;
    const problem = isKnown ? cause.message : fileProblemWithPath(cause);
    throw new CommandFailure(`${sourceOf(name)}: ${problem}`, { cause });
  }
}

async function readFirstUsers(config: Config, log: OpenLog): Promise<Credential[]> {
  const { credentials } = config;
  return credentials === undefined
    ? []
    : namingSetting(config, "credentials", () => readCredentials(credentials, log));
}

/** The schema for server reflection. */
function readSchema(): Promise<Uint8Array[]> {
  const names = ["parley", "health", "reflection", "error-details"];
  return Promise.all(names.map((name) => readFile(packageFile(`gen/${name}.binpb`))));
}
