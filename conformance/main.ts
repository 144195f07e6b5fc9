// The entry point of the conformance kit, which checks any Parley server: npm run conformance -- --target HOST:PORT …
import process from "node:process";
import { runCommand } from "./command.ts";

process.exitCode = await runCommand(process.argv.slice(2), {
  print: (text) => void process.stdout.write(text),
  complain: (text) => void process.stderr.write(text),
});
