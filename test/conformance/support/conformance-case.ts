/**
 * A conformance case: a sequence of raw requests with what the Kubernetes API documentation says of their answers. Each
 * has a namespace of its own (made when first asked for) and removes what it registers for removal. The same cases run on
 * the embedded server and on real ones; nothing in a case may depend on controllers, schedulers or kubelets.
 */
import { randomBytes } from "node:crypto";
import { describe, inject, test } from "vitest";
import { type Body, ConformanceApi } from "./api.ts";
import { openEndpoint } from "./endpoint.ts";

export interface CaseTools {
  readonly api: ConformanceApi;
  /** Name of the case's own namespace, which has a service account `default`. */
  namespace(): Promise<string>;
  /** `/api/v1/namespaces/NS/PLURAL`, or below `/apis/GROUP/VERSION` where a group is given. */
  path(plural: string, groupVersion?: string): Promise<string>;
  /** A name that nothing else in the cluster has. */
  unique(prefix: string): string;
  /** Deletes this path when the case is over, however it ends. */
  removeLater(path: string): void;
  /** Creates a CustomResourceDefinition in a group of its own, waits until it is served, removes it after the case. */
  define(definition: DefinitionOptions): Promise<Definition>;
}

export interface DefinitionOptions {
  readonly kind: string;
  readonly scope?: "Namespaced" | "Cluster";
  /** Versions as in `spec.versions`; `served` and `storage` default to true. A lone schema makes one version, v1. */
  readonly versions?: readonly object[];
  readonly schema?: object;
  /** Further fields of the single version: subresources, additionalPrinterColumns, selectableFields. */
  readonly version?: object;
  /** Further fields of `spec`. */
  readonly spec?: object;
}

export interface Definition {
  readonly group: string;
  readonly plural: string;
  readonly kind: string;
  /** Name of the definition itself. */
  readonly name: string;
  /** Where its objects are: in the case's namespace, or cluster-wide. */
  path(version?: string): Promise<string>;
  apiVersion(version?: string): string;
}

export interface CaseOptions {
  /** Why a real API server cannot run this case. At most 2 % of all cases may say so. */
  readonly notOnReal?: string;
}

export type ConformanceCase = (
  name: string,
  body: (tools: CaseTools) => Promise<unknown>,
  options?: CaseOptions,
) => void;

/** Declares the cases of one area. `area("watch", (conformance) => { conformance("...", async ({ api }) => ...) })` */
export function area(name: string, declare: (conformance: ConformanceCase) => void): void {
  describe(name, () => {
    declare((title, body, options = {}) => {
      test(title, async (context) => {
        if (options.notOnReal !== undefined && inject("clusterKind") !== "embedded") {
          console.log(`not run on a real server: ${name}: ${title}: ${options.notOnReal}`);
          context.skip();
        }
        const cleanUps: (() => Promise<unknown>)[] = [];
        try {
          await body(createTools(cleanUps));
        } finally {
          for (const cleanUp of cleanUps.reverse()) await cleanUp();
        }
      });
    });
  });
}

const token = () => randomBytes(4).toString("hex");

function createTools(cleanUps: (() => Promise<unknown>)[]): CaseTools {
  const api = new ConformanceApi(openEndpoint());
  const removeLater = (path: string) => {
    cleanUps.push(async () => await api.delete(path));
  };
  let made: Promise<string> | undefined;
  const namespace = () => {
    made ??= createNamespace(api, removeLater);
    return made;
  };
  const path = async (plural: string, groupVersion?: string) =>
    `/${groupVersion === undefined ? "api/v1" : `apis/${groupVersion}`}/namespaces/${await namespace()}/${plural}`;
  return {
    api,
    namespace,
    path,
    unique: (prefix) => `${prefix}-${token()}`,
    removeLater,
    define: (options) => define(options, { api, removeLater, path }),
  };
}

async function createNamespace(api: ConformanceApi, removeLater: (path: string) => void): Promise<string> {
  const name = `conformance-${token()}`;
  await api.post("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name } }).expect(201);
  removeLater(`/api/v1/namespaces/${name}`);
  // A server without controllers makes none, and without one it takes no pods.
  const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } };
  const reply = await api.post(`/api/v1/namespaces/${name}/serviceaccounts`, account);
  if (reply.status !== 201 && reply.status !== 409) throw new Error(`service account: ${JSON.stringify(reply.body)}`);
  return name;
}

const servedTimeoutMs = 20_000;

async function define(
  options: DefinitionOptions,
  tools: Pick<CaseTools, "api" | "removeLater" | "path">,
): Promise<Definition> {
  const group = `g${token()}.conformance.example.com`;
  const singular = options.kind.toLowerCase();
  const plural = `${singular}s`;
  const scope = options.scope ?? "Namespaced";
  const lone = { name: "v1", schema: { openAPIV3Schema: options.schema ?? openSchema }, ...options.version };
  const versions = (options.versions ?? [lone]).map((version) => ({ served: true, storage: true, ...version }));
  const name = `${plural}.${group}`;
  const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  await tools.api
    .post(definitions, {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name },
      spec: { group, scope, names: { kind: options.kind, plural, singular }, versions, ...options.spec },
    })
    .expect(201);
  tools.removeLater(`${definitions}/${name}`);
  const served = versions.filter((version) => version.served) as unknown as { name: string }[];
  for (const version of served) await untilServed(tools.api, `/apis/${group}/${version.name}/${plural}`);
  const first = served[0]?.name ?? "v1";
  return {
    group,
    plural,
    kind: options.kind,
    name,
    path: async (version = first) =>
      scope === "Cluster" ? `/apis/${group}/${version}/${plural}` : tools.path(plural, `${group}/${version}`),
    apiVersion: (version = first) => `${group}/${version}`,
  };
}

const openSchema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };

async function untilServed(api: ConformanceApi, path: string): Promise<void> {
  await eventually(`${path} is served`, async () => (await api.get(path)).status === 200, servedTimeoutMs);
}

/** Asks again every 50 ms until it holds. For what the API documents as eventual only. */
export async function eventually(what: string, holds: () => Promise<boolean>, timeoutMs = 20_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export type { Body };
