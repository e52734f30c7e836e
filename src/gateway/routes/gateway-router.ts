/** From a request to the routes, and from whatever they throw to an error in the words of the caller's protocol. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { describeError, InferiumError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { CallRefusal, toRefusal } from "../call-refusal.ts";
import { sendOipError, sendOpenAiError } from "../http/send.ts";
import type { GatewayMetrics } from "../metrics.ts";
import { answerOip, type OipService } from "./oip-routes.ts";
import type { OpenAiRoutes } from "./openai-routes.ts";
import { type Path, parsePath } from "./parse-path.ts";
import type { ReceiptRoutes } from "./receipt-routes.ts";

export interface GatewayRouterOptions {
  readonly oip: OipService;
  readonly openai: OpenAiRoutes;
  readonly receipts: ReceiptRoutes;
  readonly metrics: GatewayMetrics | undefined;
  readonly logger: Logger;
}

/** Never rejects. */
export type GatewayRouter = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export function createGatewayRouter(options: GatewayRouterOptions): GatewayRouter {
  const { oip, openai, receipts, metrics, logger } = options;

  async function answer(path: Path, request: IncomingMessage, response: ServerResponse): Promise<void> {
    switch (path.kind) {
      case "oip-server":
      case "oip-model":
        return answerOip(oip, path, request, response);
      case "openai-call":
        return openai.call(path.path, request, response);
      case "openai-models":
        return openai.listModels(path.model, request, response);
      case "receipt-key":
        return receipts.key(request, response);
      case "window":
        return receipts.window(path.windowId, path.index, request, response);
      case "none":
        throw new CallRefusal(
          404,
          "NotFound",
          "There is nothing here; see /v2/models/{model}/infer and /v1/chat/completions.",
        );
    }
  }

  return async (request, response) => {
    const path = parsePath(request.url ?? "/");
    try {
      await answer(path, request, response);
    } catch (error) {
      const refusal = toRefusal(error);
      metrics?.refused.inc({ reason: refusal.code });
      if (refusal.status === 500 || refusal.status === 502) {
        const code = error instanceof InferiumError ? error.code : "Unexpected";
        logger.error("a call failed", { path: path.kind, code, error: describeError(error) });
      }
      // A stream that has begun has no place for an error: it breaks off.
      if (response.headersSent) response.destroy();
      else if (path.kind === "openai-call" || path.kind === "openai-models") sendOpenAiError(response, refusal);
      else sendOipError(response, refusal);
    }
  };
}
