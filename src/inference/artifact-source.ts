/**
 * Opens the bytes behind a model's or an input's URI. URIs are written by tenants, so what may be read is a policy:
 * files only under given roots (after symbolic links), HTTP(S) only from given hosts where hosts are given and never from
 * addresses inside (address-policy.ts), every hop of a redirect checked like the first. What stands in
 * a `data:` URI itself anybody may read. Effects: reads files and makes GET requests; never sends credentials.
 */
import { constants } from "node:fs";
import { open, realpath } from "node:fs/promises";
import { isIP } from "node:net";
import { isAbsolute, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { InferiumError } from "../base/errors.ts";
import { createAddressCheck } from "./address-policy.ts";
import { notReadFrom, type ResolveAll } from "./checked-lookup.ts";
import { openHttp } from "./http-source.ts";

export interface SourcePolicy {
  /** Absolute folders under which `file:` URIs may point, as written and after symbolic links; none by default. */
  readonly fileRoots?: readonly string[];
  /** Host names (`models.example.org`, or `.example.org` for all below it) for HTTP(S); any where absent. */
  readonly httpHosts?: readonly string[];
  /** Addresses and ranges (`127.0.0.0/8`) that are read from though they are inside: see address-policy.ts. */
  readonly allowedAddresses?: readonly string[];
  /** The system's DNS where left out. */
  readonly resolve?: ResolveAll;
  /** Longest silence of a server, before its headers and between two parts of its body. */
  readonly idleTimeoutMs?: number;
}

export interface Source {
  /** As announced; absent where the server did not say. Not to be trusted. */
  readonly sizeBytes?: number;
  readonly chunks: AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** @throws InferiumError InvalidUri, NotAllowed */
export function checkUri(uri: string, policy: SourcePolicy): URL {
  if (!URL.canParse(uri)) {
    throw new InferiumError(
      "InvalidUri",
      `The artifact URI "${show(uri)}" is not a URI; expected file:, http:, https: or data:.`,
    );
  }
  const url = new URL(uri);
  if (url.username !== "" || url.password !== "") {
    throw notAllowed(url, "carries credentials, which would be public in the task");
  }
  if (url.protocol === "file:") return checkFileUrl(url, policy.fileRoots ?? []);
  if (url.protocol === "data:") return url;
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw notAllowed(url, `has scheme ${url.protocol} and only file:, http:, https: and data: are read`);
  }
  if (!isHostAllowed(url.hostname, policy.httpHosts)) throw notAllowed(url, "is not on an allowed host");
  checkLiteral(url, policy);
  return url;
}

/** An address that is written out is never looked up, so it is checked here. */
function checkLiteral(url: URL, { allowedAddresses }: SourcePolicy): void {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const why = isIP(host) === 0 ? undefined : createAddressCheck(allowedAddresses)(host);
  if (why !== undefined) throw notAllowed(url, notReadFrom(why));
}

function checkFileUrl(url: URL, roots: readonly string[]): URL {
  if (url.host !== "") throw notAllowed(url, `names host ${url.host}; a file: URI has none`);
  const path = filePathOf(url);
  if (!roots.some((root) => isUnder(root, path))) throw outsideRoots(url, roots);
  return url;
}

function isHostAllowed(host: string, allowed: readonly string[] | undefined): boolean {
  if (allowed === undefined) return true;
  return allowed.some((entry) => (entry.startsWith(".") ? host.endsWith(entry) : host === entry));
}

/** @throws InferiumError NotAllowed, NotFound, Unavailable */
export async function openSource(url: URL, policy: SourcePolicy, signal: AbortSignal): Promise<Source> {
  if (url.protocol === "file:") return openFile(url, policy.fileRoots ?? []);
  if (url.protocol === "data:") return openData(url);
  return openHttp(url, policy, signal);
}

const dataPattern = /^[^,]{0,255};base64,([A-Za-z0-9+/]*={0,2})$/;

/** RFC 2397, in base64. */
function openData(url: URL): Source {
  const [, text] = dataPattern.exec(url.pathname) ?? [];
  if (text === undefined) {
    const message = `The artifact ${show(url.href)} is not base64; expected data:application/onnx;base64, and the bytes.`;
    throw new InferiumError("InvalidUri", message);
  }
  const bytes = Buffer.from(text, "base64");
  async function* chunks() {
    yield bytes;
  }
  return { sizeBytes: bytes.byteLength, chunks: chunks(), close: async () => undefined };
}

async function openFile(url: URL, roots: readonly string[]): Promise<Source> {
  const path = await resolveFile(url, roots);
  // Non-blocking, because opening a named pipe would wait for a writer; no-follow, because links are resolved by now.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW).catch((cause) => {
    throw new InferiumError("NotFound", `The file ${show(url.href)} cannot be opened; check that it is readable.`, {
      cause,
    });
  });
  const stats = await file.stat();
  if (!stats.isFile()) {
    await file.close();
    throw notAllowed(url, "is not a regular file");
  }
  const chunks = file.createReadStream({ highWaterMark: 1024 * 1024, autoClose: false });
  return { sizeBytes: stats.size, chunks, close: () => file.close() };
}

async function resolveFile(url: URL, roots: readonly string[]): Promise<string> {
  const wanted = filePathOf(url);
  const path = await realpath(wanted).catch((cause: unknown) => {
    throw new InferiumError("NotFound", `There is no file at ${show(url.href)}.`, { cause });
  });
  const realRoots = await Promise.all(roots.map((root) => realpath(root).catch(() => undefined)));
  if (realRoots.some((root) => root !== undefined && isUnder(root, path))) return path;
  throw outsideRoots(url, roots);
}

function filePathOf(url: URL): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw new InferiumError("InvalidUri", `The file URI "${show(url.href)}" has no path on this machine.`, { cause });
  }
}

function outsideRoots(url: URL, roots: readonly string[]): InferiumError {
  return notAllowed(url, `is outside the allowed folders (${roots.join(", ") || "none"})`);
}

function isUnder(root: string, path: string): boolean {
  const rest = relative(root, path);
  return rest !== "" && rest !== ".." && !rest.startsWith("../") && !isAbsolute(rest);
}

export function notAllowed(url: URL, why: string): InferiumError {
  return new InferiumError("NotAllowed", `The artifact ${show(withoutSecrets(url))} ${why}.`);
}

/** A query often carries a signature, and user info a password. */
export function withoutSecrets(url: URL): string {
  if (url.protocol === "data:") return "of a data: URI";
  return `${url.protocol}//${url.host}${url.pathname}`;
}

function show(text: string): string {
  return text.slice(0, 200);
}
