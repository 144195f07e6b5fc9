// The calls of a session that private chats make to the server. A refusal is an RpcError; after a ConnectError nothing
// was sent.
import type {
  DeviceCertificate,
  Identity,
  ListDeviceKeysResponse,
  RegisterDeviceKeyRequest,
  RegisterDeviceKeyResponse,
} from "../../../gen/parley/chat/v1/identity_service.ts";
import {
  type AnswerIntroductionRequest,
  type IntroduceRequest,
  type IntroduceResponse,
  type Introduction,
  IntroductionServiceService,
} from "../../../gen/parley/chat/v1/introduction_service.ts";
import { strictDefinition } from "../../../rpc/calls/decode.ts";
import { openServerStream } from "../../../rpc/dialling/client-stream.ts";
import type { CallOptions, Endpoint } from "./endpoint.ts";

const { introduce } = strictDefinition(IntroductionServiceService);

/** The calls for identities and introductions. `Account` has the other calls of a session. */
export class PrivateCalls {
  /** The server. */
  readonly endpoint: Endpoint;
  /** The session's token. */
  readonly token: string;
  /** Distinguishes this program from others of the same session; at most 32 bytes. */
  readonly processId: string;

  constructor(endpoint: Endpoint, token: string, processId = "") {
    this.endpoint = endpoint;
    this.token = token;
    this.processId = processId;
  }

  /** Registers this device's certificate. @throws RpcError IDENTITY_TAKEN */
  async registerDeviceKey(
    request: RegisterDeviceKeyRequest,
    options?: CallOptions,
  ): Promise<RegisterDeviceKeyResponse> {
    const { identities } = await this.endpoint.clients(options);
    return this.endpoint.call(identities, "registerDeviceKey", request, this.#with(options));
  }

  /** Stores the identity key's signature of another device of the user. */
  async signDeviceKey(
    deviceId: string,
    signature: Uint8Array,
    options?: CallOptions,
  ): Promise<DeviceCertificate | undefined> {
    const { identities } = await this.endpoint.clients(options);
    const request = { deviceId, signature: Buffer.from(signature) };
    return (await this.endpoint.call(identities, "signDeviceKey", request, this.#with(options))).device;
  }

  /** The user's identity key and the user's devices that have a certificate. */
  async listDeviceKeys(options?: CallOptions): Promise<{
    /** Undefined if the user has none. */
    readonly identity: Identity | undefined;
    /** In the order of their creation. */
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

  /** The identity key of a user. @throws RpcError IDENTITY_NOT_FOUND, USER_NOT_FOUND */
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

  /** Requests a private chat with a user; yields the steps. An abort of the signal withdraws the request. */
  async *introduce(
    request: Omit<IntroduceRequest, "processId">,
    signal: AbortSignal,
  ): AsyncGenerator<IntroduceResponse> {
    const dialled = await this.endpoint.connect();
    const { processId } = this;
    using call = openServerStream(dialled, introduce, { ...request, processId }, this.token);
    const stop = (): void => call[Symbol.dispose]();
    signal.addEventListener("abort", stop);
    try {
      if (signal.aborted) return;
      yield* call;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  /** Answers a request for a private chat. Resolves to the introduction if the answer was ACCEPT. */
  async answerIntroduction(
    request: Omit<AnswerIntroductionRequest, "processId">,
    options?: CallOptions,
  ): Promise<Introduction | undefined> {
    const { introductions } = await this.endpoint.clients(options);
    const { introduction } = await this.endpoint.call(
      introductions,
      "answerIntroduction",
      { ...request, processId: this.processId },
      this.#with(options),
    );
    return introduction;
  }

  /**
   * Reports the users with whom private chats are open. This replaces the previous report.
   * @param failedIntroductionIds accepted introductions that led to no chat, at most 100
   */
  async reportPrivateChats(
    userIds: string[],
    failedIntroductionIds: string[] = [],
    options?: CallOptions,
  ): Promise<void> {
    const { introductions } = await this.endpoint.clients(options);
    const request = { userIds, failedIntroductionIds, processId: this.processId };
    await this.endpoint.call(introductions, "reportPrivateChats", request, this.#with(options));
  }

  /** The own device that has a private chat with that user; undefined if none has. @throws RpcError USER_NOT_FOUND */
  async getPrivateChat(
    username: string,
    options?: CallOptions,
  ): Promise<
    | {
        /** The device's id. */
        readonly deviceId: string;
        /** The name that the user gave it; may be empty. */
        readonly deviceName: string;
      }
    | undefined
  > {
    const { introductions } = await this.endpoint.clients(options);
    const { deviceId, deviceName } = await this.endpoint.call(
      introductions,
      "getPrivateChat",
      { username },
      this.#with(options),
    );
    return deviceId === "" ? undefined : { deviceId, deviceName };
  }

  #with(options: CallOptions | undefined): CallOptions & { token: string } {
    return { ...options, token: this.token };
  }
}
