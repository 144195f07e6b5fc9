// The id of the one conversation of kind broadcast. It is the lowest id, so that lists by id begin with it.
export const broadcastConversationId = 1;
