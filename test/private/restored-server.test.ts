// A server whose data was restored from a backup has a new id. The identity keys of its users then sign the devices anew.
import { expect, test } from "vitest";
import { listDevices, signDevice } from "../../client/peer/keys/devices.ts";
import { confirm, markShown, verificationOf } from "../../client/peer/keys/verification.ts";
import { restartRestored } from "../support/restored.ts";
import { TestServer } from "../support/server.ts";
import { newInstallation, openChat, PrivateUser } from "./private-user.ts";

async function verify({ chats }: PrivateUser, username: string): Promise<void> {
  markShown(chats.contacts, await verificationOf(chats, username));
  confirm(chats.contacts, await verificationOf(chats, username));
}

test("verified users chat again after a restore, without a warning", async () => {
  await using server = await TestServer.start({ users: ["luke", "yoda"] });
  await using luke = await PrivateUser.logIn(server.port, "luke");
  await using yoda = await PrivateUser.logIn(server.port, "yoda");
  await verify(luke, "yoda");
  await verify(yoda, "luke");
  await restartRestored(server);
  await Promise.all([luke.liveAgain(), yoda.liveAgain()]);
  await openChat(luke, yoda, { direct: false });
  for (const { keyCheck } of [...luke.openings, ...yoda.openings])
    expect(keyCheck).toEqual({ standing: "verified", problem: undefined, stops: false });
});

test("the first device signs the user's other devices anew, but none that it had not signed", async () => {
  await using server = await TestServer.start({ users: ["luke", "yoda"] });
  const first = newInstallation();
  await using luke = await PrivateUser.logIn(server.port, "luke", { installation: first });
  await using _linked = await PrivateUser.logIn(server.port, "luke", { deviceName: "linked" });
  await using _unlinked = await PrivateUser.logIn(server.port, "luke", { deviceName: "unlinked" });
  const names = async (): Promise<string[]> =>
    (await listDevices(luke.chats)).devices
      .filter(({ signed }) => signed)
      .map(({ certificate }) => certificate.deviceName);
  const linked = (await listDevices(luke.chats)).devices.find(
    ({ certificate }) => certificate.deviceName === "linked",
  );
  if (linked === undefined) throw new Error("no device");
  await signDevice(luke.chats, await luke.chats.register(), linked);
  expect(await names()).toEqual(["", "linked"]);
  await restartRestored(server);
  await luke.liveAgain();
  expect(await names()).toEqual(["", "linked"]);
});
