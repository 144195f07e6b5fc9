// parley devices: lists the user's devices with private chats, and links a new device to the first one.

import { toggle } from "../../../command-line/flags.ts";
import { Device, RemoveDeviceResponse } from "../../../gen/parley/chat/v1/auth_service.ts";
import { DeviceCertificate } from "../../../gen/parley/chat/v1/identity_service.ts";
import { delay } from "../../../time/wait.ts";
import type { Account } from "../../link/server/account.ts";
import { linkCode, readLinkCode } from "../../peer/keys/codes.ts";
import { type DeviceWithKey, listDevices, signDevice } from "../../peer/keys/devices.ts";
import { ownKeyStatus, rememberLink } from "../../peer/keys/own-identity.ts";
import { replaceIdentity } from "../../peer/keys/registration.ts";
import type { Verifier } from "../../peer/keys/verification.ts";
import type { SignedIn, SignInContext } from "../account/sign-in.ts";
import { withAccount } from "../account/with-account.ts";
import { accountFlags } from "../command/account-flags.ts";
import { type Call, defineCommand } from "../command/command.ts";
import { name, time } from "../command/show.ts";
import { verifierOf } from "../private/open-private-chats.ts";
import { CommandError, Exit, usage } from "../process/exit.ts";
import type { Message } from "../process/output.ts";
import { terminalAsker } from "../process/prompts.ts";
import { commandLine } from "../process/quoted-command-line.ts";
import { stopSignal } from "../process/stop-signal.ts";
import { line, Styled } from "../terminal/text/style.ts";

const flags = {
  yes: toggle(
    "Do not ask. With new-identity: continue. With link: your first device said that this one is signed.",
  ),
  ...accountFlags,
} as const;

type DevicesCall = Call<typeof flags>;

/** The time between two requests for the device list, ms. */
const LOOK_MS = 1_000;

export const command = defineCommand({
  forms: ["", "all", "remove DEVICE-ID", "link", "sign CODE", "new-identity"],
  words: { least: 0, most: 2 },
  flags,
  about: [
    "The identity key, by which other users recognise a user, is on the user's first device. Other users see a device " +
      "that it has not signed with a warning. On the new device, link shows a code and waits; on the first device, sign " +
      "with that code signs the new one. Then link asks whether the first device said so, because the server alone " +
      "could lie.",
    "all lists every device on which the user has logged in, also those without private chats. remove ends the sessions " +
      "of a device and makes the server forget it, for example after a loss.",
    "new-identity makes a new identity key on this device, for a user who lost the first device. Contacts see that the " +
      "key changed, and other devices have to be signed again.",
  ],
  json: "DeviceCertificate: one for each device, or that of the device that was signed or has the new key. With all: Device. With remove: RemoveDeviceResponse.",
  examples: ["", "link", "sign K7QF-9M2X-4TRD", "all", "remove d12"],
  run: async (call) => {
    const [what, code] = call.words;
    if ((what === "sign" || what === "remove") !== (code !== undefined))
      throw usage(
        "Usage: devices, devices all, devices remove DEVICE-ID, devices link, devices sign CODE, or devices new-identity.",
      );
    await withAccount(call, "changes", async (signedIn, context) => {
      switch (what) {
        case undefined:
          return list(call, verifierOf(context, signedIn));
        case "all":
          return listAll(call, signedIn.account);
        case "remove":
          return remove(call, signedIn, context, code ?? "");
        case "link":
          return link(call, verifierOf(context, signedIn));
        case "sign":
          return signWith(call, verifierOf(context, signedIn), code ?? "");
        case "new-identity":
          return newIdentity(call, context, signedIn);
        default:
          throw usage(`"${what}" is not one of all, remove DEVICE-ID, link, sign CODE and new-identity.`);
      }
    });
    return undefined;
  },
});

async function list(call: DevicesCall, verifier: Verifier): Promise<void> {
  const own = await verifier.register();
  for (const device of (await listDevices(verifier)).devices) {
    const isThis = device.fingerprint === own.fingerprint;
    const remarks = [
      isThis ? "this device" : "",
      isThis && own.holdsIdentity ? "has the identity key" : "",
      device.signed ? "" : "not signed",
    ].filter((remark) => remark !== "");
    const { certificate } = device;
    const remark = remarks.length === 0 ? "" : `  ${remarks.join(", ")}`;
    await call.output.result(
      certificateMessage(device),
      line`${certificate.deviceId}  ${nameOf(device)}${remark}`,
    );
  }
}

async function listAll(call: DevicesCall, account: Account): Promise<void> {
  for await (const device of account.listDevices()) {
    const { deviceId, deviceName, current, sessions, lastUsedTime, createTime } = device;
    const use = sessions === 0 ? "logged out" : `last used ${time(lastUsedTime)}`;
    const message = { typeName: "parley.chat.v1.Device", codec: Device, value: device };
    const text = line`${current ? "*" : " "} ${deviceId}  ${deviceName || "unnamed device"}, ${use}, first logged in ${time(createTime)}`;
    await call.output.result(message, text);
  }
}

async function remove(
  call: DevicesCall,
  { account, profile }: SignedIn,
  { state }: SignInContext,
  deviceId: string,
): Promise<void> {
  const endedSessions = await account.removeDevice(deviceId);
  if (profile.device?.deviceId === deviceId) state.profiles.loggedOut(profile);
  const message = {
    typeName: "parley.chat.v1.RemoveDeviceResponse",
    codec: RemoveDeviceResponse,
    value: { endedSessions },
  };
  await call.output.result(message, line`Device ${deviceId} is removed. Sessions ended: ${endedSessions}.`);
}

