// parley outbox: lists, sends or drops the messages that the chat could not send.

import { toggle } from "../../../command-line/flags.ts";
import { Command } from "../../../gen/parley/chat/v1/chat_service.ts";
import { Content } from "../../../gen/parley/chat/v1/entry.ts";
import { ConnectError } from "../../../rpc/dialling/dial.ts";
import { RpcError } from "../../../rpc/status/status.ts";
import { isLoggedOut, OutcomeUnknownError } from "../../link/model/errors.ts";
import type { UnsentMessage } from "../../link/model/send-queue.ts";
import { wireTarget } from "../../link/model/target.ts";
import { contentOf } from "../../link/receiving/event-reader.ts";
import { sendOnce } from "../../link/sending/send-once.ts";
import type { State } from "../../state/state.ts";
import type { SignedIn } from "../account/sign-in.ts";
import { withAccount, withProfile } from "../account/with-account.ts";
import { accountFlags } from "../command/account-flags.ts";
import { type Call, defineCommand } from "../command/command.ts";
import { name, targetName, time } from "../command/show.ts";
import { ackMessage, COPIED, sendFlags } from "../log/sending.ts";
import { CommandError, Exit, type ExitCode, usage } from "../process/exit.ts";
import { describeFailure, sentence } from "../process/failure.ts";
import type { Message } from "../process/output.ts";
import { commandLine } from "../process/quoted-command-line.ts";
import { line, Styled } from "../terminal/text/style.ts";

/** The most columns of a text in the list. */
const previewColumns = 60;

const flags = {
  all: toggle("All unsent messages, instead of ids."),
  wait: sendFlags.wait,
  ...accountFlags,
} as const;

export const command = defineCommand({
  forms: ["[list]", "send ID…", "send --all", "drop ID…", "drop --all"],
  words: { least: 0, most: Number.POSITIVE_INFINITY },
  flags,
  about: [
    "The chat keeps the messages that it could not send, and sends them when it is connected again. It asks before it " +
      "sends messages that are older than an hour. send uses the ids of the messages, so none is stored twice even while " +
      "a chat runs. A refused message stays until it is dropped. Only the chat keeps unsent messages.",
  ],
  json: "Command: the unsent message, for list and drop; Ack for send.",
  examples: ["", "send --all", "drop 12 13"],
  run: async (call) => {
    const [verb = "list", ...ids] = call.words;
    switch (verb) {
      case "list":
        if (ids.length > 0) throw usage("outbox list prints all unsent messages, and takes no ids.");
        return withProfile(call, async (state, { profileId }) => {
          for (const message of state.unsent(profileId))
            await call.output.result(commandMessage(message), listLine(message));
        });
      case "drop":
        return withProfile(call, async (state, { profileId }) => {
          for (const message of chosen(state.unsent(profileId), ids, call)) {
            if (!state.removeUnsent(profileId, message.clientMessageId)) continue;
            await call.output.result(commandMessage(message), line`Dropped ${message.clientMessageId}.`);
          }
        });
      case "send":
        return withAccount(call, "changes", async (signedIn, { state }) => {
          const messages = chosen(state.unsent(signedIn.profile.profileId), ids, call);
          let code: ExitCode = Exit.DONE;
          for (const [index, message] of messages.entries()) {
            const sent = sendUnsent(call, signedIn, state, message).catch((error: unknown) => {
              throw lostAfter(index, messages.length, error, call.environment.program);
            });
            code = (await sent) ?? code;
          }
          return code;
        });
      default:
        throw usage(`"${verb}" is not one of list, send and drop.`);
    }
  },
});

type OutboxCall = Call<typeof flags>;

/** The error of a send. A lost connection says "nothing was sent" only for the first message. */
export function lostAfter(done: number, all: number, error: unknown, program: string): unknown {
  if (!(error instanceof ConnectError) || done === 0) return error;
  const again = commandLine(program, "outbox", "send", "--all");
  return new CommandError(
    Exit.CANNOT_CONNECT,
    `The connection was lost after ${done} of ${all} messages: ${sentence(error.message)} The others are still in the outbox. To send them: ${again}`,
    { cause: error },
  );
}

