// Reads a whole direct conversation through HistoryService.
import { PageOrder } from "../../gen/parley/chat/v1/history_service.ts";
import { type TestClient, textOf } from "../support/client.ts";

/** The texts of the conversation with that user, by seq from 1; "missing" for a seq that is not an entry. */
export async function logOf(client: TestClient, username: string): Promise<string[]> {
  const log: string[] = [];
  for (let pageToken = ""; ; ) {
    const page = await client.unary(client.history, client.history.listMessages, {
      target: { target: { $case: "username", value: username } },
      fromSeq: 0n,
      toSeq: 0n,
      fromTime: undefined,
      toTime: undefined,
      order: PageOrder.OLDEST_FIRST,
      pageSize: 500,
      pageToken,
      background: false,
    });
    for (const { item } of page.items)
      log.push(item?.$case === "entry" ? textOf({ entry: item.value }) : "missing");
    pageToken = page.nextPageToken;
    if (pageToken === "") return log;
  }
}
