/**
 * The embedded Kubernetes API server. Called by `inferium up`, `inferium apiserver` and tests. Effects: one HTTPS listener,
 * and the files of the data directory where one is given; without one everything is gone after `close()`.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { isIP } from "node:net";
import { type Clock, systemClock } from "../../base/clock.ts";
import { describeError, InferiumError } from "../../base/errors.ts";
import type { FrontBounds } from "../../base/http-front.ts";
import { hostInUrl } from "../../base/listen-address.ts";
import type { Logger } from "../../base/log.ts";
import { type CertificateAuthority, issueClientCertificate, issueServerCertificate } from "../../base/tls.ts";
import { rbacStorage } from "./authorization/binding-index.ts";
import { RbacAuthorizer } from "./authorization/rbac-authorizer.ts";
import { bootstrapObjects, bootstrapService } from "./controllers/bootstrap.ts";
import { startControllers } from "./controllers/controllers.ts";
import { ServiceAccountTokens } from "./controllers/service-account-tokens.ts";
import { OpenApiDocuments } from "./discovery/openapi-documents.ts";
import type { HealthCheck } from "./handlers/health.ts";
import type { KubeletClientOptions } from "./handlers/kubelet-client.ts";
import { PodLogProxy } from "./handlers/pod-log.ts";
import { PodStreamProxy } from "./handlers/pod-stream.ts";
import { handleBinding, handleEviction, handleFinalize } from "./handlers/pod-subresources.ts";
import type { SubresourceHandler } from "./handlers/resources.ts";
import { handleTokenRequest } from "./handlers/token-request.ts";
import { type WriteCount, WriteCounter } from "./handlers/write-counter.ts";
import { Authenticator, type StaticToken } from "./http/authenticate.ts";
import { HttpsListener } from "./http/listener.ts";
import type { RequestLife } from "./http/request-life.ts";
import { RequestLimits } from "./http/request-limits.ts";
import { buildKubeconfig } from "./kubeconfig.ts";
import { ApiMetrics } from "./metrics.ts";
import type { ApiContext } from "./operations/context.ts";
import { coreKinds } from "./registry/core-kinds.ts";
import { crdKind } from "./registry/crd-kind.ts";
import { KindRegistry } from "./registry/kind-registry.ts";
import { otherKinds } from "./registry/other-kinds.ts";
import { routeRequest } from "./router.ts";
import { openServerIdentity } from "./server-identity.ts";
import { type DataDir, openDataDir } from "./storage/data-dir.ts";
import { MemoryStore } from "./storage/memory-store.ts";

export type { KubeletClientOptions, StaticToken, WriteCount };

export interface ApiServerOptions {
  readonly logger: Logger;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  readonly clock?: Clock;
  /** Bearer tokens to accept besides the admin's. */
  readonly tokens?: readonly StaticToken[];
  /** Credentials for kubelets; without them pod logs answer 501. */
  readonly kubeletClient?: KubeletClientOptions;
  /** Watch events kept per resource before older resource versions get a 410. */
  readonly historyLimit?: number;
  /** Where everything is kept, to be there again at the next start. Left out: in memory only. */
  readonly dataDir?: string;
  /** Of what clients may cost, where not as usual. */
  readonly bounds?: Partial<FrontBounds>;
  /** Told once when the data directory can no longer be written: from then on every write fails. */
  readonly onStorageFailure?: (error: InferiumError) => void;
}

export interface ApiServer {
  readonly url: string;
  readonly caPem: string;
  readonly adminToken: string;
  /** YAML text; for the admin, or for a user whose token was given in the options. */
  kubeconfig(user?: string): string;
  /** YAML text, with a client certificate instead of a token; groups are its organizations. */
  certificateKubeconfig(subject: { readonly user: string; readonly groups?: readonly string[] }): Promise<string>;
  writes(): readonly WriteCount[];
  close(): Promise<void>;
}

const adminUser = "inferium-admin";

export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const host = options.host ?? "127.0.0.1";
  const clock = options.clock ?? systemClock;
  const data = await openStorage(options);
  try {
    return await start(options, data, { host, clock });
  } catch (error) {
    await data.close();
    throw error;
  }
}

async function start(
  options: ApiServerOptions,
  data: Storage,
  { host, clock }: { host: string; clock: Clock },
): Promise<ApiServer> {
  const { store } = data;
  const authorizer = new RbacAuthorizer(store);
  const context: ApiContext = { store, kinds: createKinds(), authorizer, clock, logger: options.logger };
  const identity = await openServerIdentity(data.notes);
  const { adminToken } = identity;
  const tokens: readonly StaticToken[] = [
    { token: adminToken, user: adminUser, groups: ["system:masters"] },
    ...(options.tokens ?? []),
  ];
  const accountTokens = new ServiceAccountTokens(store, clock, identity.accountKey);
  const services = createServices(context, options, { tokens, accountTokens });
  const certificate = await issueCertificate(identity.authority, host);
  const { caPem } = certificate;
  const controllers = startControllers(context, { caPem, tokens: accountTokens });
  store.announce();
  bootstrapObjects(context);
  await store.flushed();
  const listener = new HttpsListener({
    host,
    port: options.port ?? 0,
    ...certificate,
    clientCaPem: identity.clientAuthority.certPem,
    logger: options.logger,
    handle: services.handle,
    ...(options.bounds === undefined ? {} : { bounds: options.bounds }),
  });
  const port = await listen(listener, host, options.port ?? 0);
  const url = `https://${hostInUrl(host)}:${port}`;
  services.setAddress(`${host}:${port}`);
  bootstrapService(context, port);
  return {
    url,
    caPem,
    adminToken,
    kubeconfig: (user = adminUser) =>
      buildKubeconfig({ url, caPem, user, credentials: { token: tokenOf(tokens, user) } }),
    certificateKubeconfig: async ({ user, groups = [] }) => {
      const subject = { commonName: user, organizations: groups };
      const credentials = await issueClientCertificate(identity.clientAuthority, subject);
      return buildKubeconfig({ url, caPem, user, credentials });
    },
    writes: () => services.counter.list(),
    close: async () => {
      services.startClosing();
      controllers.stop();
      authorizer.stop();
      await listener.close();
      await services.logs.close();
      await data.close();
    },
  };
}

