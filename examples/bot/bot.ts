// A bot in TypeScript: answers every direct message, also those that it missed, each once. README.md says how to run it.
import process from "node:process";
import { connect, type EntryArrived } from "parley";

const [address = "127.0.0.1:12000", fingerprint = "", username = "yoda"] = process.argv.slice(2);

await using link = await connect({
  address,
  trust: { kind: "pin", fingerprint },
  login: { username, password: process.env.PARLEY_PASSWORD ?? "" },
  stateFolder: "bot-state",
}).catch(({ message }: Error) => {
  console.error(message);
  process.exit(1);
});
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => link.close());

for await (const event of link.events) {
  if (event.type === "state") console.log(event.state.phase);
  if (event.type === "entry" && event.kind === "direct" && !event.mine) {
    await link.send(event.sender.username, answerTo(event));
  }
}

function answerTo({ content }: EntryArrived): string {
  return content.kind === "text" ? `You said: ${content.text}` : "I am too old for that.";
}
