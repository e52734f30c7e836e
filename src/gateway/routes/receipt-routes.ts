/**
 * What a caller can check its receipts against: the key that signs them, and, once its window is closed, the window with the
 * proof that a call is in it.
 *
 *   GET /inferium/v1/receipt-key                    {algorithm, publicKey}
 *   GET /inferium/v1/windows/{id}                   {state, window}
 *   GET /inferium/v1/windows/{id}/calls/{index}     {state, window, leaf, proof}
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AgentTable } from "../agent-table.ts";
import { CallRefusal } from "../call-refusal.ts";
import { sendJson } from "../http/send.ts";
import type { FoundWindow, WindowBook } from "../meter/window-book.ts";
import { addressOf, readKey } from "./find-agent.ts";
import { requireMethod } from "./oip-routes.ts";

export interface ReceiptRoutes {
  key(request: IncomingMessage, response: ServerResponse): void;
  window(windowId: string, index: number | undefined, request: IncomingMessage, response: ServerResponse): void;
}

export function createReceiptRoutes(agents: AgentTable, windows: WindowBook, publicKey: string): ReceiptRoutes {
  /** Only to its own caller; whose window it is nobody else learns. @throws CallRefusal 404 */
  function findOwn(windowId: string, request: IncomingMessage): FoundWindow {
    const found = windows.find(windowId);
    const agent = found && agents.byId(found.owner.agentId);
    const caller = agent?.callers.find(readKey(request), addressOf(request));
    if (found !== undefined && caller?.id === found.owner.callerId) return found;
    const message = "There is no such window of yours; old ones are forgotten once they are delivered.";
    throw new CallRefusal(404, "UnknownWindow", message);
  }

  return {
    key(request, response) {
      requireMethod(request, "GET");
      sendJson(response, 200, { algorithm: "Ed25519", publicKey });
    },
    window(windowId, index, request, response) {
      requireMethod(request, "GET");
      const { state, closed } = findOwn(windowId, request);
      const window = closed?.window;
      if (index === undefined || closed === undefined) return sendJson(response, 200, { state, window });
      const call = closed.recorded[index];
      if (call === undefined)
        throw new CallRefusal(404, "UnknownCall", `The window has ${closed.recorded.length} calls.`);
      sendJson(response, 200, { state, window, leaf: call.leaf, proof: closed.tree.proof(index) });
    },
  };
}
