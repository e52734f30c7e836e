/** Where a paged list goes on: base64url of `{v, rv, start}`, as Kubernetes writes it. A broken token is a 400. Pure. */
import { isObject } from "../json-value.ts";
import { badRequest } from "../status.ts";

export interface ContinueToken {
  /** Undefined after an expired token was renewed: go on from the present. */
  readonly revision: number | undefined;
  /** The first key that may come. */
  readonly start: string;
}

const version = "meta.k8s.io/v1";

export function formatContinue(token: ContinueToken): string {
  const text = JSON.stringify({ v: version, rv: token.revision ?? -1, start: token.start });
  return Buffer.from(text).toString("base64url");
}

export function parseContinue(text: string): ContinueToken | undefined {
  if (text === "") return undefined;
  const token = decode(text);
  if (token.v !== version) throw broken("continue key is not valid: server does not recognize this encoded version");
  if (typeof token.rv !== "number" || !Number.isInteger(token.rv) || token.rv === 0)
    throw broken(`continue key is not valid: incorrect encoded start resourceVersion (version ${version})`);
  if (typeof token.start !== "string" || token.start === "")
    throw broken(`continue key is not valid: encoded start key empty (version ${version})`);
  return { revision: token.rv < 0 ? undefined : token.rv, start: token.start };
}

function decode(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
    if (isObject(value)) return value;
  } catch {
    // Not JSON: as much a token as any other text.
  }
  throw broken("continue key is not valid: it is not one that a server gave");
}

const broken = (why: string) => badRequest(`invalid continue token: ${why}`);
