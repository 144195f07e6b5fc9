// Writes and reads the bearer token in the metadata of a call.
import { Metadata } from "@grpc/grpc-js";

const KEY = "authorization";
const SCHEME = "bearer ";

/** Metadata that carries a token. */
export function bearer(token: string): Metadata {
  const metadata = new Metadata();
  metadata.set(KEY, `Bearer ${token}`);
  return metadata;
}

/** The bearer token of a call; undefined if there is none, "many" if there are several. */
export function readBearer(metadata: Metadata): string | undefined | "many" {
  const values = metadata.get(KEY);
  if (values.length > 1) return "many";
  const value = values[0];
  if (typeof value !== "string" || value.slice(0, SCHEME.length).toLowerCase() !== SCHEME) return undefined;
  const token = value.slice(SCHEME.length).trim();
  // Node joins repeated authorization headers of one request with ", ", or keeps only the first.
  if (token.includes(",")) return "many";
  return token === "" ? undefined : token;
}
