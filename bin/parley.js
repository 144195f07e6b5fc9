#!/usr/bin/env node
// The client's command: parley.
import { launch } from "./launch.js";

await launch("client/cli/main.ts", "dist/parley.js");
