// The server process of the echo benchmark.
import { Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import { answerParent } from "./measure.ts";

const asIs = (bytes: Buffer): Buffer => bytes;

const server = new Server();
server.addService(
  {
    echo: {
      path: "/bench.Echo/Echo",
      requestStream: true,
      responseStream: true,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    },
  },
  {
    echo: (call: ServerDuplexStream<Buffer, Buffer>) => {
      call.on("data", (item: Buffer) => call.write(item));
      call.on("end", () => call.end());
    },
  },
);
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  answerParent(port, () => {
    server.forceShutdown();
    return Promise.resolve();
  });
});
