/**
 * A stream of server-sent events from the backend to the caller, no faster than the caller reads. Its receipt comes after
 * its end as a comment, which clients pass over. A caller that hangs up has had what it was sent, and pays for it: else
 * hanging up before the last event would make every call free.
 */
import { createHash, type Hash } from "node:crypto";
import { once } from "node:events";
import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import { formatReceipt, receiptHeader } from "../../protocol/call-receipt.ts";
import { noOutput } from "../../protocol/calls.ts";
import type { HttpAnswer } from "../backends/http-backend.ts";
import { CallRefusal } from "../call-refusal.ts";
import type { MeteredCall } from "../meter/call-meter.ts";
import { describeBodies } from "../meter/contents.ts";

export interface PassStream {
  readonly answer: HttpAnswer;
  readonly contentType: string;
  readonly input: Buffer;
  readonly metered: MeteredCall;
  readonly response: ServerResponse;
}

/** Ends the response; what breaks off is broken off for the caller as well. @throws CallRefusal 502 where nothing came at all */
export async function passStream({ answer, contentType, input, metered, response }: PassStream): Promise<void> {
  const head = { "content-type": contentType, "cache-control": "no-cache", "x-accel-buffering": "no" };
  const passed = await pump(answer, response, head);
  if (passed.sizeBytes === 0 || passed.isBroken) {
    metered.fail(describeBodies(input, noOutput));
    if (!response.headersSent && !response.destroyed)
      throw new CallRefusal(502, "BackendFailed", "The agent's replica ended its stream before it said anything.");
    response.destroy();
    return;
  }
  const digest = `sha256:${passed.hash.digest("hex")}` as const;
  const receipt = await metered.finish(describeBodies(input, digest));
  if (response.destroyed) return;
  response.end(`: ${receiptHeader} ${formatReceipt(receipt)}\n\n`);
}

interface Passed {
  readonly hash: Hash;
  readonly sizeBytes: number;
  /** By the backend, not by the caller. */
  readonly isBroken: boolean;
}

/** The head goes out with the first bytes: until then it can still be said that there are none. */
async function pump({ body }: HttpAnswer, response: ServerResponse, head: OutgoingHttpHeaders): Promise<Passed> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  // Also where the backend is silent at the moment: it need not go on for nobody.
  response.once("close", () => body.destroy());
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      if (response.destroyed) break;
      if (!response.headersSent) response.writeHead(200, head);
      hash.update(chunk);
      sizeBytes += chunk.length;
      if (!response.write(chunk)) await drained(response);
    }
  } catch {
    // Why does not matter to the caller: its stream breaks off, and it pays nothing.
    return { hash, sizeBytes, isBroken: !response.destroyed };
  }
  return { hash, sizeBytes, isBroken: false };
}

async function drained(response: ServerResponse): Promise<void> {
  const settled = new AbortController();
  try {
    await Promise.race(["drain", "close"].map((event) => once(response, event, { signal: settled.signal })));
  } finally {
    settled.abort();
  }
}
