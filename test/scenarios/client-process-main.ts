// The program of a client process: logs in, opens a stream, prints "connected" when the stream has caught up, and stays.
import process from "node:process";
import { TestClient } from "../support/client.ts";

const [port, username = "", password = "", transport] = process.argv.slice(2);
const client = new TestClient(Number(port));
await client.logIn(username, password);
await (transport === "follow" ? client.follow() : client.connect()).caughtUp();
process.stdout.write("connected\n");