type Storage = Pick<DataDir, "store" | "close"> & Partial<Pick<DataDir, "notes">>;

async function openStorage(options: ApiServerOptions): Promise<Storage> {
  const limit = options.historyLimit === undefined ? {} : { historyLimit: options.historyLimit };
  if (options.dataDir === undefined) return { store: new MemoryStore(limit), close: async () => undefined };
  const onFailure = (error: InferiumError) => {
    options.logger.error("nothing more can be stored", { error: describeError(error) });
    options.onStorageFailure?.(error);
  };
  return openDataDir(options.dataDir, { ...limit, onFailure });
}

function createKinds(): KindRegistry {
  const kinds = new KindRegistry();
  for (const kind of [...coreKinds(), ...otherKinds(), crdKind()]) kinds.add(kind);
  return kinds;
}

interface TokenSources {
  readonly tokens: readonly StaticToken[];
  readonly accountTokens: ServiceAccountTokens;
}

function createServices(context: ApiContext, options: ApiServerOptions, { tokens, accountTokens }: TokenSources) {
  const authenticator = new Authenticator(tokens, (token, audiences) => accountTokens.verify(token, audiences));
  const counter = new WriteCounter();
  const logs = new PodLogProxy(context, options.kubeletClient);
  const podStreams = new PodStreamProxy(context, options.kubeletClient);
  const subresources: Record<string, SubresourceHandler> = {
    "pods/log": (exchange, target) => logs.handle(exchange, target),
    "pods/exec": (exchange, target) => podStreams.handle(exchange, target),
    "pods/attach": (exchange, target) => podStreams.handle(exchange, target),
    "pods/binding": (exchange, target) => handleBinding(context, exchange, target),
    "pods/eviction": (exchange, target) => handleEviction(context, exchange, target),
    "namespaces/finalize": (exchange, target) => handleFinalize(context, exchange, target),
    "serviceaccounts/token": (exchange, target) =>
      handleTokenRequest({ context, tokens: accountTokens }, exchange, target),
  };
  let address = "";
  let closing = false;
  const router = {
    routes: { context, counter, subresources },
    reviews: { context, authenticator },
    tokens: accountTokens,
    checks: healthChecks(context, () => closing),
    openApi: new OpenApiDocuments(context.kinds),
    metrics: new ApiMetrics(context),
    limits: new RequestLimits(),
    address: () => address,
  };
  return {
    counter,
    logs,
    startClosing: () => {
      closing = true;
    },
    setAddress: (value: string) => {
      address = value;
    },
    handle: (request: IncomingMessage, response: ServerResponse, life: RequestLife) =>
      routeRequest(router, request, response, life),
  };
}

function issueCertificate(authority: CertificateAuthority, host: string) {
  const dnsNames = ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"];
  dnsNames.push("kubernetes.default.svc.cluster.local");
  const ipAddresses = [...new Set(["127.0.0.1", ...(isIP(host) === 0 ? [] : [host])])];
  if (isIP(host) === 0) dnsNames.push(host);
  return issueServerCertificate(authority, {
    commonName: "inferium-embedded-apiserver",
    dnsNames,
    ipAddresses,
    days: 365,
  });
}

function healthChecks({ store }: ApiContext, closing: () => boolean): HealthCheck[] {
  const always = () => true;
  return [
    { name: "ping", healthy: always },
    { name: "log", healthy: always },
    { name: "etcd", healthy: () => store.revision() > 0 },
    { name: "informer-sync", healthy: always, readinessOnly: true },
    { name: "poststarthook/rbac/bootstrap-roles", healthy: () => store.count(rbacStorage.clusterRoles) > 0 },
    { name: "poststarthook/scheduling/bootstrap-system-priority-classes", healthy: always },
    { name: "shutdown", healthy: () => !closing(), readinessOnly: true },
  ];
}

async function listen(listener: HttpsListener, host: string, port: number): Promise<number> {
  try {
    return await listener.listen();
  } catch (cause) {
    const advice = "stop what uses this port, or choose another one";
    throw new InferiumError("ListenFailed", `the API server cannot listen on ${host}:${port}; ${advice}`, {
      disposition: "fatal",
      evidence: { host, port },
      cause,
    });
  }
}

function tokenOf(tokens: readonly StaticToken[], user: string): string {
  const found = tokens.find((one) => one.user === user);
  if (found !== undefined) return found.token;
  const known = tokens.map((one) => one.user).join(", ");
  throw new InferiumError("UnknownUser", `no token was given for the user ${user}; known users: ${known}`);
}
