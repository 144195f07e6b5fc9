// A process that sends messages over a state folder until it is killed; it prints "queued ID" and "acked ID".
import { openLink } from "../../../client/link/link.ts";
import { Endpoint } from "../../../client/link/server/endpoint.ts";
import { State } from "../../../client/state/state.ts";

const [folder = "", address = ""] = process.argv.slice(2);

const state = new State(folder, {
  onProblem: (error) => {
    throw error;
  },
});
const profile = state.profiles.find({ address });
if (profile?.session === undefined) throw new Error("There is no profile.");
const link = openLink({
  endpoint: new Endpoint({ address, trust: profile.trust }),
  token: profile.session.token,
  queue: state.sendQueue(profile.profileId),
  cursors: state.cursors(profile.profileId),
  readEvents: false,
});
for (let n = 1; ; n++) {
  const sending = link.send({ kind: "user", username: "yoda" }, `message ${n}`);
  console.log(`queued ${sending.clientMessageId}`);
  sending.done.then(
    () => console.log(`acked ${sending.clientMessageId}`),
    (error: unknown) => console.log(`failed ${String(error)}`),
  );
  await new Promise((resolve) => setTimeout(resolve, 2));
}
