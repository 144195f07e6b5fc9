// parley-server cert: writes the certificate out, for clients that want it as a file.
import { writeFile } from "node:fs/promises";
import { readArguments } from "../../command-line/arguments.ts";
import { UsageError } from "../../command-line/usage-error.ts";
import { commandLine } from "../files/package.ts";
import { loadConfig, settingFlags } from "../settings/config.ts";
import { type DescribedFlag, describedSettings, describeFlags } from "../settings/help.ts";
import type { Command } from "./command.ts";
import type { Io } from "./io.ts";
import { servedCertificate } from "./served-certificate.ts";

export const command: Command = { help, run };

const ownFlags: readonly DescribedFlag[] = [
  { name: "out", value: "FILE", help: "Write to this file instead of standard output." },
];
const settings = ["data", "config", "cert", "key", "publicName"] as const;

function help(): string {
  return `The certificate that the server presents, in PEM; made if there is none yet. It
is no secret: give it to programs that shall trust this server and no other.

Usage:
  ${commandLine("parley-server")} cert [FLAGS]

Flags:
${describeFlags([...ownFlags, ...describedSettings(settings)])}
`;
}

async function run(argv: readonly string[], io: Io): Promise<number> {
  const { flags, words } = readArguments(argv, [...ownFlags, ...settingFlags(settings)]);
  if (words.length > 0) throw new UsageError("cert: takes flags only");
  // Whoever forgot --data would wonder why no client trusts the server that runs.
  const onMade = (file: string): void =>
    io.complain(
      `There was no certificate yet: ${file} was made, for a server that uses this data folder (--data).\n`,
    );
  const pem = await servedCertificate(await loadConfig({ flags }), onMade);
  const out = flags.get("out")?.[0];
  if (out === undefined) io.print(pem);
  else await writeFile(out, pem);
  return 0;
}
