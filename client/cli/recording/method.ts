// The call that is recorded and played.

/** As the path of the call has it. */
export const connectPath = "/parley.chat.v1.ChatService/Connect";
