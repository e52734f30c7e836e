/** One request on its way through the server: what the handlers may know of it. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { UserInfo } from "../authorization/user-info.ts";
import type { WriteOptions } from "../operations/context.ts";
import { parseWriteOptions } from "../operations/write-options.ts";
import type { ResponseForm } from "./negotiate.ts";
import type { RequestLife } from "./request-life.ts";

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly pathname: string;
  readonly query: URLSearchParams;
  readonly form: ResponseForm;
  readonly user: UserInfo;
  /** Its signal is aborted when the client is gone or the server closes. */
  readonly life: RequestLife;
}

export function writeOptionsOf(exchange: Exchange, isApply = false): WriteOptions {
  const { query, request, user } = exchange;
  return parseWriteOptions({ method: request.method, query, userAgent: request.headers["user-agent"], user, isApply });
}
