// The calls of one log-in that private chats need of the server. A refusal is an RpcError; a ConnectError means that nothing
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

/** As `Account`, for identities and introductions. */
export class PrivateCalls {
  /** The server. */
  readonly endpoint: Endpoint;
  /** The session's token. */
  readonly token: string;

  /** Tells this program apart from others of the session; at most 32 bytes. */
  readonly processId: string;

  constructor(endpoint: Endpoint, token: string, processId = "") {
    this.endpoint = endpoint;
    this.token = token;
    this.processId = processId;
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

  /** The introduction, where the answer was yes. */
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
   * Tells with whom private chats are open, in place of what was told before.
   * @param failedIntroductionIds what was answered yes and came to nothing here, at most 100
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

  /** On which device of this user a private chat with that one is open; undefined: on none. @throws RpcError USER_NOT_FOUND */
  async getPrivateChat(
    username: string,
    options?: CallOptions,
  ): Promise<
    | {
        /** The device's id. */
        readonly deviceId: string;
        /** What the person calls it; may be empty. */
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
