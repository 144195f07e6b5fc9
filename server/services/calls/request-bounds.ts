// The bounds of the requests of each method, derived from the bounds of their fields. They leave room for fields that
// newer clients send.
import type { RequestBounds } from "../../../rpc/calls/request-bounds.ts";
import { limits } from "../../limits.ts";

const KiB = 1024;

/** Requests of a few short fields, such as a log-in: 1 KiB is enough for every field at its bound. */
export const shortRequest: RequestBounds = { bytes: 2 * KiB, fields: 64 };

/** A marker takes up to 60 bytes and 4 fields, and a cursor 50 bytes and 3 fields. */
const MARKER = { bytes: 128, fields: 8 };
const CURSOR = { bytes: 64, fields: 4 };
/** A send without its content has 6 fields. */
const COMMAND_FIELDS = 16;
/** An id takes up to `limits.idBytes`, a tag and a length. */
const ID_BYTES = limits.idBytes + 8;

const markers: RequestBounds = {
  bytes: limits.markersPerRequest * MARKER.bytes,
  fields: limits.markersPerRequest * MARKER.fields,
};

/** A content that is too long is refused as CONTENT_TOO_LARGE up to four times its bound. */
const send: RequestBounds = { bytes: 4 * limits.contentBytes + 4 * KiB, fields: 2 * KiB };

export const chatBounds = {
  connect: { bytes: limits.requestBytes, fields: limits.commandsPerRequest * COMMAND_FIELDS },
  follow: { bytes: limits.cursors * CURSOR.bytes + 8 * KiB, fields: limits.cursors * CURSOR.fields + 256 },
  sendMessage: send,
  broadcast: send,
  setMarkers: markers,
} as const;

export const identityBounds = {
  registerDeviceKey: { bytes: 2 * limits.deviceCertificateBytes, fields: shortRequest.fields },
} as const;

const reportedIds = limits.reportedChats + limits.failedIntroductions;

export const introductionBounds = {
  answerIntroduction: { bytes: 4 * KiB, fields: limits.directAddresses + shortRequest.fields },
  reportPrivateChats: { bytes: reportedIds * ID_BYTES + KiB, fields: reportedIds + shortRequest.fields },
  relay: { bytes: limits.relayPieceBytes + KiB, fields: shortRequest.fields },
} as const;
