// Two users at two screens while the server is killed and started again.
import { expect, test } from "vitest";
import { ServerProcess } from "../../support/server-process.ts";
import { lukeAndYoda } from "./screen-user.ts";

test("chats reconnect after the server was killed, and a line typed meanwhile arrives once", async () => {
  await using server = await ServerProcess.start(["luke", "yoda"]);
  await using users = await lukeAndYoda(server.port, (name) => `${name} has a password`);
  const { luke, yoda } = users;
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
