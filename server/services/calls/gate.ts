// Checks the token and the rate of the session before the rules of a call run, and converts errors to typed statuses.
import { Reason } from "../../../gen/parley/chat/v1/reason.ts";
import type { Admitting, CallContext, UnaryHandler } from "../../../rpc/calls/handler.ts";
import { readBearer } from "../../../rpc/calls/metadata.ts";
import type { ActiveSession, Sessions } from "../../auth/sessions.ts";
import { Refusal } from "../../reasons.ts";
import type { Answers } from "./answers.ts";
import type { Failures } from "./failures.ts";

/** The effect of a call on its session. */
export interface Terms<Request, Response> {
  /** Whether the call takes nothing from the session's bucket; by default false. */
  readonly isFree?: boolean;
  /** Tokens that the call takes from the session's bucket, at least 1; by default 1. */
  readonly cost?: (request: Request) => number;
  /** Whether a successful call is a command of the user, which restarts the idle time-out; by default true. */
  readonly isActivity?: (request: Request, response: Response) => boolean;
  /** Whether the answer is a page, which may have up to limits.pageBytes; by default false. */
  readonly isPage?: boolean;
}

/** For calls that list something. */
export const page = { isPage: true } as const;

/** For calls that a program may also make without a command of its user. */
export const unlessBackground: Terms<{ readonly background: boolean }, unknown> = {
  isActivity: ({ background }) => !background,
};

/** For calls that list something, and that a program may also make without a command of its user. */
export const pageUnlessBackground: Terms<{ readonly background: boolean }, unknown> = {
  isActivity: ({ background }) => !background,
  isPage: true,
};

export class Gate {
  readonly failures: Failures;
  readonly #sessions: Sessions;
  readonly #answers: Answers;

  constructor(sessions: Sessions, answers: Answers, failures: Failures) {
    this.failures = failures;
    this.#sessions = sessions;
    this.#answers = answers;
  }

  /** @throws Refusal TOKEN_MISSING, TOKEN_INVALID */
  async authenticate(call: CallContext): Promise<ActiveSession> {
    const token = readBearer(call.metadata);
    if (token === undefined || token === "many") throw new Refusal(Reason.TOKEN_MISSING);
    return this.#sessions.authenticate(token);
  }

  /** Makes a unary method that needs a token. Token and rate are checked before a byte of the request is read. */
  forSession<Request, Response>(
    handler: (request: Request, session: ActiveSession, call: CallContext) => Promise<Response>,
    {
      isFree = false,
      cost = () => 1,
      isActivity = () => true,
      isPage = false,
    }: Terms<NoInfer<Request>, NoInfer<Response>> = {},
  ): Admitting<UnaryHandler<Request, Response>> {
    return this.admitting((session) => {
      if (!isFree) takeTokens(session, 1);
      return this.forAnyone(async (request, call) => {
        const more = isFree ? 0 : cost(request) - 1;
        if (more > 0) takeTokens(session, more);
        const { user, sessionId } = session.row;
        // A call that costs nothing never waits either.
        const admission = isFree
          ? undefined
          : this.#answers.admit({ userId: user.userId, sessionId }, isPage, call);
        await admission;
        // The session may have ended before the request arrived, or while the call waited.
        await this.authenticate(call);
        const response = await handler(request, session, call);
        if (isActivity(request, response)) session.reportActivity();
        return response;
      });
    });
  }

  /** Makes a method of any shape that needs a token, which is checked before a byte of the request is read. */
  admitting<Handler>(handlerFor: (session: ActiveSession) => Handler): Admitting<Handler> {
    return {
      admit: (call) =>
        this.failures.unary(call.method, async () => handlerFor(await this.authenticate(call))),
    };
  }

  /** Makes a unary method that needs no token. */
  forAnyone<Request, Response>(handler: UnaryHandler<Request, Response>): UnaryHandler<Request, Response> {
    return (request, call) => this.failures.unary(call.method, () => handler(request, call));
  }
}

/** @throws Refusal RATE_LIMITED */
export function takeTokens(session: ActiveSession, tokens: number): void {
  const wait = session.bucket.take(tokens);
  if (wait > 0) throw new Refusal(Reason.RATE_LIMITED, { retryDelayMs: wait });
}
