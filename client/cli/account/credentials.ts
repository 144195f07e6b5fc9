// Gets the user name and password for commands that log in or sign up, from flags and standard input or from the
// person.

import { toggle } from "../../../command-line/flags.ts";
import type { UsageError } from "../../../command-line/usage-error.ts";
import type { Grant } from "../../../gen/parley/chat/v1/auth_service.ts";
import { Grant as GrantCodec } from "../../../gen/parley/chat/v1/auth_service.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import type { Profile } from "../../state/profiles.ts";
import type { Call } from "../command/command.ts";
import type { Environment } from "../process/environment.ts";
import { usage } from "../process/exit.ts";
import { sentence } from "../process/failure.ts";
import { readLines } from "../process/input.ts";
import type { Message } from "../process/output.ts";
import type { Asker } from "../process/prompts.ts";
import { safeText } from "../terminal/text/safe-text.ts";

export const passwordFlag = {
  "password-stdin": toggle("Read the password from the first line of standard input."),
} as const;

/** The user name that was given or is asked for. @throws UsageError if there is none and no person to ask */
export async function usernameOr(given: string | undefined, asker: Asker | undefined): Promise<string> {
  const username = given ?? (await asker?.text("Username"));
  if (username === undefined || username === "")
    throw usage("The user name is missing. Add it, or --as USER.");
  return username;
}

/** The password of an existing account. @throws UsageError as usernameOr */
export async function passwordFor(
  call: Pick<Call<typeof passwordFlag>, "environment" | "values">,
  asker: Asker | undefined,
  question: string,
): Promise<string> {
  if (call.values["password-stdin"] === true) return passwordLine(call.environment);
  if (asker === undefined) throw cannotAsk();
  return asker.password(question);
}

/** Shown before the question. The server checks new passwords. */
const passwordRule = "A password has at least 8 characters. Do not use your name or a common word.";

/**
 * Runs the work with a new password. A person reads the rule, types the password twice, and is asked again if the two
 * differ or the server refuses the password.
 * @throws UsageError as usernameOr; what the work throws
 */
export async function withNewPassword<T>(
  call: Pick<Call<typeof passwordFlag>, "environment" | "values">,
  asker: Asker | undefined,
  work: (password: string) => Promise<T>,
): Promise<T> {
  if (call.values["password-stdin"] === true) return work(await passwordLine(call.environment));
  if (asker === undefined) throw cannotAsk();
  return askNewPassword(asker, work);
}

/** As withNewPassword, for a person. */
export async function askNewPassword<T>(asker: Asker, work: (password: string) => Promise<T>): Promise<T> {
  asker.show(passwordRule);
  for (;;) {
    const password = await asker.password("New password");
    if ((await asker.password("The same again")) !== password) {
      asker.show("The two passwords differ. Try again.");
      continue;
    }
    try {
      return await work(password);
    } catch (error) {
      if (!(error instanceof RpcError && error.reason === "PASSWORD_INVALID")) throw error;
      asker.show(`${safeText(sentence(error.message))} Try again.`);
    }
  }
}

/** Checks before anything is sent that there is a way to get the password. @throws UsageError if there is none */
export function requirePassword(
  call: Pick<Call<typeof passwordFlag>, "values">,
  asker: Asker | undefined,
): void {
  if (call.values["password-stdin"] !== true && asker === undefined) throw cannotAsk();
}

function cannotAsk(): UsageError {
  return usage("Standard input is not a terminal. Add --password-stdin and write the password to it.");
}

async function passwordLine(environment: Environment): Promise<string> {
  const [password] = await readLines(environment.stdin, 1);
  if (password === undefined || password === "")
    throw usage("--password-stdin: there is no password on standard input.");
  return password;
}

/** The result of a log-in for --json, without the device's secret. */
export function grantMessage(profile: Profile, token = ""): Message<Grant> {
  const { session, userId, username, serverId } = profile;
  return {
    typeName: "parley.chat.v1.Grant",
    codec: GrantCodec,
    value: {
      token,
      expireTime: session?.expireTime,
      sessionId: session?.sessionId ?? "",
      user: { userId, username },
      device: { deviceId: profile.device.deviceId, deviceSecret: "" },
      serverId,
    },
  };
}
