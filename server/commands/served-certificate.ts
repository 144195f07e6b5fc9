// The certificate that a server on these settings presents, as far as the commands beside it can know.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { ownCertificate } from "../files/certificate.ts";
import { dataFiles } from "../files/data-folder.ts";
import { type Config, dataOf } from "../settings/config.ts";

/**
 * PEM. Made where the data folder has none yet; one that is there is left as it is, since a server may run with it.
 * @param onMade told where it was made
 */
export async function servedCertificate(
  config: Config,
  onMade: (file: string) => void = () => undefined,
): Promise<string> {
  const { cert, publicName } = config;
  const files = dataFiles(dataOf(config));
  const file = cert ?? files.cert;
  if (cert !== undefined || existsSync(file)) return readFile(file, "utf8");
  const made = await ownCertificate(files, publicName);
  onMade(file);
  return made.cert;
}
