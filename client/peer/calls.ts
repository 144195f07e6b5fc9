// The calls of one log-in that private chats need of the server. A refusal is an RpcError; a ConnectError means that nothing
// was sent.
import type {
  DeviceCertificate,
  Identity,
  ListDeviceKeysResponse,
  RegisterDeviceKeyRequest,
  RegisterDeviceKeyResponse,
} from "../../gen/parley/chat/v1/identity_service.ts";
import {
  type AnswerIntroductionRequest,
  type IntroduceRequest,
  type IntroduceResponse,
  type Introduction,
  IntroductionServiceService,
} from "../../gen/parley/chat/v1/introduction_service.ts";
import { openServerStream } from "../../rpc/client-stream.ts";
import { strictDefinition } from "../../rpc/decode.ts";
import type { CallOptions, Endpoint } from "../link/endpoint.ts";

const { introduce } = strictDefinition(IntroductionServiceService);

/** As `Account`, for identities and introductions. */
export class PrivateCalls {
  /** The server. */
  readonly endpoint: Endpoint;
  /** The session's token. */
  readonly token: string;

  constructor(endpoint: Endpoint, token: string) {
    this.endpoint = endpoint;
    this.token = token;
  }

  /** Sets this device's certificate. @throws RpcError IDENTITY_TAKEN */
  async registerDeviceKey(
    request: RegisterDeviceKeyRequest,
    options?: CallOptions,
  ): Promise<RegisterDeviceKeyResponse> {
    const { identities } = await this.endpoint.clients(options);
    return this.endpoint.call(identities, "registerDeviceKey", request, this.#with(options));
  }

  /** The identity key vouches for another device of the user. */
  async signDeviceKey(
    deviceId: string,
    signature: Uint8Array,
    options?: CallOptions,
  ): Promise<DeviceCertificate | undefined> {
    const { identities } = await this.endpoint.clients(options);
    const request = { deviceId, signature: Buffer.from(signature) };
    return (await this.endpoint.call(identities, "signDeviceKey", request, this.#with(options))).device;
  }

  /** The user's devices that have a certificate, and the user's identity key. */
  async listDeviceKeys(options?: CallOptions): Promise<{
    /** Undefined while there is none. */
    readonly identity: Identity | undefined;
    /** In the order in which they were made. */
    readonly devices: readonly DeviceCertificate[];
  }> {
    const devices: DeviceCertificate[] = [];
    for (let pageToken = ""; ; ) {
      const { identities } = await this.endpoint.clients(options);
      const page: ListDeviceKeysResponse = await this.endpoint.call(
        identities,
        "listDeviceKeys",
        { pageSize: 0, pageToken },
        this.#with(options),
      );
      devices.push(...page.devices);
      pageToken = page.nextPageToken;
      if (pageToken === "") return { identity: page.identity, devices };
    }
  }

  /** @throws RpcError IDENTITY_NOT_FOUND, USER_NOT_FOUND */
  async getIdentity(username: string, options?: CallOptions): Promise<Identity> {
    const { identities } = await this.endpoint.clients(options);
    const { identity } = await this.endpoint.call(
      identities,
      "getIdentity",
      { username },
      this.#with(options),
    );
    if (identity === undefined) throw new Error("The server's answer has no identity.");
    return identity;
  }

  /** Asks a user's devices; the steps as they come, until the signal takes the request back. */
  async *introduce(request: IntroduceRequest, signal: AbortSignal): AsyncGenerator<IntroduceResponse> {
    const dialled = await this.endpoint.connect();
    using call = openServerStream(dialled, introduce, request, this.token);
    const stop = (): void => call[Symbol.dispose]();
    signal.addEventListener("abort", stop);
    try {
      if (signal.aborted) return;
      yield* call;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  /** The introduction, where the answer was yes. */
  async answerIntroduction(
    request: AnswerIntroductionRequest,
    options?: CallOptions,
  ): Promise<Introduction | undefined> {
    const { introductions } = await this.endpoint.clients(options);
    const { introduction } = await this.endpoint.call(
      introductions,
      "answerIntroduction",
      request,
      this.#with(options),
    );
    return introduction;
  }

  /** Tells with whom private chats are open, in place of what was told before. */
  async reportPrivateChats(userIds: string[], options?: CallOptions): Promise<void> {
    const { introductions } = await this.endpoint.clients(options);
    await this.endpoint.call(introductions, "reportPrivateChats", { userIds }, this.#with(options));
  }

  #with(options: CallOptions | undefined): CallOptions & { token: string } {
    return { ...options, token: this.token };
  }
}
