// What both threads do with their port: they open, take requests in order, and close.
import { type MessagePort, parentPort } from "node:worker_threads";
import type { Answer, DataState, Request } from "./messages.ts";

export type Send = (answer: Answer, transfer?: readonly ArrayBuffer[]) => void;

/** One thread's part of the work. */
export interface Role {
  /** Opens the database. Throws DatabaseRefusedError with a text for the operator. */
  open(send: Send): DataState | undefined;
  /** Takes one request other than `open` and `close`. */
  take(request: Request, send: Send): void;
  close(): void;
}

/** Serves the main thread's requests until it asks to close; then the thread ends by itself. */
export function serve(role: Role): void {
  if (parentPort === null) throw new Error("this file runs on the store's threads only");
  const port: MessagePort = parentPort;
  const send: Send = (answer, transfer = []) => port.postMessage(answer, transfer);
  port.on("message", (request: Request) => {
    if (request.type === "open") send(opened(role, send));
    else if (request.type === "close") close(role, port);
    else role.take(request, send);
  });
}

function opened(role: Role, send: Send): Answer {
  try {
    return { type: "opened", state: role.open(send) };
  } catch (error) {
    return { type: "refused", message: error instanceof Error ? error.message : String(error) };
  }
}

function close(role: Role, port: MessagePort): void {
  try {
    role.close();
  } finally {
    const closed: Answer = { type: "closed" };
    port.postMessage(closed);
    port.close();
  }
}
