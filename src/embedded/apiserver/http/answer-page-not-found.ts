/** The answer to a path that nothing serves: plain text, for such a path belongs to no API. */
import type { ServerResponse } from "node:http";
import { sendText } from "./respond.ts";

export function answerPageNotFound(response: ServerResponse): void {
  response.setHeader("x-content-type-options", "nosniff");
  sendText(response, 404, "404 page not found\n", "text/plain; charset=utf-8");
}
