/**
 * How many requests are answered at once: in all, and of one user, so that one that asks without end leaves room for others. What is
 * above that is sent away for a second, as priority and fairness does. Long-running ones do not count, and those who may do
 * everything have no share of their own.
 */
import { isPrivileged, type UserInfo } from "../authorization/user-info.ts";
import { failure, type StatusError } from "../status.ts";

export const requestLimits = { mutating: 200, readOnly: 400 } as const;
/** Of each limit, for one user. */
const userShare = 0.5;
const retryAfterSeconds = 1;

export type RequestKind = keyof typeof requestLimits;

export class RequestLimits {
  readonly #open: Record<RequestKind, number> = { mutating: 0, readOnly: 0 };
  readonly #byUser: Record<RequestKind, Map<string, number>> = { mutating: new Map(), readOnly: new Map() };
  readonly #limits: Readonly<Record<RequestKind, number>>;

  constructor(limit: Readonly<Record<RequestKind, number>> = requestLimits) {
    this.#limits = limit;
  }

  /** Throws a 429 when too many are open. @returns what is to be called when the answer has ended */
  enter(kind: RequestKind): () => void {
    if (this.#open[kind] >= this.#limits[kind]) throw tooManyRequests();
    this.#open[kind] += 1;
    return () => {
      this.#open[kind] -= 1;
    };
  }

  /** As `enter`, once it is known whose the request is. */
  enterAs(kind: RequestKind, user: UserInfo): () => void {
    if (isPrivileged(user)) return () => undefined;
    const { username } = user;
    const open = this.#byUser[kind];
    const own = open.get(username) ?? 0;
    if (own >= this.#limits[kind] * userShare) throw tooManyRequests();
    open.set(username, own + 1);
    return () => {
      const left = (open.get(username) ?? 1) - 1;
      if (left === 0) open.delete(username);
      else open.set(username, left);
    };
  }
}

function tooManyRequests(): StatusError {
  const message = "Too many requests, please try again later.";
  return failure(429, "TooManyRequests", message, { retryAfterSeconds });
}
