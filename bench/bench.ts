// Compares stored and acked direct messages with a bare grpc-js echo, alternating in one run. Only the ratio is
// meaningful, because the absolute numbers depend on the machine.
import { measureDirectMessages } from "./direct-messages.ts";
import { measureEcho } from "./echo.ts";
import type { Measured } from "./measure.ts";
import { readCommandLine } from "./usage.ts";

const { numbers } = readCommandLine({
  command: "npm run bench --",
  what: "Compares stored and acked direct messages with a bare grpc-js echo.",
  flags: { pairs: 25, "in-flight": 32, seconds: 3, rounds: 3 },
});
const load = { pairs: numbers.pairs, inFlight: numbers["in-flight"], seconds: numbers.seconds };

function row(name: string, measured: Measured): string {
  const rate = Math.round(measured.perSecond).toLocaleString("en").padStart(9);
  return `${name.padEnd(34)}${rate}/s ${measured.serverMicros.toFixed(1).padStart(8)} us of server CPU each`;
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

console.log(
  `${load.pairs} pairs, ${load.inFlight} in flight each, plaintext on loopback, ${load.seconds} s for each measurement`,
);
const ratios: number[] = [];
for (let round = 1; round <= numbers.rounds; round++) {
  const echo = await measureEcho(load);
  const messages = await measureDirectMessages(load);
  const ratio = messages.perSecond / echo.perSecond;
  ratios.push(ratio);
  console.log(row("bare grpc-js echo, item by item", echo));
  console.log(row("Parley, stored, acked, delivered", messages));
  console.log(`ratio ${ratio.toFixed(2)}`);
}
console.log(`median ratio ${median(ratios).toFixed(2)} (goal: at least 0.80)`);
