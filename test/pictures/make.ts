// Draws the pictures of docs/pictures/: runs a chat in real terminals, and draws the screen of one user, dark and light.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { root } from "../repo/sources.ts";
import { recordChat } from "./chat.ts";
import { readRows } from "./rows.ts";
import { drawScreen, themes } from "./svg.ts";
import { TerminalsMissing } from "./terminals.ts";

const folder = join(root, "docs", "pictures");

try {
  const screen = await recordChat();
  const rows = await readRows(screen);
  await mkdir(folder, { recursive: true });
  for (const theme of themes) {
    const file = join(folder, `chat-${theme.name}.svg`);
    await writeFile(file, drawScreen(rows, screen, theme));
    process.stdout.write(`${file}\n`);
  }
} catch (error) {
  if (!(error instanceof TerminalsMissing)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
