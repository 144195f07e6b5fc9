// PeerService is a public contract: plain grpc-js with stubs from the proto and both certificates can chat with the
// real program. This test uses no code of the client.
import { X509Certificate } from "node:crypto";
import { createInterface } from "node:readline";
import { credentials } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import type { IntroduceResponse } from "../../gen/parley/chat/v1/introduction_service.ts";
import {
  type ConverseResponse,
  Ending,
  PeerServiceClient,
  type Signal,
} from "../../gen/parley/peer/v1/peer_service.ts";
import { certificate, Home, Lines } from "../client/cli/parley.ts";
import { passwordOf, TestServer } from "../support/server.ts";

type Kind = NonNullable<Signal["kind"]>;

test("an independent client requests a chat, dials, and chats with `parley listen`", async () => {
  await using server = await TestServer.start({ users: ["luke", "yoda"] });
  await using home = await Home.make();
  const place = ["--plaintext", "--server", `127.0.0.1:${server.port}`];
  const run = await home.pipe(passwordOf("yoda"), "login", "yoda", "--password-stdin", ...place);
  expect(run).toMatchObject({ code: 0 });
  const listening = home.start("listen", "--private-answer", "accept", "--private-path", "direct");
  const printed = new Lines(listening);
  const notices = createInterface({ input: listening.stderr })[Symbol.asyncIterator]();
  expect((await notices.next()).value).toMatch(/^Listening as yoda/);

  using luke = server.anonymous();
  await luke.logIn("luke", passwordOf("luke"));
  const own = await certificate();
  await luke.unary(luke.identity, luke.identity.registerDeviceKey, {
    certificate: new X509Certificate(own.cert).raw,
    identityKey: Buffer.alloc(0),
    signature: Buffer.alloc(0),
    replaceIdentity: false,
  });

  const introduction = await introduced(luke, "yoda");
  const peer = new X509Certificate(introduction.peer?.device?.certificate ?? Buffer.alloc(0));
  const address = introduction.addresses.find((candidate) => candidate.startsWith("127.0.0.1:")) ?? "";
  const tls = credentials.createSsl(
    Buffer.from(peer.toString()),
    Buffer.from(own.key),
    Buffer.from(own.cert),
  );
  const client = new PeerServiceClient(address, tls, {
    // The name in the certificate. Only the key matters, and the certificate is its own root.
    "grpc.ssl_target_name_override": "parley-device",
    "grpc.enable_retries": 0,
  });
  const call = client.converse();
  call.on("error", () => undefined);
  const signals = incoming(call as AsyncIterable<ConverseResponse>);
  const send = (kind: Kind): void => void call.write({ signals: [{ kind }] });
  const { introductionId } = introduction;
  send({ $case: "opening", value: { introductionId, clientName: "stock", clientVersion: "1" } });
  expect((await signals.next()).value).toMatchObject({ $case: "opening", value: { introductionId } });
  send({
    $case: "line",
    value: { number: 1n, time: new Date(), content: { $case: "text", value: "hello from the proto" } },
  });
  expect(await printed.next()).toBe("luke: hello from the proto");
  expect((await signals.next()).value).toMatchObject({ $case: "marks", value: { received: 1n } });
  send({ $case: "finished", value: {} });
  const rest: Kind[] = [];
  for await (const kind of signals) if (kind.$case !== "marks") rest.push(kind);
  expect(rest).toEqual([
    { $case: "finished", value: {} },
    { $case: "goodbye", value: { ending: Ending.FINISHED } },
  ]);
  call.end();
  client.close();
  // A device without an identity key is accepted by "accept", with a warning.
  const notes: string[] = [];
  for (let notice = await notices.next(); !notice.done; notice = await notices.next()) {
    notes.push(notice.value);
    if (notice.value.includes("has finished")) break;
  }
  expect(
    notes.some((notice) =>
      notice.startsWith("WARNING: this device is not signed by the identity key of luke"),
    ),
  ).toBe(true);
});

async function introduced(luke: ReturnType<TestServer["anonymous"]>, username: string) {
  const call = luke.introduction.introduce({ username, direct: true, processId: "" }, luke.metadata);
  for await (const { step } of call as AsyncIterable<IntroduceResponse>) {
    if (step?.$case === "introduction") return step.value;
  }
  throw new Error("There was no introduction.");
}

async function* incoming(call: AsyncIterable<ConverseResponse>): AsyncGenerator<Kind> {
  for await (const { signals } of call) for (const { kind } of signals) if (kind !== undefined) yield kind;
}
