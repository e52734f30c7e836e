/** Finds the call that a request makes and passes it through rate, session and role to its verb. */
import type { IncomingMessage } from "node:http";
import type { Clock } from "../base/clock.ts";
import { createRateLimiter, type RateLimiter } from "../base/rate-limit.ts";
import type { PoolCaller } from "./backend.ts";
import type { PoolServerLimits } from "./limits.ts";
import type { PoolMetrics } from "./metrics.ts";
import type { SessionGate } from "./open-session.ts";
import { readBody } from "./read-body.ts";
import { PoolRefusal } from "./refusal.ts";
import { createOpenVerbs, createSessionVerbs, type OpenVerb, type SessionVerb } from "./verbs.ts";
import { createWaitForWork } from "./waiting-claims.ts";
import { poolLimits } from "./wire.ts";

export interface Route {
  /** Bounded set, for metrics. */
  readonly name: string;
  /** `call` is aborted when the caller went away or the server closes, and here when the backend takes too long. */
  answer(request: IncomingMessage, call: AbortController): Promise<object>;
}

export interface Router {
  find(request: IncomingMessage): Route;
}

export interface RouterOptions {
  readonly gate: SessionGate;
  readonly limits: PoolServerLimits;
  readonly metrics: PoolMetrics | undefined;
  readonly clock: Clock;
}

export function createRouter(options: RouterOptions): Router {
  const { gate, limits, metrics, clock } = options;
  const openVerbs = createOpenVerbs(gate);
  const sessionVerbs = createSessionVerbs(gate.backend, createWaitForWork({ backend: gate.backend, limits, metrics }));
  const byAddress = createRateLimiter(limits.addressRate, clock);
  const byAccount = createRateLimiter(limits.accountRate, clock);

  const openRoute = (verb: OpenVerb): Route => ({
    name: verb.name,
    answer: async (request) => {
      checkRate(byAddress, request.socket.remoteAddress ?? "unknown");
      return verb.answer(await readBody(request, limits.maxOpenBodyBytes));
    },
  });
  const sessionRoute = (verb: SessionVerb): Route => ({
    name: verb.name,
    answer: async (request, call) => {
      const caller = authenticate(gate, request);
      checkRate(byAccount, caller.account);
      checkRole(verb, caller);
      const body = await readBody(request, limits.maxBodyBytes);
      const limitMs = limits.backendTimeoutMs + (verb.waits ? poolLimits.maxWaitMs : 0);
      return answerInTime(() => verb.answer(caller, body, call.signal), limitMs, call);
    },
  });
  const routes = new Map<string, Route>([
    ...[...openVerbs].map(([path, verb]): [string, Route] => [path, openRoute(verb)]),
    ...[...sessionVerbs].map(([path, verb]): [string, Route] => [path, sessionRoute(verb)]),
  ]);
  return {
    find(request) {
      const route = routes.get(request.url ?? "");
      if (route === undefined) return refused("unknown", 404, "NotFound", "There is no such call in the pool API.");
      if (request.method === "POST") return route;
      return refused(route.name, 405, "MethodNotAllowed", "Calls of the pool API are POST requests.");
    },
  };
}

function refused(name: string, status: number, code: string, message: string): Route {
  return { name, answer: async () => Promise.reject(new PoolRefusal(status, code, message)) };
}

function authenticate(gate: SessionGate, request: IncomingMessage): PoolCaller {
  const token = /^Bearer ([A-Za-z0-9_-]{20,200})$/.exec(request.headers.authorization ?? "")?.[1];
  const caller = token === undefined ? undefined : gate.sessions.find(token);
  if (caller !== undefined) return caller;
  throw new PoolRefusal(401, "NoSession", "The call carries no token that is good; open a session and call again.");
}

function checkRole(verb: SessionVerb, caller: PoolCaller): void {
  if (verb.roles.includes(caller.role)) return;
  throw new PoolRefusal(403, "WrongRole", `A ${caller.role} may not call ${verb.name}; ${verb.roles.join(", ")} may.`);
}

function checkRate(limiter: RateLimiter, key: string): void {
  const waitMs = limiter.take(key);
  if (waitMs > 0) throw new PoolRefusal(429, "TooManyCalls", `Too many calls; wait ${waitMs} ms.`, waitMs);
}

/** A backend that hangs must not hold the caller for ever; its signal is aborted so that it stops too. */
async function answerInTime(answer: () => Promise<object>, limitMs: number, call: AbortController): Promise<object> {
  let timer: NodeJS.Timeout | undefined;
  const expiry = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const late = new PoolRefusal(503, "BackendTimeout", `No answer within ${limitMs} ms; try again.`, 1000);
      call.abort(late);
      reject(late);
    }, limitMs);
  });
  return Promise.race([answer(), expiry]).finally(() => clearTimeout(timer));
}
