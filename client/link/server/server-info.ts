// Asks a server for its description, which needs no token.
import type { GetServerInfoResponse } from "../../../gen/parley/chat/v1/server_service.ts";
import type { CallOptions, Endpoint } from "./endpoint.ts";

/**
 * The description of the server: the id of its data, its version, who may sign up, and its limits. It needs no log-in.
 * @throws RpcError, such as UNSUPPORTED_METHOD by a server of an older version
 * @throws ConnectError
 */
export async function serverInfo(
  endpoint: Endpoint,
  options: CallOptions = {},
): Promise<GetServerInfoResponse> {
  const { server } = await endpoint.clients(options);
  return endpoint.call(server, "getServerInfo", {}, options);
}
