// parley-server cert: writes the certificate to standard output or a file.
import { writeFile } from "node:fs/promises";
import { readArguments } from "../../command-line/arguments.ts";
import { UsageError } from "../../command-line/usage-error.ts";
import { commandLine } from "../files/package.ts";
import { loadConfig, settingFlags } from "../settings/config.ts";
import { type DescribedFlag, describedSettings, describeFlags } from "../settings/help.ts";
import type { Command } from "./command.ts";
import type { Io } from "./io.ts";
import { servedCertificate } from "./links/served-certificate.ts";

export const command: Command = { help, run };

const ownFlags: readonly DescribedFlag[] = [
  { name: "out", value: "FILE", help: "Write to this file instead of standard output." },
];
const settings = ["data", "config", "cert", "key", "publicName"] as const;

function help(): string {
  return `Prints the certificate that the server presents, in PEM. It is created if it
does not exist. It is not secret: give it to programs that are to trust only
this server.

Usage:
  ${commandLine("parley-server")} cert [FLAGS]

Flags:
${describeFlags([...ownFlags, ...describedSettings(settings)])}
`;
}

async function run(argv: readonly string[], io: Io): Promise<number> {
  const { flags, words } = readArguments(argv, [...ownFlags, ...settingFlags(settings)]);
  if (words.length > 0) throw new UsageError("cert: expected only flags");
  // Without --data, the certificate may belong to a different server from the one that the operator means.
  const onCreated = (file: string): void =>
    io.complain(`Created ${file}, for a server that uses this data folder (--data).\n`);
  const pem = await servedCertificate(await loadConfig({ flags }), onCreated);
  const out = flags.get("out")?.[0];
  if (out === undefined) io.print(pem);
  else await writeFile(out, pem);
  return 0;
}
