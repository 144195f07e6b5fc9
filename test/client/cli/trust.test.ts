// Trust in a server: unknown servers, changed keys, plaintext and invite links.
import { afterAll, beforeAll, expect, test } from "vitest";
import { State } from "../../../client/state/state.ts";
import { probe } from "../../../rpc/dialling/dial.ts";
import { joinLine } from "../../../server/files/invite-link.ts";
import { makeCertificate } from "../../rpc/certificates.ts";
import { passwordOf, TestServer, type TestServerOptions } from "../../support/server.ts";
import { certificate, Home, parsed, startServer } from "./parley.ts";

let server: TestServer;
let fingerprint: string;
/** An address of the server that does not count as this machine. */
let elsewhere: string;

beforeAll(async () => {
  server = await startServer();
  ({ fingerprint } = await probe(`127.0.0.1:${server.port}`, { timeoutMs: 5_000 }));
  elsewhere = `0.0.0.0:${server.port}`;
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

function stateOf(home: Home): State {
  return new State(home.folder, {
    onProblem: (error) => {
      throw error;
    },
  });
}

const login = ["login", "yoda", "--password-stdin", "--server"];
const wrong = `SHA256:${"A".repeat(43)}`;

test("a script must state how it trusts an unknown server on another machine", async () => {
  await using home = await Home.make();
  const silent = await home.pipe(passwordOf("yoda"), ...login, elsewhere);
  expect(silent).toMatchObject({ code: 2, stdout: "" });
  expect(silent.stderr).toContain(`--fingerprint ${fingerprint}`);
  expect(silent.stderr).toContain("--accept-new");

  const other = await home.pipe(passwordOf("yoda"), ...login, elsewhere, "--fingerprint", wrong);
  expect(other).toMatchObject({ code: 3, stdout: "" });
  expect(await home.run("whoami")).toMatchObject({ code: 4 });

  expect(
    await home.pipe(passwordOf("yoda"), ...login, elsewhere, "--fingerprint", fingerprint),
  ).toMatchObject({ code: 0, stderr: "" });
  expect(await home.run("whoami")).toMatchObject({ code: 0, stderr: "" });
  await using easy = await Home.make();
  expect(await easy.pipe(passwordOf("yoda"), ...login, elsewhere, "--accept-new")).toMatchObject({
    code: 0,
    stderr: "",
  });
  expect(await easy.run("login", "yoda", "--fingerprint", "nonsense")).toMatchObject({ code: 2 });
});

test("a changed key stops the command with both fingerprints, and the suggested command accepts the new key", async () => {
  await using home = await Home.make();
  const tls = await certificate();
  await using changing = await startServer({ tls });
  await home.logIn("yoda", changing);
  const address = `127.0.0.1:${changing.port}`;
  const before = await probe(address, { timeoutMs: 5_000 });
  await changing.stop();
  Object.assign(tls, await certificate());
  await changing.start();
  const after = await probe(address, { timeoutMs: 5_000 });
  expect(after.fingerprint).not.toBe(before.fingerprint);

  const [send, who, again] = await Promise.all([
    home.run("send", "luke", "secret", "--wait", "4s"),
    home.run("who", "--accept-new"),
    home.pipe(passwordOf("yoda"), ...login, address, "--accept-new"),
  ]);
  for (const run of [send, who, again]) {
    expect(run).toMatchObject({ code: 3, stdout: "" });
    expect(run.stderr).toContain(`expected: ${before.fingerprint}\n`);
    expect(run.stderr).toContain(`found:    ${after.fingerprint}\n`);
  }
  const command = /^ {2}parley (.*)$/m.exec(send.stderr)?.[1]?.split(" ") ?? [];
  expect(command).toContain(after.fingerprint);
  expect(await home.run(...command)).toMatchObject({ code: 0 });
  expect(await home.run("send", "luke", "secret")).toMatchObject({ code: 0, stderr: "" });
});

test("an expired certificate is reported as expired, and changes no trust", async () => {
  const tls = makeCertificate();
  const served: { cert: string; key: string } = { ...tls };
  await using expiring = await startServer({ tls: served });
  const address = `127.0.0.1:${expiring.port}`;
  await using home = await Home.make();
  await home.logIn("yoda", expiring);
  await using official = await Home.make();
  await official.logIn("luke", expiring);
  using state = stateOf(official);
  state.servers.remember(address, { kind: "system" });
  await expiring.stop();
  Object.assign(served, makeCertificate({ privateKey: tls.privateKey, days: -3 }));
  await expiring.start();

  await using newcomer = await Home.make();
  // A send tries again until its wait is over, since the certificate may be renewed.
  const sends = Promise.all([
    home.run("send", "luke", "hello", "--wait", "4s"),
    official.run("send", "yoda", "hello", "--wait", "4s"),
  ]);
  const runs = [
    ...(await sends),
    await newcomer.pipe(passwordOf("yoda"), ...login, address),
    await newcomer.pipe(passwordOf("yoda"), ...login, address, "--accept-new"),
  ];
  for (const run of runs) {
    expect(run).toMatchObject({ code: 3, stdout: "" });
    expect(run.stderr).toMatch(/The certificate of \S+ expired on \d{4}-\d\d-\d\d\. .*renew/);
    expect(run.stderr).not.toContain("fingerprint");
  }
  expect(state.servers.find(address)?.trust).toEqual({ kind: "system" });
  using nothing = stateOf(newcomer);
  expect(nothing.servers.find()).toBeUndefined();

  await expiring.stop();
  Object.assign(served, makeCertificate({ privateKey: tls.privateKey }));
  await expiring.start();
  expect(await home.run("send", "luke", "hello")).toMatchObject({ code: 0, stderr: "" });
});

test("another address of a known server is recognised by its key, and needs no log-in", async () => {
  await using home = await Home.make();
  await home.logIn("yoda", server);
  expect(await home.run("whoami", "--server", elsewhere)).toMatchObject({ code: 0, stderr: "" });
  expect((await home.run("whoami")).stdout).toContain(`yoda at ${elsewhere}`);
  expect(await home.run("whoami", "--server", `localhost:${server.port}`)).toMatchObject({ code: 0 });
  await using other = await startServer();
  const run = await home.run("whoami", "--server", `0.0.0.0:${other.port}`);
  expect(run).toMatchObject({ code: 4, stdout: "" });
  using state = stateOf(home);
  expect(state.profiles.list()).toHaveLength(1);
});

test("plaintext needs --plaintext, and a server on this machine", async () => {
  await using plain = await TestServer.start({ users: ["yoda", "luke"] });
  await using home = await Home.make();
  const address = `127.0.0.1:${plain.port}`;
  const without = await home.pipe(passwordOf("yoda"), ...login, address);
  expect(without).toMatchObject({ code: 3, stdout: "" });
  expect(without.stderr).toContain("--plaintext");
  const away = await home.pipe(passwordOf("yoda"), ...login, `0.0.0.0:${plain.port}`, "--plaintext");
  expect(away).toMatchObject({ code: 2, stdout: "" });
  expect(await home.pipe(passwordOf("yoda"), ...login, address, "--plaintext")).toMatchObject({
    code: 0,
    stderr: "",
  });
  expect(await home.run("send", "luke", "hello")).toMatchObject({ code: 0 });
  const tls = await home.pipe(passwordOf("yoda"), ...login, `127.0.0.1:${server.port}`, "--plaintext");
  expect(tls).toMatchObject({ code: 3, stdout: "" });
  expect(tls.stderr).toContain("speaks TLS");
});

test("--plaintext for a server with TLS changes nothing, and a log-in without it returns to the key", async () => {
  await using home = await Home.make();
  const tls = await certificate();
  const options: TestServerOptions & { tls?: typeof tls } = { users: ["yoda", "luke"], tls };
  await using changing = await TestServer.start(options);
  const address = `127.0.0.1:${changing.port}`;
  await home.logIn("yoda", changing);
  for (const argv of [["whoami"], ["send", "luke", "secret"], ["rpc", "ListUsers", "{}"]]) {
    const run = await home.run(...argv, "--plaintext");
    expect(run).toMatchObject({ code: 3, stdout: "" });
    expect(run.stderr).toContain("speaks TLS, and plaintext was asked for. Leave out --plaintext");
    expect(await home.run("who")).toMatchObject({ code: 0, stderr: "" });
  }
  // A server without TLS at the same address does not receive the token.
  await changing.stop();
  delete options.tls;
  await changing.start();
  expect(await home.run("who")).toMatchObject({ code: 3, stdout: "" });
  expect(await home.pipe(passwordOf("yoda"), ...login, address, "--plaintext")).toMatchObject({ code: 0 });
  expect(await home.run("who")).toMatchObject({ code: 0 });
  await changing.stop();
  options.tls = tls;
  await changing.start();
  const stopped = await home.run("who");
  expect(stopped).toMatchObject({ code: 3, stdout: "" });
  expect(stopped.stderr).toContain("log in again without it");
  expect(await home.pipe(passwordOf("yoda"), ...login, address)).toMatchObject({ code: 0 });
  expect(await home.run("who")).toMatchObject({ code: 0 });
});

test("an invite link is enough to join, and does not replace a known key", async () => {
  const link = (of: string): string =>
    joinLine({
      host: "0.0.0.0",
      port: server.port,
      kind: "invite",
      secret: "open-anyway",
      fingerprint: of,
    }).split(" ")[2] ?? "";
  await using home = await Home.make();
  const run = await home.pipe(
    "a password of rey",
    "join",
    link(fingerprint),
    "rey",
    "--password-stdin",
    "--json",
  );
  expect(run).toMatchObject({ code: 0, stderr: "" });
  expect(parsed(run.stdout)).toMatchObject({ user: { username: "rey" } });
  expect(await home.run("send", "yoda", "hello")).toMatchObject({ code: 0 });

  const lured = await home.pipe("a password of finn", "join", link(wrong), "finn", "--password-stdin");
  expect(lured).toMatchObject({ code: 3, stdout: "" });
  expect(lured.stderr).toMatch(/the key in the link is not the known key .*Nothing was sent\./);
  expect(await home.run("whoami")).toMatchObject({ code: 0 });
  await using fresh = await Home.make();
  expect(
    await fresh.pipe("a password of finn", "join", link(wrong), "finn", "--password-stdin"),
  ).toMatchObject({ code: 3 });
  expect(await fresh.run("join", "nonsense", "finn")).toMatchObject({ code: 2, stdout: "" });
  expect(await fresh.run("join", link(fingerprint), "finn")).toMatchObject({ code: 2, stdout: "" });
});
