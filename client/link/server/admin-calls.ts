// The calls of AdminService over the connection of an endpoint, apart from Account, since few programs make them.
import { AdminServiceClient } from "../../../gen/parley/chat/v1/admin_service.ts";
import type { RequestOf, ResponseOf, UnaryName } from "../../../rpc/dialling/call.ts";
import type { Endpoint } from "./endpoint.ts";

export class AdminCalls {
  readonly #endpoint: Endpoint;
  readonly #token: string;

  /** @param token the token of an administrator's session */
  constructor(endpoint: Endpoint, token: string) {
    this.#endpoint = endpoint;
    this.#token = token;
  }

  /** @throws RpcError, such as ADMINISTRATORS_ONLY or USER_NOT_FOUND; ConnectError */
  async call<M extends UnaryName<AdminServiceClient>>(
    method: M,
    request: RequestOf<AdminServiceClient[M]>,
  ): Promise<ResponseOf<AdminServiceClient[M]>> {
    const client = (await this.#endpoint.connect()).client(AdminServiceClient);
    return this.#endpoint.call(client, method, request, { token: this.#token });
  }
}
