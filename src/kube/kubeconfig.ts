/**
 * Reads a kubeconfig, or the in-cluster service account, through `@kubernetes/client-node`, which is loaded lazily: from
 * source it takes about a second, and only processes that talk to a cluster need it.
 */
import { readFile } from "node:fs/promises";
import { delimiter, dirname, resolve } from "node:path";
import type { Cluster, KubeConfig, User } from "@kubernetes/client-node";
import { parse as parseYaml } from "yaml";
import { describeError, InferiumError } from "../base/errors.ts";
import type { Credentials } from "./connection.ts";

export interface KubeconfigSource {
  readonly server: string;
  readonly namespace: string;
  readonly impersonateUser: string | undefined;
  /** `fresh` also drops what an exec plugin answered before. */
  readCredentials(fresh: boolean): Promise<Credentials>;
}

type LoadConfig = () => Promise<{ config: KubeConfig; tokenFile: string | undefined }>;

/** Reads KUBERNETES_SERVICE_HOST and _PORT (through the package) and the files mounted into every pod, below `root`. */
export async function openInCluster(root = ""): Promise<KubeconfigSource> {
  return openSource("the in-cluster service account", async () => {
    const config = await createConfig();
    config.loadFromCluster(root);
    return { config, tokenFile: undefined };
  });
}

/** @param paths of which what an earlier file says goes before what a later one does, as kubectl merges KUBECONFIG */
export async function openKubeconfig(paths: readonly string[], context: string | undefined): Promise<KubeconfigSource> {
  return openSource(`kubeconfig ${paths.join(delimiter)}`, async () => {
    const config = await createConfig();
    const read = paths.map((path) => readOne(config, path));
    config.loadFromOptions({
      clusters: firstOfEachName(read.flatMap(({ clusters }) => clusters)),
      users: firstOfEachName(read.flatMap(({ users }) => users)),
      contexts: firstOfEachName(read.flatMap(({ contexts }) => contexts)),
      currentContext: read.find(({ currentContext }) => currentContext !== "")?.currentContext ?? "",
    });
    if (context !== undefined) config.setCurrentContext(context);
    return { config, tokenFile: await findTokenFile(paths, config.getCurrentUser()?.name) };
  });
}

type ReadConfig = Pick<KubeConfig, "clusters" | "users" | "contexts" | "currentContext">;

/** One reader for all files: each load replaces what it holds. */
function readOne(reader: KubeConfig, path: string): ReadConfig {
  reader.loadFromFile(path);
  const { clusters = [], users = [], contexts = [], currentContext } = reader;
  return { clusters, users, contexts, currentContext: currentContext ?? "" };
}

function firstOfEachName<T extends { readonly name: string }>(all: readonly T[]): T[] {
  return all.filter((one, index) => all.findIndex(({ name }) => name === one.name) === index);
}

async function createConfig(): Promise<KubeConfig> {
  const { KubeConfig } = await import("./client-node-config.ts");
  return new KubeConfig();
}

async function openSource(origin: string, load: LoadConfig): Promise<KubeconfigSource> {
  const guarded = async () => {
    try {
      return await load();
    } catch (error) {
      throw invalid(origin, describeError(error), error);
    }
  };
  const loaded = await guarded();
  // What was read just now serves for the first credentials, which are asked for at once.
  let unused: typeof loaded | undefined = loaded;
  const first = loaded.config;
  const cluster = checkCluster(origin, first);
  // An exec plugin's answer is cached inside the KubeConfig until it expires, so that one is kept; anything else is
  // read again from its files, which is how rotation is noticed.
  let kept = first.getCurrentUser()?.exec ? first : undefined;
  return {
    server: cluster.server.replace(/\/+$/, ""),
    namespace: first.getContextObject(first.getCurrentContext())?.namespace?.trim() || "default",
    impersonateUser: first.getCurrentUser()?.impersonateUser ?? undefined,
    readCredentials: async (fresh) => {
      if (kept && !fresh) return readCredentials(origin, kept, undefined);
      const { config, tokenFile } = (fresh ? undefined : unused) ?? (await guarded());
      unused = undefined;
      if (kept) kept = config;
      return readCredentials(origin, config, tokenFile);
    },
  };
}

