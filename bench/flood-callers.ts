// A process that floods a server with log-ins for invented names: each caller sends the next one when the previous one
// is answered. It uses plain HTTP/2, so that it takes little of the machine, and sends the counts to its parent.
import http2 from "node:http2";
import { connect } from "node:net";
import { LogInRequest } from "../gen/parley/chat/v1/auth_service.ts";

const [port = "", connections = "", callers = "", addresses = ""] = process.argv.slice(2);
const counts: Record<string, number> = {};
let invented = 0;

for (let index = 0; index < Number(connections); index++) {
  // Loopback has a whole network of addresses on Linux.
  const localAddress = `127.0.1.${1 + (index % Number(addresses))}`;
  const session = http2.connect(`http://127.0.0.1:${port}`, {
    createConnection: () => connect({ port: Number(port), host: "127.0.0.1", localAddress }),
  });
  session.on("error", () => count("connection lost"));
  for (let caller = 0; caller < Number(callers); caller++) call(session);
}

function count(answer: string): void {
  counts[answer] = (counts[answer] ?? 0) + 1;
}

function call(session: http2.ClientHttp2Session): void {
  if (session.closed || session.destroyed) return;
  const request = { username: `nobody${process.pid}-${invented++}`, password: "not it", device: undefined };
  const message = LogInRequest.encode({ ...request, client: undefined }).finish();
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  const stream = session.request({
    ":method": "POST",
    ":path": "/parley.chat.v1.AuthService/LogIn",
    "content-type": "application/grpc",
    te: "trailers",
  });
  const note = (headers: http2.IncomingHttpHeaders): void => {
    const status = headers["grpc-status"];
    if (status !== undefined) count(`grpc-status ${String(status)}`);
  };
  stream.on("response", note);
  stream.on("trailers", note);
  stream.on("error", () => count("stream error"));
  stream.on("close", () => call(session));
  stream.resume();
  stream.end(frame);
}

process.on("message", () => process.send?.(counts));
process.on("disconnect", () => process.exit());
