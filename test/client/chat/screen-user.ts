// A user at a screen: the interactive chat in a virtual terminal, connected to a real server.
import type { ChatOutcome } from "../../../client/cli/chat/model/outcome.ts";
import { runInteractive } from "../../../client/cli/chat/screen/interactive.ts";
import { type Link, openLink } from "../../../client/link/link.ts";
import { logIn } from "../../../client/link/server/account.ts";
import { Endpoint } from "../../../client/link/server/endpoint.ts";
import { passwordOf } from "../../support/server.ts";
import { VirtualTerminal } from "../terminal/virtual-terminal.ts";
import { askingSettings, FakePrivateChats } from "./fake-private-chats.ts";

/** Longer than any step of these tests takes, ms. */
const PATIENCE_MS = 10_000;

export class ScreenUser implements AsyncDisposable {
  readonly terminal = new VirtualTerminal(80, 24);
  readonly link: Link;
  readonly outcome: Promise<ChatOutcome>;
  readonly #endpoint: Endpoint;

  private constructor(name: string, link: Link, endpoint: Endpoint) {
    this.link = link;
    this.#endpoint = endpoint;
    this.outcome = runInteractive({
      link,
      address: "the server",
      me: name,
      privateChats: new FakePrivateChats(),
      privateSettings: askingSettings,
      bell: "direct",
      input: this.terminal.keyboard,
      output: this.terminal.display,
      env: { TERM: "xterm-256color" },
      host: this.terminal.host,
    });
  }

  /** Logs in to the server on that port, and starts the chat. */
  static async start(name: string, port: number, password = passwordOf(name)): Promise<ScreenUser> {
    const endpoint = new Endpoint({ address: `127.0.0.1:${port}`, trust: { kind: "plaintext" } });
    const { token } = await logIn(endpoint, { username: name, password });
    const backoff = { baseMs: 50, capMs: 200 };
    return new ScreenUser(name, openLink({ endpoint, token, backoff }), endpoint);
  }

  type(text: string): Promise<void> {
    return this.terminal.type(text);
  }

  /** Resolves when the terminal shows the text. It is checked after each write to the display. */
  async sees(text: string | RegExp): Promise<void> {
    const shows = (): boolean => {
      const all = [...this.terminal.transcript].join("\n");
      return typeof text === "string" ? all.includes(text) : text.test(all);
    };
    const late = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      const written = this.#written(late, text);
      written.catch(() => undefined);
      // After this, everything written before is on the terminal.
      await this.terminal.shell("");
      if (shows()) return;
      await written;
    }
  }

  /** The lines of the whole transcript that contain the text. */
  lines(text: string): string[] {
    return this.terminal.transcript.filter((line) => line.includes(text));
  }

  async #written(late: AbortSignal, wanted: string | RegExp): Promise<void> {
    const { display } = this.terminal;
    await new Promise<void>((resolve, reject) => {
      late.addEventListener("abort", () => {
        reject(new Error(`${wanted} is not shown:\n${this.terminal.transcript.join("\n")}`));
      });
      const write = display._write.bind(display);
      display._write = (chunk, encoding, done) => {
        display._write = write;
        write(chunk, encoding, () => {
          done();
          resolve();
        });
      };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.type("\x15\x04");
    await this.outcome;
    await this.link[Symbol.asyncDispose]();
    await this.#endpoint[Symbol.asyncDispose]();
  }
}

/** luke and yoda, each of whom sees that the other is online. */
export async function lukeAndYoda(
  port: number,
  passwordFor: (name: string) => string = passwordOf,
): Promise<AsyncDisposable & { luke: ScreenUser; yoda: ScreenUser }> {
  await using users = new AsyncDisposableStack();
  const luke = users.use(await ScreenUser.start("luke", port, passwordFor("luke")));
  const yoda = users.use(await ScreenUser.start("yoda", port, passwordFor("yoda")));
  await luke.sees(/online: yoda|yoda came online/);
  await yoda.sees(/online: luke|luke came online/);
  const started = users.move();
  return { luke, yoda, [Symbol.asyncDispose]: () => started.disposeAsync() };
}