function checkCluster(origin: string, config: KubeConfig): Cluster {
  const context = config.getCurrentContext();
  const cluster = config.getCurrentCluster();
  if (!cluster?.server || cluster.server.includes("undefined")) {
    const known = config.getContexts().map((entry) => entry.name);
    throw invalid(origin, `context "${context ?? ""}" names no usable cluster; known contexts: ${known.join(", ")}`);
  }
  if (!config.getCurrentUser()) throw invalid(origin, `context "${context}" names no known user`);
  if (cluster.proxyUrl) throw invalid(origin, `cluster "${cluster.name}" has a proxy-url, which is not supported`);
  return cluster;
}

const execTimeoutMs = 60_000;

async function readCredentials(origin: string, config: KubeConfig, tokenFile?: string): Promise<Credentials> {
  const options: Parameters<KubeConfig["applyToHTTPSOptions"]>[0] & Record<string, unknown> = { headers: {} };
  try {
    await withTimeout(allowPlainHttp(config).applyToHTTPSOptions(options), execTimeoutMs);
    const fileToken = tokenFile === undefined ? undefined : `Bearer ${(await readFile(tokenFile, "utf8")).trim()}`;
    return {
      tls: {
        ca: asMaterial(options.ca),
        cert: asMaterial(options.cert),
        key: asMaterial(options.key),
        serverName: typeof options.servername === "string" ? options.servername : undefined,
        insecureSkipVerify: options.rejectUnauthorized === false,
      },
      authorization: fileToken ?? readAuthorization(options),
    };
  } catch (error) {
    throw invalid(origin, `no credentials: ${describeError(error)}`, error);
  }
}

/** The package refuses `http:` servers (a local proxy, a test) unless TLS checks are off; without TLS nothing is lost. */
function allowPlainHttp(config: KubeConfig): KubeConfig {
  if (!config.getCurrentCluster()?.server.startsWith("http:")) return config;
  config.loadFromOptions({
    clusters: config.clusters.map((cluster) => ({ ...cluster, skipTLSVerify: true })),
    users: config.users,
    contexts: config.contexts,
    currentContext: config.currentContext,
  });
  return config;
}

function readAuthorization(options: { headers?: unknown; auth?: unknown }): string | undefined {
  const headers = options.headers as Record<string, string | undefined> | undefined;
  const given = headers?.Authorization?.trim();
  if (given) return given;
  if (typeof options.auth !== "string") return undefined;
  return `Basic ${Buffer.from(options.auth).toString("base64")}`;
}

function asMaterial(value: unknown): string | Buffer | undefined {
  return typeof value === "string" || Buffer.isBuffer(value) ? value : undefined;
}

interface RawKubeconfig {
  readonly users?: readonly { readonly name?: string; readonly user?: { readonly tokenFile?: string } }[];
}

/** client-node 2.0.1 looks for `token-file`, but the field's name in a kubeconfig is `tokenFile`: read it here. */
async function findTokenFile(paths: readonly string[], user: User["name"] | undefined): Promise<string | undefined> {
  const texts = await Promise.all(paths.map((path) => readFile(path, "utf8")));
  // To parse them once more would take longer than all the rest, in each process that starts.
  if (!texts.some((text) => text.includes("tokenFile"))) return undefined;
  for (const [index, path] of paths.entries()) {
    const raw = parseYaml(texts[index] ?? "") as RawKubeconfig | undefined;
    const found = raw?.users?.find((entry) => entry.name === user);
    if (found === undefined) continue;
    const tokenFile = found.user?.tokenFile;
    return tokenFile === undefined ? undefined : resolve(dirname(path), tokenFile);
  }
  return undefined;
}

async function withTimeout<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the credential plugin gave nothing in ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

function invalid(origin: string, problem: string, cause?: unknown): InferiumError {
  const message = `Cannot use ${origin}: ${problem}. Give a readable kubeconfig with a valid context.`;
  return new InferiumError("KubeconfigInvalid", message, { disposition: "fatal", cause });
}
