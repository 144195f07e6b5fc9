// A bot in JavaScript: answers every direct message, also those that it missed, each once. README.md says how to run it.
import process from "node:process";
import { connect } from "parley";

const [address = "127.0.0.1:12000", fingerprint = "", username = "yoda"] = process.argv.slice(2);

const link = await connect({
  address,
  trust: { kind: "pin", fingerprint },
  login: { username, password: process.env.PARLEY_PASSWORD ?? "" },
  stateFolder: "bot-state",
}).catch(({ message }) => {
  console.error(message);
  process.exit(1);
});
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => link.close());

try {
  for await (const event of link.events) {
    if (event.type === "state") console.log(event.state.phase);
    if (event.type !== "entry" || event.kind !== "direct" || event.mine) continue;
    const { content, sender } = event;
    await link.send(
      sender.username,
      content.kind === "text" ? `You said: ${content.text}` : "I am too old for that.",
    );
  }
} finally {
  await link.close();
}
