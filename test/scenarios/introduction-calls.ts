// Logs devices in for private chats, subscribes them to invitations, and makes the calls of introductions.
import type { ClientReadableStream } from "@grpc/grpc-js";
import { Feature } from "../../gen/parley/chat/v1/event.ts";
import {
  Answer,
  type AnswerIntroductionRequest,
  type Asked,
  type IntroduceResponse,
  type Introduction,
} from "../../gen/parley/chat/v1/introduction_service.ts";
import { fromServiceError, type RpcError } from "../../rpc/status/status.ts";
import type { TestClient, TestStream } from "../support/client.ts";
import { passwordOf, type TestServer } from "../support/server.ts";
import { newCertificate, register } from "./device-keys.ts";

/** Logs a user in on a new device of that name, and registers a certificate for it. */
export async function logInDevice(
  server: TestServer,
  username: string,
  deviceName = "laptop",
): Promise<TestClient> {
  const client = server.anonymous();
  const { grant } = await client.unary(client.auth, client.auth.logIn, {
    username,
    password: passwordOf(username),
    device: undefined,
    client: { name: "test", version: "1", deviceName },
  });
  client.grant = grant;
  await register(client, newCertificate());
  return client;
}

/** A device with a stream that receives invitations. */
export interface Subscriber {
  readonly client: TestClient;
  readonly stream: TestStream;
}

/** Opens a stream that receives invitations. Resolves when it has caught up. */
export function subscribe(client: TestClient, processId = ""): Promise<TestStream> {
  return client.connect({ features: [Feature.INTRODUCTIONS], processId }).caughtUp();
}

export async function logInSubscriber(
  server: TestServer,
  username: string,
  deviceName?: string,
): Promise<Subscriber> {
  const client = await logInDevice(server, username, deviceName);
  return { client, stream: await subscribe(client) };
}

/** A streaming call, with functions that wait for its messages. */
export class TestCall<Response> {
  /** All messages received so far. */
  readonly messages: Response[] = [];
  /** How the call ended: an RpcError, or undefined for OK. */
  readonly ended: Promise<RpcError | undefined>;
  readonly call: ClientReadableStream<Response>;
  #taken = 0;
  #hasEnded = false;
  #onChange: (() => void)[] = [];

  constructor(call: ClientReadableStream<Response>) {
    this.call = call;
    const ended = Promise.withResolvers<RpcError | undefined>();
    this.ended = ended.promise;
    const end = (error?: RpcError): void => {
      this.#hasEnded = true;
      ended.resolve(error);
      this.#wake();
    };
    this.call.on("data", (message: Response) => {
      this.messages.push(message);
      this.#wake();
    });
    this.call.on("error", (error: Error) => end(fromServiceError(error)));
    this.call.on("end", () => end());
  }

  /** The next message. @throws RpcError the call's error, if the call ends first */
  async next(): Promise<Response> {
    for (;;) {
      const message = this.messages[this.#taken];
      if (message !== undefined) {
        this.#taken++;
        return message;
      }
      if (this.#hasEnded) throw (await this.ended) ?? new Error("the call has ended with OK");
      await new Promise<void>((resolve) => this.#onChange.push(resolve));
    }
  }

  #wake(): void {
    for (const wake of this.#onChange.splice(0)) wake();
  }
}

export class IntroduceCall extends TestCall<IntroduceResponse> {
  async asked(): Promise<Asked> {
    const { step } = await this.next();
    if (step?.$case !== "asked") throw new Error(`${step?.$case} instead of asked`);
    return step.value;
  }

  async introduction(): Promise<Introduction> {
    const { step } = await this.next();
    if (step?.$case !== "introduction") throw new Error(`${step?.$case} instead of introduction`);
    return step.value;
  }
}

export function introduce(
  { introduction, metadata }: TestClient,
  username: string,
  direct = false,
): IntroduceCall {
  return new IntroduceCall(introduction.introduce({ username, direct, processId: "" }, metadata));
}

/** Calls Introduce, and waits until the callee's devices are asked. @throws RpcError if the call is refused */
export async function ask(
  client: TestClient,
  username: string,
  direct = false,
): Promise<{ call: IntroduceCall; id: string; asked: Asked }> {
  const call = introduce(client, username, direct);
  const asked = await call.asked();
  return { call, id: asked.introductionId, asked };
}

/** Answers an introduction: accepts it, unless `changes` say otherwise. */
export async function answer(
  client: TestClient,
  introductionId: string,
  changes: Partial<AnswerIntroductionRequest> = {},
): Promise<Introduction | undefined> {
  const request = {
    introductionId,
    answer: Answer.ACCEPT,
    direct: false,
    addresses: [],
    port: 0,
    processId: "",
    ...changes,
  };
  const { introduction } = await client.unary(
    client.introduction,
    client.introduction.answerIntroduction,
    request,
  );
  return introduction;
}

/** Asks a user, lets the other client accept, and waits for the end of the call. @returns the introduction id */
export async function acceptedIntroduction(caller: TestClient, callee: TestClient): Promise<string> {
  const { call, id } = await ask(caller, callee.grant?.user?.username ?? "");
  await answer(callee, id);
  await call.ended;
  return id;
}

/** Reports the open private chats of a session without a process id: those with these clients' users. */
export function report(client: TestClient, ...peers: TestClient[]): Promise<unknown> {
  return reportAs(client, "", peers);
}

/** Reports the open private chats and the failed introductions of one process of the session. */
export function reportAs(
  client: TestClient,
  processId: string,
  peers: readonly TestClient[],
  failedIntroductionIds: string[] = [],
): Promise<unknown> {
  const userIds = peers.map(({ grant }) => grant?.user?.userId ?? "");
  const request = { userIds, processId, failedIntroductionIds };
  return client.unary(client.introduction, client.introduction.reportPrivateChats, request);
}