function chosen<T extends UnsentMessage>(
  unsent: readonly T[],
  ids: readonly string[],
  call: OutboxCall,
): readonly T[] {
  if (ids.length > 0 === (call.values.all === true))
    throw usage("Name the messages by their ids, which outbox list prints, or use --all.");
  if (ids.length === 0) return unsent;
  return ids.map((id) => {
    const message = unsent.find(({ clientMessageId }) => String(clientMessageId) === id);
    if (message === undefined) throw usage(`No unsent message has the id ${id}. outbox list prints the ids.`);
    return message;
  });
}

/** Resolves to an exit code if the message was refused; the next one can still be sent. */
async function sendUnsent(
  call: OutboxCall,
  { account, profile }: SignedIn,
  state: State,
  message: UnsentMessage,
): Promise<ExitCode | undefined> {
  let { clientMessageId } = message;
  const { target } = message;
  const content = contentOf(Content.decode(message.content));
  if (content.kind !== "text") {
    call.output.notice(
      `${clientMessageId} was written by a newer version of parley. Send it with that version.`,
    );
    return Exit.REFUSED;
  }
  const waiting = call.values.wait === undefined ? {} : { waitMs: call.values.wait };
  // An earlier attempt may have sent it, but no attempt has sent another text under its id.
  const renumber = (found: "repeated" | "reused"): bigint | undefined => {
    const other = found === "reused" ? state.renumberUnsent(profile.profileId, clientMessageId) : undefined;
    if (other === undefined) return undefined;
    call.output.notice(COPIED);
    clientMessageId = other.clientMessageId;
    return clientMessageId;
  };
  try {
    const ack = await sendOnce(account, {
      clientMessageId,
      renumber,
      target,
      text: content.text,
      ...waiting,
    });
    state.removeUnsent(profile.profileId, clientMessageId);
    await call.output.result(
      ackMessage(ack),
      line`Sent ${clientMessageId} as ${name(profile.username)} to ${targetName(target)}: number ${ack.seq}.`,
    );
    return undefined;
  } catch (error) {
    if (error instanceof OutcomeUnknownError) {
      const again = commandLine(call.environment.program, "outbox", "send", String(clientMessageId));
      const message = `${sentence(error.message)} It is stored only once if you send it again: ${again}`;
      throw new CommandError(Exit.OUTCOME_UNKNOWN, message, { cause: error });
    }
    if (!(error instanceof RpcError) || error instanceof ConnectError || isLoggedOut(error)) throw error;
    const drop = commandLine(call.environment.program, "outbox", "drop", String(clientMessageId));
    const { message: why } = describeFailure(error);
    call.output.notice(`${clientMessageId} was refused: ${why} To drop it: ${drop}`);
    return Exit.REFUSED;
  }
}

function listLine({ clientMessageId, target, content, queuedTime, held }: UnsentMessage): Styled {
  const said = contentOf(Content.decode(content));
  const text =
    said.kind === "text" ? said.text.replaceAll("\n", " ") : "(content that needs a newer version of parley)";
  const state = held ? "waits for you" : "waits";
  return line`${clientMessageId}  ${time(queuedTime)}  to ${targetName(target)}, ${state}: ${Styled.of(text).truncate(previewColumns)}`;
}

/** The command with which the chat would send the message. */
function commandMessage({ clientMessageId, target, content }: UnsentMessage): Message<Command> {
  const said = Content.decode(content);
  const value: Command =
    target.kind === "broadcast"
      ? { kind: { $case: "broadcast", value: { clientMessageId, content: said } } }
      : {
          kind: {
            $case: "sendMessage",
            value: { clientMessageId, target: wireTarget(target), content: said },
          },
        };
  return { typeName: "parley.chat.v1.Command", codec: Command, value };
}
