/** Every server of ours that listens, started for a test with the bounds that the test names. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { systemClock } from "../../../src/base/clock.ts";
import type { FrontBounds } from "../../../src/base/http-front.ts";
import { silentLogger } from "../../../src/base/log.ts";
import { createCertificateAuthority, issueServerCertificate } from "../../../src/base/tls.ts";
import { startApiServer } from "../../../src/embedded/apiserver/server.ts";
import { startArtifactServer } from "../../../src/embedded/demo/artifact-server.ts";
import { modelPath } from "../../../src/embedded/demo/models/train-mnist.ts";
import { startKubeletServer } from "../../../src/embedded/kubelet/kubelet-server.ts";
import { serveModels } from "../../../src/gateway/serve-models.ts";
import { startHealthServer } from "../../../src/kube/health-server.ts";
import { startPoolServer } from "../../../src/pool/server.ts";
import { aBackend } from "../../support/pool-backend.ts";
import { aKey, anAgent, mnist, openGateway } from "../gateway/support/gateway-rig.ts";

type Bounds = Partial<FrontBounds>;

export interface Running {
  readonly port: number;
  close(): Promise<unknown>;
}

export interface Surface {
  readonly name: string;
  readonly isTls: boolean;
  start(bounds: Bounds): Promise<Running>;
  /** Of one that takes bodies. */
  readonly takes?: {
    readonly path: string;
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly maxBytes: number;
    /** What stands before and behind a value that may be as deep as it likes. Left out: it is no JSON. */
    readonly around?: readonly [string, string];
  };
}

const host = "127.0.0.1";
const inferBytes = 1_000_000;
const adminToken = "token-of-the-surfaces-test";
const portOf = (url: string) => Number(new URL(url).port);
const tls = createCertificateAuthority("surfaces").then((authority) =>
  issueServerCertificate(authority, { commonName: "surface", ipAddresses: [host] }),
);
async function startPool(bounds: Bounds): Promise<Running> {
  const domain = { chainId: 31337, settlement: `0x${"1".repeat(40)}` };
  const pool = { pool: "test-pool", domain, backend: aBackend() };
  const server = await startPoolServer({
    host,
    port: 0,
    tls: await tls,
    ...pool,
    logger: silentLogger,
    limits: bounds,
  });
  return { port: portOf(server.url), close: server.close };
}

async function startApi(bounds: Bounds): Promise<Running> {
  const server = await startApiServer({
    logger: silentLogger,
    bounds,
    tokens: [{ token: adminToken, user: "u", groups: ["system:masters"] }],
  });
  return { port: portOf(server.url), close: () => server.close() };
}

async function startServe(bounds: Bounds): Promise<Running> {
  const dir = await mkdtemp(join(tmpdir(), "inferium-serve-"));
  const stop = new AbortController();
  const config = {
    host,
    port: 0,
    models: [{ name: "mnist", ...mnist }],
    maxBodyBytes: inferBytes,
    drainDelayMs: 0,
    graceMs: 0,
    bounds,
  };
  const url = Promise.withResolvers<string>();
  const ended = serveModels(
    { ...config, executor: { cacheDir: dir, fileRoots: [dirname(modelPath)] } },
    { signal: stop.signal, logger: silentLogger, onReady: url.resolve },
  );
  ended.catch(url.reject);
  const close = async () => {
    stop.abort();
    await ended;
    await rm(dir, { recursive: true, force: true });
  };
  return { port: portOf(await url.promise), close };
}

async function startGatewayRig(bounds: Bounds): Promise<Running> {
  const rig = await openGateway([{ ...anAgent, limits: { ...anAgent.limits, maxBodyBytes: inferBytes } }], {
    bounds,
    graceMs: 0,
  });
  return { port: portOf(rig.url), close: rig.close };
}

const infer = {
  path: "/v2/models/mnist/infer",
  maxBytes: inferBytes,
  around: ['{"inputs":[{"name":"pixels","shape":[1,784],"datatype":"UINT8","data":', "}]}"],
} as const;
const json = { "content-type": "application/json" };

export const surfaces: readonly Surface[] = [
  {
    name: "pool API",
    isTls: true,
    start: startPool,
    takes: { path: "/v1/session/challenge", headers: json, maxBytes: 16 * 1024, around: ['{"account":', "}"] },
  },
  {
    name: "health and metrics",
    isTls: false,
    start: async (bounds) => startHealthServer({ host, port: 0, bounds }),
  },
  {
    name: "embedded API server",
    isTls: true,
    start: startApi,
    takes: {
      path: "/api/v1/namespaces/default/configmaps",
      headers: { ...json, authorization: `Bearer ${adminToken}` },
      maxBytes: 3 * 1024 * 1024,
      around: ['{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":', "}"],
    },
  },
  {
    name: "kubelet",
    isTls: true,
    start: async (bounds) =>
      startKubeletServer({ token: "t", tls: await tls, clock: systemClock, logger: silentLogger, bounds }),
  },
  {
    name: "artifact server",
    isTls: false,
    start: async (bounds) => {
      const server = await startArtifactServer(bounds);
      return { port: portOf(server.storeUri), close: server.close };
    },
    takes: { path: `/store/sha256-${"0".repeat(64)}`, method: "PUT", maxBytes: 64 * 2 ** 20 },
  },
  {
    name: "gateway",
    isTls: false,
    start: startGatewayRig,
    takes: { ...infer, headers: { ...json, authorization: `Bearer ${aKey}` } },
  },
  {
    name: "inferium serve",
    isTls: false,
    start: startServe,
    takes: { ...infer, headers: json },
  },
];
