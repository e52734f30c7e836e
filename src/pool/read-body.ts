/** A request's body, bounded. Slow senders are the server's time-outs' business. */
import type { IncomingMessage } from "node:http";
import { PoolRefusal } from "./refusal.ts";

/**
 * What is beyond the bound is not kept: Node drops the rest while the answer goes out.
 * @throws PoolRefusal 413 BodyTooLarge
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
      else {
        chunks.length = 0;
        reject(tooLarge(maxBytes));
      }
    });
    request.on("end", () => resolve(Buffer.concat(chunks)));
    request.on("error", reject);
    request.on("close", () => {
      // Every request closes; an error with its stack costs more than many a call.
      if (!request.complete) reject(new PoolRefusal(400, "Incomplete", "The connection closed within the body."));
    });
  });
}

function tooLarge(maxBytes: number): PoolRefusal {
  return new PoolRefusal(
    413,
    "BodyTooLarge",
    `The request's body is over ${maxBytes} bytes, which is the most allowed.`,
  );
}
