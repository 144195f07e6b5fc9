// Finds the address and the key of the server for the links that the operator sends to people.
import { networkInterfaces } from "node:os";
import { fingerprintOf } from "../../../rpc/dialling/dial.ts";
import { dataFiles } from "../../files/data-folder.ts";
import { isLoopback } from "../../files/loopback.ts";
import { readServerFile } from "../../files/server-file.ts";
import { type Config, dataOf } from "../../settings/config.ts";
import { CommandFailure } from "../command.ts";
import type { Io } from "../io.ts";
import { servedCertificate } from "./served-certificate.ts";

/** The settings on which a place depends. */
export const placeSettings = ["data", "config", "listen", "publicName", "cert", "key", "plaintext"] as const;

export interface Place {
  readonly host: string;
  readonly port: number;
  readonly fingerprint: string | undefined;
}

/** The address of the running server, or else that of the settings. Tells the operator if people may not reach it. */
export async function findPlace(config: Config, io: Io): Promise<Place> {
  const running = await readServerFile(dataFiles(dataOf(config)).server);
  const { host, port } = running ?? config.listen;
  if (port === 0) {
    throw new CommandFailure(
      "the port is unknown until the server runs: start it first, or set a port with --listen",
    );
  }
  const [publicName] = [...config.publicName, ...(running?.publicNames ?? [])];
  const fingerprint = running
    ? running.fingerprint
    : config.plaintext
      ? undefined
      : fingerprintOf(await servedCertificate(config));
  return { host: publicName ?? reachableHost(host, io), port, fingerprint };
}

function reachableHost(host: string, io: Io): string {
  if (isLoopback(host)) {
    io.complain("Note: the server listens on loopback only, so the link can be used only on this machine.\n");
    return host;
  }
  if (host !== "0.0.0.0" && host !== "::") return host;
  const address = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ internal, family }) => !internal && family === "IPv4")?.address;
  const guess = address ?? "127.0.0.1";
  io.complain(
    `Note: --public-name is not set. The link contains ${guess}, which the person may not be able to reach.\n`,
  );
  return guess;
}
