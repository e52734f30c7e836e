/**
 * The embedded API server: objects of our kinds and of Kubernetes' with hostile fields, created, patched in each of the four
 * ways, and read again. It answers below 500, with a Status where it refuses; what it took can be read and written back.
 */
import { readFileSync } from "node:fs";
import { Pool } from "undici";
import { parseAllDocuments } from "yaml";
import { createLogger } from "../../../src/base/log.ts";
import { startApiServer } from "../../../src/embedded/apiserver/server.ts";
import { applyObjects, readManifests } from "../../../src/embedded/up/manifests.ts";
import { createStaticConnection } from "../../../src/kube/connection.ts";
import { createTransport } from "../../../src/kube/transport.ts";
import { mutateText } from "../mutate-bytes.ts";
import { type Json, mutateJson } from "../mutate-json.ts";
import type { FuzzTarget } from "../target.ts";

type JsonObject = { readonly [key: string]: Json };
interface Kind {
  readonly path: string;
  readonly object: JsonObject;
}

const named = (apiVersion: string, kind: string, rest: JsonObject): JsonObject => ({
  ...{
    apiVersion,
    kind,
    metadata: { name: "fuzzed", namespace: "default", labels: { a: "b" }, annotations: { c: "d" } },
  },
  ...rest,
});
const container: JsonObject = {
  name: "c",
  image: "i",
  env: [{ name: "A", value: "b" }],
  ports: [{ containerPort: 80 }],
};
const template: JsonObject = { metadata: { labels: { a: "b" } }, spec: { containers: [container] } };

const builtIn: readonly Kind[] = [
  { path: "/api/v1/namespaces/default/configmaps", object: named("v1", "ConfigMap", { data: { a: "b" } }) },
  { path: "/api/v1/namespaces/default/secrets", object: named("v1", "Secret", { data: { a: "Yg==" } }) },
  { path: "/api/v1/namespaces/default/pods", object: named("v1", "Pod", { spec: { containers: [container] } }) },
  {
    path: "/api/v1/namespaces/default/services",
    object: named("v1", "Service", { spec: { ports: [{ port: 80, targetPort: "http" }], selector: { a: "b" } } }),
  },
  {
    path: "/apis/apps/v1/namespaces/default/deployments",
    object: named("apps/v1", "Deployment", { spec: { selector: { matchLabels: { a: "b" } }, replicas: 1, template } }),
  },
  {
    path: "/apis/batch/v1/namespaces/default/jobs",
    object: named("batch/v1", "Job", {
      spec: { template: { spec: { restartPolicy: "Never", containers: [container] } } },
    }),
  },
  {
    path: "/apis/coordination.k8s.io/v1/namespaces/default/leases",
    object: named("coordination.k8s.io/v1", "Lease", {
      spec: { holderIdentity: "a", renewTime: "2026-01-01T00:00:00.000000Z" },
    }),
  },
];

const patchTypes = ["merge-patch+json", "strategic-merge-patch+json", "json-patch+json", "apply-patch+yaml"] as const;

