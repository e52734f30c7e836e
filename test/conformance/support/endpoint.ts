/** The server under test as this test process reaches it: one pool of connections, opened once. */
import { Agent } from "undici";
import { inject } from "vitest";
import type { Endpoint } from "./api.ts";

let endpoint: Endpoint | undefined;

export function openEndpoint(): Endpoint {
  if (endpoint !== undefined) return endpoint;
  const { server, authorization, ca, cert, key } = inject("endpoint");
  const tls = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  endpoint = { server, authorization: authorization || undefined, dispatcher: new Agent({ connect: tls }) };
  return endpoint;
}
