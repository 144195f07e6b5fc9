// parley listen: accepts private chats by its flags, and prints their lines.
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { credentials, status } from "@grpc/grpc-js";
import { afterEach, beforeEach, expect, it } from "vitest";
import { HealthClient, HealthCheckResponse_ServingStatus as Serving } from "../../../gen/health/v1/health.ts";
import { PeerServiceClient } from "../../../gen/parley/peer/v1/peer_service.ts";
import type { TestServer } from "../../support/server.ts";
import { openState } from "../state/fixture.ts";
import { startServer } from "./parley.ts";
import { Person } from "./private-people.ts";

let server: TestServer;

beforeEach(async () => {
  server = await startServer({ users: ["yoda", "luke"] });
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

it("--private-answer accept accepts all requests; SIGTERM ends the command with 0", async () => {
  await using yoda = await Person.at(server, "yoda");
  await using luke = await Person.at(server, "luke");
  const listening = await yoda.listen("--private-answer", "accept");
  expect(await luke.home.pipe("hi\n\u{1b}[31m red\n", "private", "yoda")).toMatchObject({ code: 0 });
  await listening.prints("luke has finished. The private chat has ended.");
  listening.child.kill("SIGTERM");
  const run = await listening.ended;
  expect(run).toMatchObject({ code: 0, lines: ["luke: hi", "luke: ␛[31m red"] });
  expect(run.stderr).toMatch(/^Listening as yoda\.$/m);
});

it("accepts direct chats on the given port with --private-path direct", async () => {
  await using yoda = await Person.at(server, "yoda");
  await using luke = await Person.at(server, "luke");
  const listening = await yoda.listen("--private-answer", "accept", "--private-path", "direct");
  const run = await luke.home.pipe("hi\n", "private", "yoda", "--private-path", "direct");
  expect(run.stderr).toContain("Private chat with yoda: directly from device to device.");
  await listening.prints("luke: hi");
  expect((await luke.home.pipe("hi\n", "private", "yoda")).stderr).toContain("through the server");
});

it("accepts only contacts by default, whose keys are known from an earlier chat", async () => {
  await using yoda = await Person.at(server, "yoda");
  await using luke = await Person.at(server, "luke");
  const first = await yoda.listen();
  const refused = await luke.home.pipe("hi\n", "private", "yoda");
  expect(refused).toMatchObject({ code: 1 });
  expect(refused.stderr).toContain("yoda does not want a private chat now.");
  await first.prints("luke asked for a private chat, which was not accepted on this device.");
  first.child.kill("SIGTERM");
  await first.ended;
  const open = await yoda.listen("--private-answer", "accept");
  expect(await luke.home.pipe("hi\n", "private", "yoda")).toMatchObject({ code: 0 });
  open.child.kill("SIGTERM");
  await open.ended;
  const again = await yoda.listen();
  expect(await luke.home.pipe("hi again\n", "private", "yoda")).toMatchObject({ code: 0 });
  await again.prints("luke: hi again");
});

it("stores lines only with --keep-private", async () => {
  await using yoda = await Person.at(server, "yoda");
  await using luke = await Person.at(server, "luke");
  const listening = await yoda.listen("--private-answer", "accept", "--keep-private");
  await luke.home.pipe("for the record\n", "private", "yoda");
  await listening.prints("luke: for the record");
  listening.child.kill("SIGTERM");
  await listening.ended;
  // The server's log does not contain them.
  expect((await yoda.home.run("history", "luke")).stdout).toBe("");
  const kept = (person: Person): string[] => {
    using state = openState(person.home.folder);
    const profileId = state.profiles.find()?.profileId ?? 0;
    return ["yoda", "luke"].flatMap((name) =>
      state
        .privateLines(profileId)
        .last(name, 10)
        .map(({ text }) => text),
    );
  };
  expect(kept(yoda)).toEqual(["for the record"]);
  expect(kept(luke)).toEqual([]);
});

it.each([
  [["--private-answer", "ask"], "listen cannot ask"],
  [["--private-answer", "perhaps"], '"perhaps" is not one of ask, contacts, accept, refuse.'],
  [["--private-path", "fast"], '"fast" is not one of direct, relay, auto.'],
  [["--json"], "listen has no --json"],
])("%j is refused as a command line", async (flags, words) => {
  await using yoda = await Person.at(server, "yoda");
  const run = await yoda.home.run("listen", ...flags);
  expect(run).toMatchObject({ code: 2, stdout: "" });
  expect(run.stderr).toContain(words);
});

it("reports a port that cannot be used", async () => {
  await using luke = await Person.at(server, "luke");
  const taken = createServer().listen(0);
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  const run = await luke.home.run("listen", "--private-path", "direct", "--peer-port", String(port));
  taken.close();
  expect(run).toMatchObject({ code: 1, stdout: "" });
  expect(run.stderr).toContain("--peer-port:");
});

it("ends with 4 when the session ends", async () => {
  await using yoda = await Person.at(server, "yoda");
  const listening = await yoda.listen();
  await yoda.home.run("logout");
  expect(await listening.ended).toMatchObject({ code: 4 });
});

it("--peer-debug offers the schema and health on this machine, and no chat", async () => {
  await using yoda = await Person.at(server, "yoda");
  const listening = await yoda.listen("--peer-debug");
  const address = /grpcurl -plaintext (127\.0\.0\.1:\d+) describe/.exec(listening.printed)?.[1] ?? "";
  const health = new HealthClient(address, credentials.createInsecure());
  const answer = await new Promise((resolve) => {
    health.check({ service: "parley.peer.v1.PeerService" }, (error, response) =>
      resolve(error ?? response.status),
    );
  });
  expect(answer).toBe(Serving.SERVING);
  health.close();
  const peer = new PeerServiceClient(address, credentials.createInsecure());
  const refused = await new Promise((resolve) => {
    peer.converse().on("error", (error: { code: status }) => resolve(error.code));
  });
  expect(refused).toBe(status.UNIMPLEMENTED);
  peer.close();
});