export const apiServer: FuzzTarget = {
  name: "api-server",
  what: "the embedded API server: creates, the four kinds of patch, updates",
  hangMs: 15_000,
  async open() {
    const said: string[] = [];
    const logger = createLogger({ level: "error", write: (line) => void said.push(line) });
    const server = await startApiServer({ logger });
    const { url, adminToken, caPem } = server;
    const transport = createTransport(createStaticConnection({ server: url, token: adminToken, ca: caPem }), {});
    await applyObjects(transport, await readManifests("crds"));
    await transport.close();
    const client = new Pool(url, {
      connect: { ca: caPem },
      headersTimeout: 12_000,
      bodyTimeout: 12_000,
      connections: 1,
    });
    const kinds: Kind[] = [...builtIn, ...readSamples()];
    const send = async (method: string, path: string, body?: string, type = "application/json") => {
      const headers = { authorization: `Bearer ${adminToken}`, "content-type": type };
      const response = await client.request({ path, method: method as "POST", headers, body: body ?? null });
      const text = await response.body.text();
      const what = `${method} ${path} (${type})`;
      // Kubernetes too answers some bad requests with 500, in words of its own and without a reason.
      if (response.statusCode >= 500 && text.includes("Internal error occurred"))
        throw new Error(`${what} answered ${response.statusCode}: ${text.slice(0, 300)} ${said.at(-1)?.slice(0, 900)}`);
      const answer = JSON.parse(text) as { readonly kind?: string; readonly code?: number; readonly reason?: string };
      if (response.statusCode >= 400 && (answer.kind !== "Status" || answer.code !== response.statusCode))
        throw new Error(`${what} answered ${response.statusCode} with no Status: ${text.slice(0, 300)}`);
      return { status: response.statusCode, text, reason: answer.reason ?? "taken" };
    };
    return {
      async execute(random) {
        const { path, object } = random.pick(kinds as [Kind, ...Kind[]]);
        const one = `${path}/fuzzed`;
        const query = random.pick(["", "", "?fieldValidation=Strict", "?dryRun=All", "?fieldManager=f&force=true"]);
        if (random.next() < 0.4) {
          const text = JSON.stringify(mutateJson(object, random));
          const { reason } = await send(
            "POST",
            `${path}${query}`,
            random.next() < 0.1 ? mutateText(text, random) : text,
          );
          await send("DELETE", one);
          return `create ${reason}`;
        }
        await send("POST", path, JSON.stringify(object));
        const type = random.pick(patchTypes);
        const patch = type === "json-patch+json" ? mutateJson(aJsonPatch(object), random) : mutateJson(object, random);
        const manager = type === "apply-patch+yaml" ? "?fieldManager=f&force=true" : query;
        const target = random.next() < 0.2 ? `${one}/status` : one;
        const { status, reason } = await send(
          "PATCH",
          `${target}${manager}`,
          JSON.stringify(patch),
          `application/${type}`,
        );
        if (status < 300) {
          const read = await send("GET", one);
          if (read.status === 200) await send("PUT", one, read.text);
        }
        await send("DELETE", `${one}?gracePeriodSeconds=0`);
        return `${type} ${reason}`;
      },
      async close() {
        await client.destroy();
        await server.close();
      },
    };
  },
};

function aJsonPatch(object: JsonObject): Json {
  return [
    { op: "test", path: "/metadata/name", value: "fuzzed" },
    { op: "add", path: "/metadata/labels/x", value: "y" },
    { op: "replace", path: "/metadata/annotations", value: { e: "f" } },
    { op: "copy", from: "/metadata/labels", path: "/metadata/annotations/labels" },
    { op: "move", from: "/metadata/labels/a", path: "/metadata/labels/z" },
    { op: "remove", path: `/${Object.keys(object).at(-1)}` },
  ];
}

/** Our own kinds as users apply them. */
function readSamples(): Kind[] {
  const plural: Readonly<Record<string, string>> = {
    InferenceTask: "inferencetasks",
    Leaderboard: "leaderboards",
    WorkerNode: "workernodes",
  };
  const read = (name: string) =>
    parseAllDocuments(readFileSync(new URL(`../../../manifests/samples/${name}`, import.meta.url), "utf8")).map(
      (document) => document.toJS() as JsonObject & { readonly kind: string; readonly metadata: JsonObject },
    );
  const kinds: Kind[] = [];
  for (const object of sampleFiles.flatMap(read)) {
    const name = plural[object.kind];
    if (name === undefined) continue;
    const isCluster = object.kind === "WorkerNode";
    const metadata = { ...object.metadata, name: "fuzzed", ...(isCluster ? {} : { namespace: "default" }) };
    kinds.push({
      path: `/apis/inferium.io/v1alpha1/${isCluster ? "" : "namespaces/default/"}${name}`,
      object: { ...object, metadata },
    });
  }
  if (kinds.length === 0) throw new Error("no sample of our kinds was found");
  return kinds;
}

const sampleFiles = ["leaderboard.yaml", "task-exact.yaml", "task-tolerance.yaml", "worker-node-remote.yaml"];
