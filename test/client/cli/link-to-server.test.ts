// The links that an administrator prints contain only keys that this client has verified.
import { expect, test } from "vitest";
import { joinLine } from "../../../client/cli/admin/link-to-server.ts";
import { startServer } from "./parley.ts";

test("a link has the pinned key, and no key for which no authority vouches where one did before", async () => {
  await using server = await startServer({ users: [] });
  const address = `localhost:${server.port}`;
  const pin = { kind: "pin", fingerprint: "SHA256:pinned" } as const;
  expect(await joinLine({ endpoint: { address, trust: pin } }, "invite", "secret")).toBe(
    `parley join ${address}/secret/SHA256:pinned`,
  );
  // As if another machine answered the second connection: its key would be the only one that the person trusts.
  const trust = { kind: "system" } as const;
  const line = joinLine({ endpoint: { address, trust } }, "reset", "secret");
  await expect(line).rejects.toMatchObject({ name: "ConnectError", kind: "untrusted" });
});
