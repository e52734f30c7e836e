/**
 * The pool API as a worker or validator uses it. Every call carries a session that is opened and renewed here, has a
 * time-out, and is retried with backoff and jitter where the server or the network says "later": claims may be, and
 * receipts and attestations are idempotent.
 */
import { type BackoffOptions, computeBackoffMs } from "../base/backoff.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { InferiumError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { CommittedWindow } from "../protocol/call-window.ts";
import type { ProtocolDomain } from "../protocol/typed-data.ts";
import type {
  AgentsRequest,
  AgentsResponse,
  LoadRequest,
  LoadResponse,
  OpenRequest,
  OpenResponse,
  WindowRequest,
} from "./agent-requests.ts";
import { createClientSession, type ExpectedPool } from "./client-session.ts";
import { createTransport, type Transport, type TransportOptions } from "./client-transport.ts";
import type { ProtocolSigner } from "./signer.ts";
import type { TrustedAuthorities } from "./trust-connector.ts";
import type {
  AttestRequest,
  AttestResponse,
  BatchRequest,
  BatchResponse,
  CapabilityRequest,
  CapabilityResponse,
  ClaimRequest,
  ClaimResponse,
  HeartbeatRequest,
  HeartbeatResponse,
  ItemRequest,
  ItemResponse,
  PoolRole,
  ReceiptRequest,
  ReceiptResponse,
} from "./wire.ts";

export interface PoolClientOptions {
  readonly url: string;
  /** Who certified the pool; a function is asked for each new connection. */
  readonly caPem?: TrustedAuthorities | undefined;
  readonly signer: ProtocolSigner;
  readonly role: PoolRole;
  readonly logger: Logger;
  readonly expected?: ExpectedPool;
  readonly clock?: Clock;
  readonly random?: () => number;
  /** Of one call, the first included. */
  readonly maxAttempts?: number;
  readonly backoff?: BackoffOptions;
  /** Told of each answer's time header (`PoolClock.hear`). */
  readonly onTime?: TransportOptions["onTime"];
}

export interface PoolFacts {
  readonly pool: string;
  readonly domain: ProtocolDomain;
  /** Name of our WorkerNode. */
  readonly node: string;
}

/** All throw InferiumError: `retry` where all attempts failed, `reject` where the pool said no; or the signal's reason. */
export interface PoolClient {
  /** What the pool says of itself and of us; opens a session where there is none. */
  facts(signal?: AbortSignal): Promise<PoolFacts>;
  claim(request: ClaimRequest, signal?: AbortSignal): Promise<ClaimResponse>;
  heartbeat(request: HeartbeatRequest, signal?: AbortSignal): Promise<HeartbeatResponse>;
  receipt(request: ReceiptRequest, signal?: AbortSignal): Promise<ReceiptResponse>;
  capability(request: CapabilityRequest, signal?: AbortSignal): Promise<CapabilityResponse>;
  attest(request: AttestRequest, signal?: AbortSignal): Promise<AttestResponse>;
  batch(request: BatchRequest, signal?: AbortSignal): Promise<BatchResponse>;
  item(request: ItemRequest, signal?: AbortSignal): Promise<ItemResponse>;
  agents(request: AgentsRequest, signal?: AbortSignal): Promise<AgentsResponse>;
  window(request: WindowRequest, signal?: AbortSignal): Promise<CommittedWindow>;
  open(request: OpenRequest, signal?: AbortSignal): Promise<OpenResponse>;
  load(request: LoadRequest, signal?: AbortSignal): Promise<LoadResponse>;
  close(): Promise<void>;
}

const callTimeoutMs = 20_000;
/** A claim waits at the server; this is for the way there and back. */
const claimSlackMs = 15_000;

/** @throws InferiumError InvalidPoolUrl */
export function createPoolClient(options: PoolClientOptions): PoolClient {
  const clock = options.clock ?? systemClock;
  const transport = createTransport(options);
  const { signer, role, expected } = options;
  const session = createClientSession({ transport, signer, role, clock, expected });
  const retry = createRetry(options, clock);

  const call = <T>(verb: string, body: object, { timeoutMs = callTimeoutMs, signal }: CallOptions = {}) =>
    retry(verb, () => callOnce<T>(transport, session, { path: `/v1/${verb}`, body, timeoutMs, signal }), signal);

  return {
    facts: async (signal) => {
      const { pool, domain, node } = await retry("session", () => session.get(), signal);
      return { pool, domain, node };
    },
    claim: async (request, signal) =>
      checkClaim(await call("claim", request, { timeoutMs: request.waitMs + claimSlackMs, signal })),
    heartbeat: (request, signal) => call("heartbeat", request, { signal }),
    receipt: (request, signal) => call("receipt", request, { signal }),
    capability: (request, signal) => call("capability", request, { signal }),
    attest: (request, signal) => call("attest", request, { signal }),
    batch: (request, signal) => call("batch", request, { signal }),
    item: (request, signal) => call("item", request, { signal }),
    agents: (request, signal) => call("agents", request, { timeoutMs: request.waitMs + claimSlackMs, signal }),
    window: (request, signal) => call("window", request, { signal }),
    open: (request, signal) => call("open", request, { signal }),
    load: (request, signal) => call("load", request, { signal }),
    close: () => transport.close(),
  };
}

interface CallOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

interface OneCall {
  readonly path: string;
  readonly body: object;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** A 401 may only mean that the server was restarted: once, a new session is opened for it. */
async function callOnce<T>(
  transport: Transport,
  session: ReturnType<typeof createClientSession>,
  call: OneCall,
): Promise<T> {
  const opened = await session.get();
  try {
    return (await transport.post({ ...call, token: opened.token })) as T;
  } catch (error) {
    if (!(error instanceof InferiumError) || error.evidence.status !== 401) throw error;
    session.drop(opened);
    const again = await session.get();
    return (await transport.post({ ...call, token: again.token })) as T;
  }
}

type Retry = <T>(verb: string, work: () => Promise<T>, signal: AbortSignal | undefined) => Promise<T>;

function createRetry(options: PoolClientOptions, clock: Clock): Retry {
  const maxAttempts = options.maxAttempts ?? 5;
  const random = options.random ?? Math.random;
  const backoff = { ...(options.backoff ?? { initialMs: 200, maxMs: 10_000 }), random };
  return async (verb, work, signal) => {
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted();
      try {
        return await work();
      } catch (error) {
        if (attempt >= maxAttempts || !(error instanceof InferiumError) || error.disposition !== "retry") throw error;
        // Not all who were told the same time may come again at that very time.
        const askedMs = Number(error.evidence.retryAfterMs ?? 0) * (1 + random() / 2);
        const waitMs = Math.max(computeBackoffMs(attempt, backoff), askedMs);
        options.logger.debug("pool call is retried", { verb, attempt, waitMs, code: error.code });
        await clock.sleep(waitMs, signal);
      }
    }
  };
}

function checkClaim(answer: Partial<ClaimResponse> | null): ClaimResponse {
  const { assignments, duties, challenge } = answer ?? {};
  if (Array.isArray(assignments) && Array.isArray(duties))
    return { assignments, duties, ...(challenge === undefined ? {} : { challenge }) };
  const message = "The pool's answer to a claim has no lists of assignments and duties; check its version.";
  throw new InferiumError("BadAnswer", message, { disposition: "retry" });
}
