/** The server under test as this test process reaches it: one pool of connections, opened once. */
import { Agent } from "undici";
import { inject } from "vitest";
import type { Endpoint } from "./api.ts";

let endpoint: Endpoint | undefined;

export function openEndpoint(): Endpoint {
  if (endpoint !== undefined) return endpoint;
  const { server, authorization, ca, cert, key } = inject("endpoint");
  const tls = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  // Over HTTP/2 undici joins repeated headers, and two impersonated groups would arrive as one.
  const dispatcher = new Agent({ connect: tls, allowH2: false });
  endpoint = { server, authorization: authorization || undefined, dispatcher };
  return endpoint;
}
