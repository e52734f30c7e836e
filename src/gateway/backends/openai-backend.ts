/** A server that speaks the OpenAI API (vLLM, Triton's OpenAI front), forwarded to byte for byte. Effects: network. */
import type { OpenAiPath } from "../routes/parse-path.ts";
import { createHttpBackend, type HttpAnswer, type HttpBackendOptions } from "./http-backend.ts";

export interface OpenAiBackend {
  /** The body is the caller's to read or to destroy. @throws as HttpBackend.send */
  forward(path: OpenAiPath, body: Buffer, signal: AbortSignal): Promise<HttpAnswer>;
  readWhole(answer: HttpAnswer): Promise<Buffer>;
  close(): Promise<void>;
}

/** @param options its base URL with or without the `/v1` that OpenAI's clients name */
export function createOpenAiBackend(options: HttpBackendOptions): OpenAiBackend {
  const backend = createHttpBackend({ ...options, baseUrl: options.baseUrl.replace(/\/v1\/?$/, "") });
  // Nothing of the caller's headers goes on: its key is ours to know and not the backend's.
  const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" };
  return {
    forward: (path, body, signal) => backend.send({ method: "POST", path, body, headers, signal }),
    readWhole: backend.readWhole,
    close: backend.close,
  };
}
