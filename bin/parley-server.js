#!/usr/bin/env node
// The server's command: parley-server.
import { launch } from "./launch.js";

await launch("server/main.ts", "dist/parley-server.js");
