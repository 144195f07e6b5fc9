// The end of a relayed chat, over a real server: both devices learn at once that the relay changed bytes, and the reason
// of an end arrives although the server has ended the session.
import { afterEach, expect, test, vi } from "vitest";
import { RelayHalf } from "../../server/private/relay-half.ts";
import { TestServer } from "../support/server.ts";
import { openChat, PrivateUser } from "./private-user.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** A server that changes one byte of the next piece, whichever device sends it. */
function tamperOnce(): void {
  const { accept } = RelayHalf.prototype;
  let isDone = false;
  vi.spyOn(RelayHalf.prototype, "accept").mockImplementation(function (this: RelayHalf, data) {
    const copy = Buffer.from(data);
    if (!isDone) copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1;
    isDone = true;
    return accept.call(this, copy);
  });
}

test.each([
  ["the device that asked", true],
  ["the device that accepted", false],
])("changed bytes of %s are reported on both devices at once", { timeout: 5_000 }, async (_who, isAsking) => {
  await using server = await TestServer.start({ users: ["luke", "yoda"] });
  await using luke = await PrivateUser.logIn(server.port, "luke");
  await using yoda = await PrivateUser.logIn(server.port, "yoda");
  await openChat(luke, yoda, { direct: false });
  const [sender, other] = isAsking ? [luke, yoda] : [yoda, luke];
  tamperOnce();
  sender.chats.send(other.name, "tampered with");
  const ends = await Promise.all([luke.next("ended"), yoda.next("ended")]);
  for (const { how } of ends)
    expect(how).toMatchObject({ kind: "failed", cause: { reason: "CONNECTION_TAMPERED" } });
  expect(other.receivedFrom(sender.name)).toEqual([]);
  expect(() => sender.chats.send(other.name, "typed meanwhile")).toThrow(/No private chat/);
});
