// Two people at two screens, over the real server: what each sees, also when the server dies in between.

import { afterEach, describe, expect, it } from "vitest";
import type { ChatOutcome } from "../../../client/cli/chat/model/outcome.ts";
import { runInteractive } from "../../../client/cli/chat/screen/interactive.ts";
import { type Link, openLink } from "../../../client/link/link.ts";
import { logIn } from "../../../client/link/server/account.ts";
import { Endpoint } from "../../../client/link/server/endpoint.ts";
import { ServerProcess } from "../../support/server-process.ts";
import { VirtualTerminal } from "../terminal/virtual-terminal.ts";
import { askingSettings, FakePrivateChats } from "./fake-private-chats.ts";

/** Longer than anything here takes, ms. */
const PATIENCE_MS = 10_000;

/** A person at a terminal. */
class Person implements AsyncDisposable {
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

  static async sitDown(name: string, server: ServerProcess): Promise<Person> {
    const endpoint = new Endpoint({ address: `127.0.0.1:${server.port}`, trust: { kind: "plaintext" } });
    const { token } = await logIn(endpoint, { username: name, password: `${name} has a password` });
    const backoff = { baseMs: 50, capMs: 200 };
    return new Person(name, openLink({ endpoint, token, backoff }), endpoint);
  }

  type(text: string): Promise<void> {
    return this.terminal.type(text);
  }

  /** Resolves when the terminal shows it. Everything shown goes through the display, which tells of each write. */
  async sees(text: string | RegExp): Promise<void> {
    const shows = (): boolean => {
      const all = [...this.terminal.transcript].join("\n");
      return typeof text === "string" ? all.includes(text) : text.test(all);
    };
    const tooLate = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      const written = this.#written(tooLate, text);
      written.catch(() => undefined);
      // What is being written now is on the terminal after this.
      await this.terminal.shell("");
      if (shows()) return;
      await written;
    }
  }

  /** Lines that contain it, in the whole transcript. */
  lines(text: string): string[] {
    return this.terminal.transcript.filter((line) => line.includes(text));
  }

  async #written(tooLate: AbortSignal, wanted: string | RegExp): Promise<void> {
    const { display } = this.terminal;
    await new Promise<void>((resolve, reject) => {
      tooLate.addEventListener("abort", () => {
        reject(new Error(`${wanted} is not to be seen:\n${this.terminal.transcript.join("\n")}`));
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

const people: Person[] = [];
let server: ServerProcess | undefined;

async function play(...names: string[]): Promise<Person[]> {
  server ??= await ServerProcess.start(["luke", "yoda"]);
  for (const name of names) people.push(await Person.sitDown(name, server));
  return people;
}

afterEach(async () => {
  for (const person of people.splice(0)) await person[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
  server = undefined;
});

describe("two people", () => {
  it("talk: each line stands once on both screens, above what is being typed", async () => {
    const [luke, yoda] = await play("luke", "yoda");
    if (luke === undefined || yoda === undefined) throw new Error("nobody came");
    await luke.sees(/online: yoda|yoda came online/);
    await luke.type("open yo\t\r");
    await luke.sees("yoda>");
    await yoda.sees("parley>");
    await yoda.type("half a th");
    await luke.type("hello there\r");
    await yoda.sees("luke → you: hello there");
    await yoda.sees("parley> half a th");
    await yoda.sees("unread: luke 1 (Alt-a)");
    await luke.sees("last: delivered");
    await yoda.type("\x03\x1ba");
    await yoda.sees("luke>");
    await luke.sees("last: read");
    await yoda.type("hello \u{1F600}\x1b\rin two lines\r");
    await luke.sees("in two lines");
    expect(luke.lines("hello").map((line) => line.slice(6))).toEqual([
      "luke: hello there",
      "yoda: hello \u{1F600}",
    ]);
    expect(luke.lines("in two lines")).toEqual(["      in two lines"]);
    expect(yoda.lines("hello there")).toHaveLength(1);
  });

  it("go on by themselves after the server was killed; a line typed meanwhile arrives once", async () => {
    const [luke, yoda] = await play("luke", "yoda");
    if (luke === undefined || yoda === undefined || server === undefined) throw new Error("nobody came");
    await yoda.sees(/online: luke|luke came online/);
    await luke.sees(/online: yoda|yoda came online/);
    await luke.type("open yoda\r");
    await luke.sees("yoda>");
    await luke.type("before\r");
    await yoda.sees("luke → you: before");
    await luke.sees("last: delivered");
    await server.kill("SIGKILL");
    await luke.sees("reconnecting");
    await luke.type("while it was away\r");
    await luke.sees("luke: while it was away  (waiting)");
    await server.start();
    await yoda.sees("luke → you: while it was away");
    await luke.sees("The waiting message has been sent.");
    await luke.type("after\r");
    await yoda.sees("luke → you: after");
    for (const text of ["before", "while it was away", "after"]) {
      expect(yoda.lines(`luke → you: ${text}`)).toHaveLength(1);
      expect(luke.lines(`luke: ${text}`)).toHaveLength(1);
    }
  });

  it("are asked about a line that would be a command: Enter again sends it, Tab runs it", async () => {
    const [luke, yoda] = await play("luke", "yoda");
    if (luke === undefined || yoda === undefined) throw new Error("nobody came");
    await yoda.sees(/online: luke|luke came online/);
    await luke.sees(/online: yoda|yoda came online/);
    await luke.type("open yoda\r");
    await luke.sees("yoda>");
    // The second one was typed before anybody was asked, and is no answer.
    await luke.type("block yoda\rblock yoda\r");
    await luke.sees(/Tab to run \/block.*Tab to run \/block/s);
    await luke.sees("yoda> block yoda");
    await luke.type("\r");
    await yoda.sees("luke → you: block yoda");
    expect(yoda.lines("block yoda")).toHaveLength(1);
    await luke.type("logout\r");
    await luke.sees("Tab to run /logout");
    await luke.sees("yoda> logout");
    await luke.type("\x1b[D\t");
    expect(await luke.outcome).toEqual({ kind: "logout" });
    expect(yoda.lines("logout")).toEqual([]);
  });

  it("leave by a command, by Ctrl-D, or by closing the terminal", async () => {
    const [luke, yoda] = await play("luke", "yoda");
    if (luke === undefined || yoda === undefined) throw new Error("nobody came");
    await yoda.sees(/online: luke|luke came online/);
    await luke.sees(/online: yoda|yoda came online/);
    await luke.type("logout\r");
    expect(await luke.outcome).toEqual({ kind: "logout" });
    yoda.terminal.host.emit("SIGHUP");
    expect(await yoda.outcome).toEqual({ kind: "signal", signal: "SIGHUP" });
    expect(yoda.terminal.keyboard.rawModes.at(-1)).toBe(false);
  });
});
