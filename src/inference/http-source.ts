/**
 * HTTP(S) half of artifact-source.ts: a GET that follows redirects by hand, so that each hop is checked, and that tells
 * what may pass (Unavailable: try again) from what will not (NotFound, NotAllowed). Connections are one download's own: one
 * that was opened under another policy, or for another name, is never used again.
 */
import { Agent, type Dispatcher, request } from "undici";
import { InferiumError } from "../base/errors.ts";
import { createAddressCheck } from "./address-policy.ts";
import { checkUri, notAllowed, type Source, type SourcePolicy, withoutSecrets } from "./artifact-source.ts";
import { createCheckedLookup } from "./checked-lookup.ts";

const maxRedirects = 5;

export async function openHttp(url: URL, policy: SourcePolicy, signal: AbortSignal): Promise<Source> {
  const lookup = createCheckedLookup(createAddressCheck(policy.allowedAddresses), policy.resolve);
  const dispatcher = new Agent({ connect: { lookup }, connections: 1, pipelining: 0 });
  try {
    const source = await openHops(url, policy, { signal, dispatcher });
    const close = async () => {
      await source.close();
      await dispatcher.destroy();
    };
    return { ...source, close };
  } catch (error) {
    await dispatcher.destroy();
    throw error;
  }
}

interface Way {
  readonly signal: AbortSignal;
  readonly dispatcher: Dispatcher;
}

async function openHops(url: URL, policy: SourcePolicy, way: Way): Promise<Source> {
  let current = url;
  for (let hop = 0; hop <= maxRedirects; hop++) {
    const response = await get(current, policy, way);
    const location = isRedirect(response.statusCode) ? response.headers.location : undefined;
    if (location === undefined) return toSource(current, response);
    await response.body.dump();
    current = checkHop(current, String(location), policy);
  }
  throw new InferiumError(
    "NotAllowed",
    `The artifact ${withoutSecrets(url)} redirects more than ${maxRedirects} times.`,
  );
}

async function get(url: URL, policy: SourcePolicy, way: Way): Promise<Dispatcher.ResponseData> {
  const idleTimeoutMs = policy.idleTimeoutMs ?? 30_000;
  try {
    return await request(url, {
      ...way,
      method: "GET",
      // Compressed bytes would not be the bytes that the digest is about; what comes is never unpacked.
      headers: { accept: "application/octet-stream, */*", "accept-encoding": "identity", "user-agent": "inferium" },
      headersTimeout: idleTimeoutMs,
      bodyTimeout: idleTimeoutMs,
    });
  } catch (cause) {
    if (cause instanceof InferiumError && cause.code === "NotAllowed") throw notAllowed(url, cause.message);
    throw unavailable(url, "did not answer", cause);
  }
}

function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

function checkHop(from: URL, location: string, policy: SourcePolicy): URL {
  if (!URL.canParse(location, from.href)) throw notAllowed(from, "redirects to something that is not a URI");
  const next = new URL(location, from);
  if (next.protocol === "file:" || next.protocol === "data:")
    throw notAllowed(from, `redirects to a ${next.protocol} URI`);
  if (from.protocol === "https:" && next.protocol !== "https:") throw notAllowed(from, "redirects away from https:");
  return checkUri(next.href, policy);
}

async function toSource(url: URL, response: Dispatcher.ResponseData): Promise<Source> {
  const { statusCode, body, headers } = response;
  if (statusCode !== 200) {
    await body.dump();
    throw statusError(url, statusCode);
  }
  const length = Number(headers["content-length"]);
  return {
    ...(Number.isSafeInteger(length) ? { sizeBytes: length } : {}),
    chunks: readBody(url, body),
    close: async () => {
      // Destroying a body that was not read to its end closes the connection instead of reading the rest.
      body.on("error", () => undefined).destroy();
    },
  };
}

async function* readBody(url: URL, body: Dispatcher.ResponseData["body"]): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (cause) {
    throw unavailable(url, "broke off", cause);
  }
}

function statusError(url: URL, status: number): InferiumError {
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    return unavailable(url, `answered ${status}`);
  }
  const message = `The artifact ${withoutSecrets(url)} answered ${status}; expected 200. Check the URI and its permissions.`;
  return new InferiumError("NotFound", message, { evidence: { status } });
}

function unavailable(url: URL, what: string, cause?: unknown): InferiumError {
  const message = `The server of artifact ${withoutSecrets(url)} ${what}.`;
  return new InferiumError("Unavailable", message, { disposition: "retry", cause });
}
