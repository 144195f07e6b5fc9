// The actions of `parley admin invite`.
import {
  CreateInviteResponse,
  Invite,
  RevokeInviteResponse,
} from "../../../gen/parley/chat/v1/admin_service.ts";
import { time } from "../command/show.ts";
import { line } from "../terminal/text/style.ts";
import { type AdminAction, type AdminCall, itemsOf, printed } from "./admin-call.ts";
import { joinLine } from "./link-to-server.ts";

export const inviteActions: readonly AdminAction[] = [
  { name: "invite create", subject: "", run: create },
  { name: "invite list", subject: "", run: list },
  { name: "invite revoke", subject: "ID", run: revoke },
];

async function create(admin: AdminCall): Promise<void> {
  const { call, calls, signedIn } = admin;
  const { uses = 0, expires = 0 } = call.values;
  const response = await calls.call("createInvite", { uses, lifetimeSeconds: expires });
  const text = line`${await joinLine(signedIn, "invite", response.secret)}`;
  await printed(admin, "CreateInviteResponse", CreateInviteResponse, response, text);
}

async function list(admin: AdminCall): Promise<void> {
  const all = itemsOf(async (page) => {
    const { invites: items, nextPageToken } = await admin.calls.call("listInvites", page);
    return { items, nextPageToken };
  });
  for await (const invite of all) {
    const uses = `${invite.usesLeft} ${invite.usesLeft === 1 ? "use" : "uses"}`;
    const text = line`${invite.inviteId}  ${uses}, until ${time(invite.expireTime)}`;
    await printed(admin, "Invite", Invite, invite, text);
  }
}

async function revoke(admin: AdminCall): Promise<void> {
  const { calls, subject } = admin;
  const response = await calls.call("revokeInvite", { inviteId: subject });
  const text = line`The invite ${subject} cannot be used any more.`;
  await printed(admin, "RevokeInviteResponse", RevokeInviteResponse, response, text);
}
