/** A pool server over real TLS on loopback, in front of a backend that a test scripts. */
import { Wallet } from "ethers";
import { type Dispatcher, Pool } from "undici";
import { afterEach } from "vitest";
import { type Clock, systemClock } from "../../../src/base/clock.ts";
import { silentLogger } from "../../../src/base/log.ts";
import { createCertificateAuthority, issueServerCertificate, type ServerCertificate } from "../../../src/base/tls.ts";
import type { PoolBackend } from "../../../src/pool/backend.ts";
import { createPoolClient, type PoolClient, type PoolClientOptions } from "../../../src/pool/client.ts";
import { type PoolServer, type PoolServerOptions, startPoolServer } from "../../../src/pool/server.ts";
import { createSigner, type ProtocolSigner } from "../../../src/pool/signer.ts";
import type { ChallengeResponse, PoolRole } from "../../../src/pool/wire.ts";
import { type ProtocolDomain, sessionTypes } from "../../../src/protocol/typed-data.ts";

export const domain: ProtocolDomain = { chainId: 31337, settlement: "0x5FbDB2315678afecb367f032d93F642f64180aa3" };

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});
export function onCleanup(cleanup: () => Promise<unknown>): void {
  cleanups.push(cleanup);
}

let certificate: Promise<ServerCertificate> | undefined;
export function getCertificate(): Promise<ServerCertificate> {
  certificate ??= createCertificateAuthority("pool-test").then((ca) =>
    issueServerCertificate(ca, { commonName: "pool", ipAddresses: ["127.0.0.1"] }),
  );
  return certificate;
}

export async function aServer(
  backend: PoolBackend,
  options: Partial<PoolServerOptions> = {},
): Promise<PoolServer & { caPem: string }> {
  const { certPem, keyPem, caPem } = await getCertificate();
  const server = await startPoolServer({
    host: "127.0.0.1",
    port: 0,
    tls: { certPem, keyPem },
    pool: "test-pool",
    domain,
    backend,
    logger: silentLogger,
    ...options,
  });
  onCleanup(() => server.close());
  return { ...server, caPem };
}

export function aSigner(): ProtocolSigner {
  return createSigner(Wallet.createRandom().privateKey);
}

export function aClient(server: { url: string; caPem: string }, options: Partial<PoolClientOptions> = {}): PoolClient {
  const client = createPoolClient({
    url: server.url,
    caPem: server.caPem,
    signer: aSigner(),
    role: "Worker",
    logger: silentLogger,
    backoff: { initialMs: 5, maxMs: 20 },
    ...options,
  });
  onCleanup(() => client.close());
  return client;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData["headers"];
  readonly body: Record<string, unknown> & { readonly error?: { readonly code: string; readonly message: string } };
}

/** Calls without a client, to say what a client would not. */
export function aCaller(server: { url: string; caPem: string }) {
  const pool = new Pool(server.url, { connect: { ca: server.caPem }, allowH2: false });
  onCleanup(() => pool.destroy());
  return async (path: string, body: object | string, token?: string): Promise<RawAnswer> => {
    const response = await pool.request({
      path,
      method: "POST",
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    const answer = (await response.body.json()) as RawAnswer["body"];
    return { status: response.statusCode, headers: response.headers, body: answer };
  };
}

export type Caller = ReturnType<typeof aCaller>;

/** A signed answer to a fresh challenge, not sent yet. */
export async function answerChallenge(
  call: Caller,
  account: string,
  { signer, role = "Worker" }: { signer: ProtocolSigner; role?: PoolRole },
) {
  const challenge = (await call("/v1/session/challenge", { account, role })).body as unknown as ChallengeResponse;
  const claim = { account, role, challenge: challenge.challenge, expiresAtMs: challenge.expiresAtMs };
  const signature = await signer.signTypedData(challenge.domain, sessionTypes, { ...claim, pool: challenge.pool });
  return { ...claim, signature };
}

export async function openToken(call: Caller, role: PoolRole = "Worker"): Promise<string> {
  const signer = aSigner();
  const answer = await call("/v1/session", await answerChallenge(call, signer.address, { signer, role }));
  return String(answer.body.token);
}

/** The system's clock, moved forward by a test. */
export function aMovableClock(): Clock & { advance(ms: number): void } {
  let offsetMs = 0;
  return {
    now: () => systemClock.now() + offsetMs,
    monotonic: () => systemClock.monotonic() + offsetMs,
    sleep: systemClock.sleep,
    advance: (ms) => {
      offsetMs += ms;
    },
  };
}
