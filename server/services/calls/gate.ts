// What stands between a call and its rules: the token, the session's rate, and errors as typed statuses.
import { Reason } from "../../../gen/parley/chat/v1/reason.ts";
import type { CallContext } from "../../../rpc/calls/handler.ts";
import { readBearer } from "../../../rpc/calls/metadata.ts";
import { OverloadedError } from "../../auth/passwords.ts";
import type { ActiveSession, Sessions } from "../../auth/sessions.ts";
import { limits } from "../../limits.ts";
import { Refusal } from "../../reasons.ts";
import { StoreUnavailableError } from "../../store/store.ts";

export type UnaryHandler<Request, Response> = (request: Request, call: CallContext) => Promise<Response>;

/** What a call means for its session, beside what it does. */
export interface Terms<Request, Response> {
  /** What it takes from the session's bucket; 1 unless said. */
  readonly cost?: (request: Request) => number;
  /** Whether it is a person's command, once it has succeeded: those start the time-out anew. */
  readonly isActivity?: (request: Request, response: Response) => boolean;
}

/** For calls that a program may make on its own account. */
export const unlessBackground: Terms<{ readonly background: boolean }, unknown> = {
  isActivity: ({ background }) => !background,
};

export class Gate {
  readonly #sessions: Sessions;

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
  }

  /** @throws Refusal TOKEN_MISSING, TOKEN_INVALID */
  async authenticate(call: CallContext): Promise<ActiveSession> {
    const token = readBearer(call.metadata);
    if (token === undefined || token === "many") throw new Refusal(Reason.TOKEN_MISSING);
    return this.#sessions.authenticate(token);
  }

  /** A unary method for whoever has a token. */
  forSession<Request, Response>(
    handler: (request: Request, session: ActiveSession, call: CallContext) => Promise<Response>,
    { cost = () => 1, isActivity = () => true }: Terms<NoInfer<Request>, NoInfer<Response>> = {},
  ): UnaryHandler<Request, Response> {
    return this.forAnyone(async (request, call) => {
      const session = await this.authenticate(call);
      const wait = session.bucket.take(cost(request));
      if (wait > 0) throw new Refusal(Reason.RATE_LIMITED, { retryDelayMs: wait });
      const response = await handler(request, session, call);
      if (isActivity(request, response)) session.reportActivity();
      return response;
    });
  }

  /** A unary method that needs no token. */
  forAnyone<Request, Response>(handler: UnaryHandler<Request, Response>): UnaryHandler<Request, Response> {
    return async (request, call) => {
      try {
        return await handler(request, call);
      } catch (error) {
        throw toRpcError(error);
      }
    };
  }
}

/** A failure of the rules as what goes out; anything unforeseen passes through, to be reported and hidden. */
export function toRpcError(error: unknown): unknown {
  return error instanceof Error ? (toRefusal(error)?.toRpcError() ?? error) : error;
}

/** A failure as a refusal, if it is one. */
export function toRefusal(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error;
  if (error instanceof OverloadedError) {
    return new Refusal(Reason.OVERLOADED, { retryDelayMs: limits.overloadedRetryMs });
  }
  if (error instanceof StoreUnavailableError) {
    return new Refusal(Reason.STORE_UNAVAILABLE, { retryDelayMs: limits.overloadedRetryMs });
  }
  return undefined;
}