async function link(call: DevicesCall, verifier: Verifier): Promise<void> {
  const own = await verifier.register();
  const { fingerprint } = own;
  if (own.identityKey === undefined) throw new CommandError(Exit.REFUSED, "There is no identity key yet.");
  const standing = ownKeyStatus(verifier.contacts, verifier.names, own);
  if (own.signed && (standing === "held" || standing === "linked")) {
    await answer(call, verifier, fingerprint, line`This device is signed already.`);
    return;
  }
  const { userId } = verifier.names;
  const { identityKey } = own;
  const code = linkCode(verifier.names.serverId, { userId, identityKey, fingerprint });
  const command = commandLine(call.environment.program, "devices", "sign", code);
  {
    using stop = stopSignal(call.environment);
    const instruction = line`On your first device run: ${Styled.of(command)}`;
    if (call.json) call.output.notice(instruction.plain);
    else await call.output.line(instruction);
    await whenSigned(verifier, fingerprint, stop.signal);
  }
  if (call.values.yes !== true) await askWhetherSigned(call);
  rememberLink(verifier.contacts, verifier.names, identityKey);
  const words = line`This device is signed. Other users see it without a warning.`;
  await answer(call, verifier, fingerprint, words);
}

/** Prints the certificate of the device with that key as it is now, or the words. */
async function answer(call: DevicesCall, verifier: Verifier, key: string, words: Styled): Promise<void> {
  if (!call.json) return call.output.line(words);
  const { devices } = await listDevices(verifier);
  const device = devices.find(({ fingerprint }) => fingerprint === key);
  if (device === undefined) throw new CommandError(Exit.REFUSED, "The server does not list the device.");
  await call.output.result(certificateMessage(device), undefined);
}

function certificateMessage({ certificate }: DeviceWithKey): Message<DeviceCertificate> {
  return { typeName: "parley.chat.v1.DeviceCertificate", codec: DeviceCertificate, value: certificate };
}

/** Resolves when the server lists the device as signed. @throws CommandError if the person cancels */
async function whenSigned(verifier: Verifier, fingerprint: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    const { devices } = await listDevices(verifier);
    if (devices.some((device) => device.fingerprint === fingerprint && device.signed)) return;
    if ((await delay(LOOK_MS, signal)) === "aborted") throw new CommandError(Exit.INTERRUPTED, "");
  }
}

/**
 * A server that attacks the private chats could sign this device with a key of its own in place of the user's. Only the
 * first device knows whether it signed. @throws CommandError if it did not, or no person can be asked
 */
async function askWhetherSigned(call: DevicesCall): Promise<void> {
  const asker = terminalAsker(call.environment);
  if (asker === undefined) {
    const again = commandLine(call.environment.program, "devices", "link", "--yes");
    throw new CommandError(
      Exit.REFUSED,
      `The server says that this device is signed. If your first device said so too, run: ${again}`,
    );
  }
  asker.show("The server says that this device is signed.");
  if (
    await asker.confirm("Did you type the code on your first device, and did it say that this one is signed?")
  )
    return;
  throw new CommandError(
    Exit.REFUSED,
    "This device is not linked, because another device signed it. Do not compare codes on it, and ask the operator of the server.",
  );
}

async function signWith(call: DevicesCall, verifier: Verifier, typed: string): Promise<void> {
  const code = readLinkCode(typed);
  if (code === undefined)
    throw usage(`"${typed}" is not a code. A code has 12 letters and digits, such as K7QF-9M2X-4TRD.`);
  const own = await verifier.register();
  if (!own.holdsIdentity || own.identityKey === undefined) {
    throw new CommandError(
      Exit.REFUSED,
      "The identity key is not on this device. Run the command on your first device.",
    );
  }
  const { userId, serverId } = verifier.names;
  const { identityKey } = own;
  const { devices } = await listDevices(verifier);
  const device = devices.find(
    ({ fingerprint }) => linkCode(serverId, { userId, identityKey, fingerprint }) === code,
  );
  if (device === undefined) {
    throw new CommandError(
      Exit.REFUSED,
      "None of your devices shows that code. If you typed it correctly, the server may have sent a wrong key.",
    );
  }
  await signDevice(verifier, own, device);
  const words = line`${nameOf(device)} is signed. Other users see it without a warning.`;
  await answer(call, verifier, device.fingerprint, words);
}

async function newIdentity(call: DevicesCall, context: SignInContext, signedIn: SignedIn): Promise<void> {
  if (call.values.yes !== true) {
    const { environment } = call;
    const asker = terminalAsker(environment);
    if (asker === undefined) throw usage("Standard input is not a terminal. Add --yes.");
    const question =
      "Your contacts will see that your key changed, and will have to verify it again. Continue?";
    if (!(await asker.confirm(question))) {
      throw new CommandError(Exit.REFUSED, "Nothing was changed.");
    }
  }
  const verifier = verifierOf(context, signedIn);
  const { calls, names } = verifier;
  const { fingerprint } = await replaceIdentity(calls, context.state.keys(signedIn.profile.profileId), names);
  await answer(call, verifier, fingerprint, line`You have a new identity key, on this device.`);
}

function nameOf({ certificate }: DeviceWithKey): Styled {
  return certificate.deviceName === "" ? line`an unnamed device` : name(certificate.deviceName);
}
