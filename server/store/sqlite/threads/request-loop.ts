// How one of the store's threads serves requests: it opens its connection, takes requests in order, and closes.
import { parentPort } from "node:worker_threads";
import type { DataState, Request, ThreadAnswer } from "./messages.ts";

export type Send = (answer: ThreadAnswer, transfer?: readonly ArrayBuffer[]) => void;

/** The work of the reader or of the writer. */
export interface Role {
  /** Opens the database. Throws DatabaseRefusedError with a text for the operator. */
  open(send: Send): DataState | undefined;
  /** Takes one request other than `open` and `close`. If it throws, the thread ends. */
  take(request: Request, send: Send): void;
  close(): void;
}

/** Called on a thread. Serves the main thread's requests until one asks to close; then the thread ends by itself. */
export function serve(role: Role): void {
  const port = parentPort;
  if (port === null) throw new Error("this file runs only on the store's threads");
  const send: Send = (answer, transfer = []) => port.postMessage(answer, transfer);
  port.on("message", (request: Request) => {
    try {
      takeRequest(role, request, send);
    } finally {
      if (request.type === "close") port.close();
    }
  });
}

/** Takes one request and sends its answer. */
export function takeRequest(role: Role, request: Request, send: Send): void {
  switch (request.type) {
    case "open":
      send(opened(role, send));
      return;
    case "close":
      try {
        role.close();
      } finally {
        send({ type: "closed" });
      }
      return;
    case "group":
    case "read":
      role.take(request, send);
  }
}

function opened(role: Role, send: Send): ThreadAnswer {
  try {
    return { type: "opened", state: role.open(send) };
  } catch (error) {
    return { type: "refused", message: error instanceof Error ? error.message : String(error) };
  }
}
