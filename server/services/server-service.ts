// Implements ServerService: what a client needs to know of the server before a log-in.
import {
  ServerServiceService,
  SignUpMode as WireSignUpMode,
} from "../../gen/parley/chat/v1/server_service.ts";
import { implementService, type ServiceOptions } from "../../rpc/calls/handler.ts";
import type { Clock } from "../../time/clock.ts";
import type { SignUpMode } from "../auth/user-accounts.ts";
import type { Gate } from "./calls/gate.ts";
import { type LimitOptions, toLimits } from "./calls/wire-limits.ts";
import { allFeatures } from "./streams/features.ts";

export interface ServerServiceParts {
  readonly gate: Gate;
  readonly serverId: string;
  /** Of the program; "" if it is not told. */
  readonly version: string;
  readonly signUp: SignUpMode;
  readonly limits: LimitOptions;
  readonly relay: boolean;
  readonly clock: Clock;
  readonly options: ServiceOptions;
}

const signUpModes: Record<SignUpMode, WireSignUpMode> = {
  closed: WireSignUpMode.CLOSED,
  invite: WireSignUpMode.INVITE,
  open: WireSignUpMode.OPEN,
};

export function serverService(parts: ServerServiceParts) {
  const { gate, serverId, version, signUp, limits, relay, clock, options } = parts;
  return implementService(
    ServerServiceService,
    {
      getServerInfo: gate.forAnyone(() =>
        Promise.resolve({
          serverId,
          version,
          signUp: signUpModes[signUp],
          limits: toLimits(limits),
          features: [...allFeatures],
          serverTime: new Date(clock.now()),
          relay,
        }),
      ),
    },
    options,
  );
}
