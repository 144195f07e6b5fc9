// A bot in JavaScript: it answers every direct message once, including those that it missed. README.md explains how to
// run it.
import process from "node:process";
import { ConnectError, connect, RpcError } from "parley";

const [address = "127.0.0.1:12000", fingerprint = "", username = "yoda"] = process.argv.slice(2);

try {
  await using link = await connect({
    address,
    trust: { kind: "pin", fingerprint },
    login: { username, password: process.env.PARLEY_PASSWORD ?? "" },
    stateFolder: "bot-state",
  });
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => link.close());

  for await (const event of link.events) {
    if (event.type === "state") console.log(event.state.phase);
    if (event.type !== "entry" || event.kind !== "direct" || event.mine) continue;
    const { content, sender } = event;
    const answer =
      content.kind === "text" ? `You said: ${content.text}` : "I do not understand this kind of message.";
    await link.send(sender.username, answer);
  }
} catch (error) {
  // Refusals and failed connections are printed in one line. Other errors are bugs in the bot, and keep their stack.
  if (!(error instanceof RpcError || error instanceof ConnectError)) throw error;
  const reason = error instanceof RpcError ? error.reason : error.kind;
  console.error(reason === "" ? error.message : `${error.message} (${reason})`);
  process.exitCode = 1;
}
