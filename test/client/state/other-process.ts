// Another process with the same state folder. It prints "ready", then does one job for each line of input.
import { createInterface } from "node:readline";
import { ownKeys } from "../../../client/peer/keys/registration.ts";
import { State } from "../../../client/state/state.ts";

const [folder = "", address = ""] = process.argv.slice(2);

const state = new State(folder, {
  onProblem: (error) => {
    throw error;
  },
  processTimes: { heartbeatMs: 50, staleMs: 60_000 },
});
const profileId = state.profiles.find({ address })?.profileId ?? 0;
console.log("ready");

for await (const line of createInterface({ input: process.stdin })) {
  const [job, argument = ""] = line.split(" ");
  switch (job) {
    case "ids":
      for (let left = Number(argument); left > 0; left--)
        console.log(String(state.nextClientMessageId(profileId)));
      console.log("done");
      break;
    case "own": {
      const queue = state.sendQueue(profileId);
      queue.takeOrphans((messages) => {
        console.log(`took ${messages.map(({ clientMessageId }) => clientMessageId).join(",")}`);
      });
      console.log(`owned ${queue.owned}`);
      break;
    }
    case "add":
      console.log(
        String(
          state.sendQueue(profileId).add({ kind: "user", username: "yoda" }, Buffer.from(argument))
            .clientMessageId,
        ),
      );
      break;
    case "keys":
      console.log(JSON.stringify((await ownKeys(state.keys(profileId), argument)).device.cert));
      break;
    default:
      state[Symbol.dispose]();
      process.stdin.destroy();
  }
}
