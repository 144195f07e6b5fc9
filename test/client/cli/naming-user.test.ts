// One-shot commands name the user whom the server does not know, and the one who was probably meant.
import { expect, test } from "vitest";
import { TestServer } from "../../support/server.ts";
import { Home } from "./parley.ts";

test("a mistyped name is named, with a user who was online lately", async () => {
  await using server = await TestServer.start({ users: ["yoda", "luke"] });
  await using home = await Home.make();
  await home.logIn("yoda", server, "--plaintext");
  const luke = await server.logIn("luke");
  await luke.connect().caughtUp();
  const commands = [
    ["send", "lukee", "hi"],
    ["block", "Luke"],
    ["unblock", "luk"],
    ["history", "lucke"],
    ["verify", "lukew"],
  ];
  for (const words of commands) {
    expect(await home.run(...words)).toMatchObject({
      code: 1,
      stderr: `There is no user ${words[1]}. Did you mean luke? (USER_NOT_FOUND)\n`,
    });
  }
  expect((await home.run("send", "someone", "hi")).stderr).toBe(
    "There is no user someone. (USER_NOT_FOUND)\n",
  );
});
