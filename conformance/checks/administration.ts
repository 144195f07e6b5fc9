// Checks of administration from the side of an ordinary user: all of it is refused.
import { AdminServiceService } from "../../gen/parley/chat/v1/admin_service.ts";
import { AuthServiceService } from "../../gen/parley/chat/v1/auth_service.ts";
import { refused } from "../client/reasons.ts";
import type { Check } from "./check.ts";

export const administrationChecks: readonly Check[] = [
  {
    name: "admin.refused",
    says: "every method of AdminService needs the token of an administrator",
    contract: "admin_service.proto: AdminService",
    run: async ({ ann }) => {
      for (const [name, method] of Object.entries(AdminServiceService)) {
        // The call differs from the others in its path only: the request is empty, and there is no response.
        const call = { ...AdminServiceService.listAccounts, path: method.path };
        const nothing = new Uint8Array();
        await refused(`${name} without a token`, ann.callAs(undefined, call, nothing), "TOKEN_MISSING");
        await refused(`${name} by an ordinary user`, ann.call(call, nothing), "ADMINISTRATORS_ONLY");
      }
    },
  },
  {
    name: "admin.reset-unknown",
    says: "a made-up secret sets no new password",
    contract: "auth_service.proto: AuthService.ResetPassword",
    run: async ({ ann }) => {
      const request = { reset: "made-up", newPassword: "a long new password", client: undefined };
      const reset = ann.callAs(undefined, AuthServiceService.resetPassword, request);
      await refused("a made-up secret", reset, "RESET_INVALID", { field: "reset" });
      await refused(
        "no secret",
        ann.callAs(undefined, AuthServiceService.resetPassword, { ...request, reset: "" }),
        "INVALID_FIELD",
        {
          field: "reset",
        },
      );
    },
  },
];
