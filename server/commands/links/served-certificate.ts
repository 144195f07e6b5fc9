// The certificate that a server with these settings presents, for the commands that run beside it.
import { existsSync } from "node:fs";
import { readSmallFile } from "../../../command-line/small-file.ts";
import { ownCertificate } from "../../files/certificate.ts";
import { dataFiles } from "../../files/data-folder.ts";
import { type Config, dataOf } from "../../settings/config.ts";

/**
 * Creates the certificate if the data folder has none. An existing one is not renewed, because a running server may use
 * it.
 * @param onCreated called with the file if the certificate was created
 * @returns PEM
 */
export async function servedCertificate(
  config: Config,
  onCreated: (file: string) => void = () => undefined,
): Promise<string> {
  const { cert, publicName } = config;
  const files = dataFiles(dataOf(config));
  const file = cert ?? files.cert;
  if (cert !== undefined || existsSync(file)) return (await readSmallFile(file)).text;
  const created = await ownCertificate(files, publicName);
  onCreated(file);
  return created.cert;
}
