// People with devices for private chats: named, with a certificate, and with streams that take introductions.
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

/** Somebody's device, logged in under a name; with a certificate. */
export async function device(
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

export interface Taking {
  readonly client: TestClient;
  readonly stream: TestStream;
}

/** A stream that takes introductions. */
export function take(client: TestClient, processId = ""): Promise<TestStream> {
  return client.connect({ features: [Feature.INTRODUCTIONS], processId }).caughtUp();
}

/** A device with such a stream. */
export async function taking(server: TestServer, username: string, deviceName?: string): Promise<Taking> {
  const client = await device(server, username, deviceName);
  return { client, stream: await take(client) };
}

/** A call whose answers can be waited for. */
export class TestCall<Response> {
  readonly messages: Response[] = [];
  /** How it ended: an RpcError, or undefined for OK. */
  readonly ended: Promise<RpcError | undefined>;
  readonly call: ClientReadableStream<Response>;
  #taken = 0;
  #isOver = false;
  #onChange: (() => void)[] = [];

  constructor(call: ClientReadableStream<Response>) {
    this.call = call;
    const ended = Promise.withResolvers<RpcError | undefined>();
    this.ended = ended.promise;
    const over = (error?: RpcError): void => {
      this.#isOver = true;
      ended.resolve(error);
      this.#wake();
    };
    this.call.on("data", (message: Response) => {
      this.messages.push(message);
      this.#wake();
    });
    this.call.on("error", (error: Error) => over(fromServiceError(error)));
    this.call.on("end", () => over());
  }

  /** @throws how the call ended, if it did instead */
  async next(): Promise<Response> {
    for (;;) {
      const message = this.messages[this.#taken];
      if (message !== undefined) {
        this.#taken++;
        return message;
      }
      if (this.#isOver) throw (await this.ended) ?? new Error("the call has ended well");
      await new Promise<void>((resolve) => this.#onChange.push(resolve));
    }
  }

  #wake(): void {
    for (const wake of this.#onChange.splice(0)) wake();
  }
}

export class Introducing extends TestCall<IntroduceResponse> {
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
): Introducing {
  return new Introducing(introduction.introduce({ username, direct, processId: "" }, metadata));
}

/** Asks, and waits until the devices are being asked. @throws RpcError where it is refused */
export async function ask(
  client: TestClient,
  username: string,
  direct = false,
): Promise<{ call: Introducing; id: string; asked: Asked }> {
  const call = introduce(client, username, direct);
  const asked = await call.asked();
  return { call, id: asked.introductionId, asked };
}

export async function answer(
  client: TestClient,
  introductionId: string,
  more: Partial<AnswerIntroductionRequest> = {},
): Promise<Introduction | undefined> {
  const request = {
    introductionId,
    answer: Answer.ACCEPT,
    direct: false,
    addresses: [],
    port: 0,
    processId: "",
    ...more,
  };
  const { introduction } = await client.unary(
    client.introduction,
    client.introduction.answerIntroduction,
    request,
  );
  return introduction;
}

export function report(client: TestClient, ...others: TestClient[]): Promise<unknown> {
  return reportAs(client, "", others);
}

/** As report, from one of several programs, and with what came to nothing. */
export function reportAs(
  client: TestClient,
  processId: string,
  others: readonly TestClient[],
  failedIntroductionIds: string[] = [],
): Promise<unknown> {
  const userIds = others.map(({ grant }) => grant?.user?.userId ?? "");
  const request = { userIds, processId, failedIntroductionIds };
  return client.unary(client.introduction, client.introduction.reportPrivateChats, request);
}
