// parley private continues when a request is withdrawn while it is answered: that of another user, and that of the peer.
import { afterEach, beforeEach, expect, it } from "vitest";
import { RpcError } from "../../../rpc/status/status.ts";
import type { Store } from "../../../server/store/store.ts";
import { PrivateUser } from "../../private/private-user.ts";
import { TestServer } from "../../support/server.ts";
import { Person } from "./private-people.ts";

/** Delays the server's look-up for luke's devices, so that his answer comes too late. */
class Held {
  #arrived = Promise.withResolvers<void>();
  #released: PromiseWithResolvers<void> | undefined;

  readonly wrapStore = (store: Store): Store => {
    const peerDevice = store.identities.peerDevice.bind(store.identities);
    store.identities.peerDevice = async (deviceId) => {
      const row = await peerDevice(deviceId);
      if (row?.user.username === "luke" && this.#released !== undefined) {
        this.#arrived.resolve();
        await this.#released.promise;
      }
      return row;
    };
    return store;
  };

  hold(): void {
    this.#released = Promise.withResolvers();
  }

  get arrived(): Promise<void> {
    return this.#arrived.promise;
  }

  release(): void {
    this.#released?.resolve();
    this.#released = undefined;
  }
}

let held: Held;
let server: TestServer;

beforeEach(async () => {
  held = new Held();
  server = await TestServer.start({ users: ["yoda", "luke", "vader"], wrapStore: held.wrapStore });
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

/** Sends a request to luke as soon as he can receive it and no other request is pending. @param held delays his answers from then on */
async function asks(user: PrivateUser, held?: Held): Promise<void> {
  const notYet = ["USER_OFFLINE", "PRIVATE_CHAT_UNAVAILABLE", "INTRODUCTION_PENDING", "PRIVATE_CHAT_OPEN"];
  for (;;) {
    try {
      held?.hold();
      await user.chats.start("luke", { direct: false });
      return;
    } catch (error) {
      // With the delay he could not come online.
      held?.release();
      if (!(error instanceof RpcError && notYet.includes(error.reason))) throw error;
    }
  }
}

/** Sends a request to luke, withdraws it while his answer is on the way, and sends another. */
async function asksInVain(user: PrivateUser): Promise<void> {
  await asks(user, held);
  await held.arrived;
  await user.chats.stop("luke");
  await user.next("failed");
  // The second request is possible when the server has closed the first one.
  await asks(user);
  held.release();
}

/** A user who can send requests and receives none: luke waits for such a user. */
async function cannotBeAsked(name: string): Promise<PrivateUser> {
  const user = await PrivateUser.logIn(server.port, name);
  await user.link[Symbol.asyncDispose]();
  return user;
}

it("a third user who withdraws a request immediately does not end the chat of two others", async () => {
  await using lukes = await Person.at(server, "luke", "--plaintext");
  await using yodas = await Person.at(server, "yoda", "--plaintext");
  await using vader = await PrivateUser.logIn(server.port, "vader");
  const luke = lukes.start("private", "yoda", "--wait", "1m");
  const yoda = yodas.start("private", "luke", "--wait", "1m");
  for (const end of [luke, yoda]) await end.prints("Private chat with");
  await asksInVain(vader);
  expect((await vader.next("failed")).error).toMatchObject({ reason: "INTRODUCTION_REFUSED" });
  yoda.say("still there?");
  await luke.prints("still there?");
  for (const end of [luke, yoda]) end.child.stdin.end();
  const [run] = await Promise.all([luke.ended, yoda.ended]);
  expect(run).toMatchObject({ code: 0, stdout: "still there?\n" });
  expect(run.stderr).not.toContain("vader");
});

it("the next request is accepted if the awaited user has withdrawn the first one", async () => {
  await using lukes = await Person.at(server, "luke", "--plaintext");
  await using yoda = await cannotBeAsked("yoda");
  const luke = lukes.start("private", "yoda", "--wait", "1m");
  await asksInVain(yoda);
  await luke.prints("Private chat with yoda");
  luke.child.stdin.end("here I am\n");
  expect(await yoda.receives("luke", 1)).toEqual(["here I am"]);
  expect(await luke.ended).toMatchObject({ code: 0 });
});

it("a peer that was accepted and does not connect is awaited again, within --wait", async () => {
  await using lukes = await Person.at(server, "luke", "--plaintext");
  await using yoda = await cannotBeAsked("yoda");
  const luke = lukes.start("private", "yoda", "--wait", "1m");
  await asksAndDoesNotCome(yoda);
  await asks(yoda);
  await luke.prints("Private chat with yoda");
  luke.child.stdin.end("here I am\n");
  expect(await yoda.receives("luke", 1)).toEqual(["here I am"]);
  expect(await luke.ended).toMatchObject({ code: 0 });
});

/** Sends requests to luke until he accepts, and then closes the introduction. */
async function asksAndDoesNotCome({ chats: { calls } }: PrivateUser): Promise<void> {
  const never = new AbortController().signal;
  for (;;) {
    try {
      for await (const { step } of calls.introduce({ username: "luke", direct: false }, never)) {
        if (step?.$case !== "introduction") continue;
        await calls.reportPrivateChats([], [step.value.introductionId]);
        return;
      }
    } catch (error) {
      if (!(error instanceof RpcError && error.reason !== "")) throw error;
    }
  }
}
