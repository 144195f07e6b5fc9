// The method of the calls that are recorded and replayed.

/** The path of the call. */
export const connectPath = "/parley.chat.v1.ChatService/Connect";
