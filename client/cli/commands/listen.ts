// parley listen: accepts private chats without a screen, and prints their lines.

import { Ending } from "../../../gen/parley/peer/v1/peer_service.ts";
import { waitFor } from "../../../time/wait.ts";
import type { ChatRequested, LineEvent, PrivateEvent } from "../../peer/chats/events.ts";
import { isRequestGone, NoRequestError } from "../../peer/chats/incoming-requests.ts";
import { accountFlags } from "../command/account-flags.ts";
import { type Call, defineCommand } from "../command/command.ts";
import { name } from "../command/show.ts";
import { type PrivateWanted, privateFlags, privateWantedOf, scriptPathFlag } from "../private/flags.ts";
import { keyWords, problemWords } from "../private/key-words.ts";
import { openPeerDebug } from "../private/peer-debug.ts";
import { closedWords, endedWords, failedWords, notKeptWords, pathWords } from "../private/private-words.ts";
import { type PrivateRun, withPrivateChats } from "../private/run-with-chats.ts";
import { isAutoAccepted } from "../private/settings.ts";
import { usage } from "../process/exit.ts";
import { line, Styled } from "../terminal/text/style.ts";

const flags = {
  ...privateFlags,
  "private-answer": {
    ...privateFlags["private-answer"],
    help: "Whose requests are accepted: contacts (users whose key is known), accept (all users) or refuse (nobody). Default: contacts.",
  },
  "private-path": scriptPathFlag,
  ...accountFlags,
} as const;

export const command = defineCommand({
  forms: [""],
  words: { least: 0, most: 0 },
  flags,
  about: [
    "Prints each line as `NAME: TEXT`; further lines of a text are indented by four spaces. It leaves requests that it " +
      "does not accept to the user's other devices. SIGINT and SIGTERM end it with exit code 0. While it runs, " +
      "the user is online but not active: a server with an idle time-out ends it, with exit code 4.",
  ],
  json: undefined,
  examples: ["", "--private-answer accept --private-path direct"],
  run: async (call) => {
    if (call.json) throw usage("listen has no --json. private USER --json prints the lines of one chat.");
    const wanted = privateWantedOf(call.values, { answer: "contacts", path: "relay" });
    if (wanted.answer === "ask")
      throw usage("listen cannot ask: --private-answer is contacts, accept or refuse.");
    await using _debug = wanted.debug ? await openPeerDebug((text) => call.output.notice(text)) : undefined;
    // It sends no lines, so a changed key is only reported.
    return await withPrivateChats(call, { ...wanted, canAsk: true }, Ending.LEFT, (run) =>
      new Listening(call, run, wanted).run(),
    );
  },
});

class Listening {
  readonly #call: Call<typeof flags>;
  readonly #run: PrivateRun;
  readonly #wanted: PrivateWanted;

  constructor(call: Call<typeof flags>, run: PrivateRun, wanted: PrivateWanted) {
    this.#call = call;
    this.#run = run;
    this.#wanted = wanted;
  }

  async run(): Promise<0> {
    const { chats, signal } = this.#run;
    const connected = await waitFor(this.#run.live, { signal });
    if (connected.status !== "done") return 0;
    this.#call.output.notice(`Listening as ${chats.names.username}.`);
    await waitFor(this.#handleEvents(), { signal });
    this.#call.output.check();
    return 0;
  }

  async #handleEvents(): Promise<void> {
    for await (const event of this.#run.chats.events) await this.#handleEvent(event);
  }

  async #handleEvent(event: PrivateEvent): Promise<void> {
    const { output } = this.#call;
    switch (event.type) {
      case "requested":
        return this.#answer(event);
      case "opened":
        output.notice(`Private chat with ${event.username}: ${pathWords[event.path]}.`);
        for (const sentence of keyWords(event, this.#call.environment.program)) output.notice(sentence);
        return;
      case "line":
        return this.#printLine(event);
      case "request-closed":
        output.notice(closedWords(event));
        return;
      case "failed":
        output.notice(failedWords(event.username, event.error, this.#call.environment.program));
        return;
      case "ended":
        output.notice(endedWords(event, this.#call.environment.program));
        return;
      case "background-error":
        output.notice(event.error.message);
        return;
      case "marks":
      case "typing":
      case "waiting":
      case "finished":
        return;
    }
  }

  async #answer({ username, keyCheck }: ChatRequested): Promise<void> {
    const { chats } = this.#run;
    const always = chats.contacts.get(username)?.always ?? "ask";
    const { answer, path } = this.#wanted;
    const isAccepted = isAutoAccepted(answer, keyCheck, always);
    try {
      await chats.answer(username, isAccepted ? "accept" : "pass", { direct: path === "direct" });
      if (isAccepted) return;
      for (const sentence of problemWords(username, keyCheck, this.#call.environment.program))
        this.#call.output.notice(sentence);
      this.#call.output.notice(
        `${username} asked for a private chat, which was not accepted on this device.`,
      );
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      // The request has ended. The link reports this, and there is nothing to accept or to leave to other devices.
      if (error instanceof NoRequestError || (!isAccepted && isRequestGone(error))) return;
      this.#call.output.notice(failedWords(username, error, this.#call.environment.program));
    }
  }

  async #printLine({ username, mine, time, content }: LineEvent): Promise<void> {
    const { chats, context, signedIn } = this.#run;
    if (mine) return;
    const text = content.kind === "text" ? content.text : "(content that needs a newer version of parley)";
    if (content.kind === "text" && this.#wanted.keep) {
      const lines = context.state.privateLines(signedIn.profile.profileId);
      lines.add({ username, mine, time: time ?? new Date(), text });
    }
    if (content.kind !== "text" && this.#wanted.keep) this.#call.output.notice(notKeptWords(username));
    await this.#call.output.line(
      line`${name(username)}: ${Styled.multiline(text.replaceAll("\n", "\n    "))}`,
    );
    chats.markRead(username);
  }
}
