// Lines whose content this version does not know: --keep-private cannot keep them, and says so.
import { afterEach, expect, it, vi } from "vitest";
import { Signal } from "../../../gen/parley/peer/v1/peer_service.ts";
import { PrivateUser } from "../../private/private-user.ts";
import { TestServer } from "../../support/server.ts";
import { Person } from "./private-people.ts";

const NEWER = "content of a newer version";

afterEach(() => {
  vi.restoreAllMocks();
});

/** Every program sends the line NEWER without a content that this version knows. */
function sendNewerContent(): void {
  const { encode } = Signal;
  vi.spyOn(Signal, "encode").mockImplementation((signal, writer) => {
    const { kind } = signal;
    if (kind?.$case !== "line" || kind.value.content?.value !== NEWER) return encode(signal, writer);
    return encode({ kind: { ...kind, value: { ...kind.value, content: undefined } } }, writer);
  });
}

it.each([
  ["listen", ["listen", "--private-answer", "accept", "--keep-private"]],
  ["private", ["private", "yoda", "--keep-private", "--wait", "1m"]],
])("%s reports that such a line is not kept", async (_command, argv) => {
  await using server = await TestServer.start({ users: ["luke", "yoda"] });
  await using lukes = await Person.at(server, "luke", "--plaintext");
  await using yoda = await PrivateUser.logIn(server.port, "yoda");
  sendNewerContent();
  const luke = lukes.start(...argv);
  if (argv[0] === "listen") {
    await luke.prints("Listening as luke");
    await yoda.chats.start("luke", { direct: false });
  } else {
    await yoda.next("requested");
    await yoda.chats.answer("luke", "accept");
  }
  await yoda.next("opened");
  yoda.chats.send("luke", NEWER);
  yoda.chats.send("luke", "a text");
  await luke.prints("a text");
  expect(luke.printed).toContain("(content that needs a newer version of parley)");
  expect(luke.printed).toContain("A line of yoda is not kept: its content needs a newer version of parley.");
  await yoda.chats.stop("luke");
  luke.child.kill("SIGTERM");
  await luke.ended;
  const kept = await lukes.home.run("history", "yoda", "--private");
  expect(kept.stdout).toContain("a text");
  expect(kept.lines).toHaveLength(1);
});
