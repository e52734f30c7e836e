/**
 * A process that serves pods over HTTPS as fast as Node can, so that what the client benchmark measures is the client:
 * one pod of 4 kB, and a list of 5,000 in pages. Writes its port and CA as one line of JSON; ends when its input ends.
 */
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { createCertificateAuthority, issueServerCertificate } from "../../src/base/tls.ts";

const podCount = 5_000;

function buildPod(index: number) {
  const name = `pod-${index}`;
  const condition = (type: string) => ({ type, status: "True", lastTransitionTime: "2026-01-02T03:04:05Z" });
  const container = (n: number) => ({
    name: `container-${n}`,
    image: `registry.example.com/team/image-${n}:1.2.3`,
    args: ["--listen=0.0.0.0:8080", "--log-level=info"],
    env: Array.from({ length: 6 }, (_, i) => ({ name: `VARIABLE_${i}`, value: `value of variable ${i}` })),
    resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "256Mi" } },
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
    imagePullPolicy: "IfNotPresent",
  });
  return {
    metadata: {
      name,
      namespace: "default",
      uid: `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`,
      resourceVersion: String(1_000 + index),
      creationTimestamp: "2026-01-02T03:04:05Z",
      labels: { app: "bench", shard: String(index % 10) },
      managedFields: [
        {
          manager: "kube-controller-manager",
          operation: "Update",
          apiVersion: "v1",
          time: "2026-01-02T03:04:05Z",
          fieldsType: "FieldsV1",
          fieldsV1: Object.fromEntries(
            Array.from({ length: 30 }, (_, i) => [`f:field-${i}`, { ".": {}, "f:name": {} }]),
          ),
        },
      ],
    },
    spec: { nodeName: `node-${index % 50}`, containers: [container(0), container(1)], restartPolicy: "Always" },
    status: {
      phase: "Running",
      podIP: "10.0.0.1",
      conditions: ["Ready", "PodScheduled", "Initialized"].map(condition),
    },
  };
}

const pod = JSON.stringify({ apiVersion: "v1", kind: "Pod", ...buildPod(0) });
const pods = Array.from({ length: podCount }, (_, index) => buildPod(index));

function page(query: URLSearchParams): string {
  const limit = Number(query.get("limit") ?? podCount);
  const from = Number(query.get("continue") ?? 0);
  const next = from + limit < podCount ? { continue: String(from + limit) } : {};
  const metadata = { resourceVersion: "9000", ...next };
  return JSON.stringify({ apiVersion: "v1", kind: "PodList", metadata, items: pods.slice(from, from + limit) });
}

const authority = await createCertificateAuthority("bench");
const { certPem, keyPem } = await issueServerCertificate(authority, {
  commonName: "bench",
  ipAddresses: ["127.0.0.1"],
});
const pages = new Map<string, string>();
const server = createServer({ cert: certPem, key: keyPem }, (request, response) => {
  const url = request.url ?? "/";
  const [path = "/", search = ""] = url.split("?");
  const query = new URLSearchParams(search);
  response.setHeader("content-type", "application/json");
  // A watch stays open and silent.
  if (query.get("watch") === "true") return response.flushHeaders();
  if (!path.endsWith("/pods")) return response.end(pod);
  const body = pages.get(search) ?? page(query);
  pages.set(search, body);
  return response.end(body);
});
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  console.log(JSON.stringify({ url: `https://127.0.0.1:${port}`, ca: authority.certPem, token: "bench" }));
});
process.stdin.on("end", () => process.exit(0)).resume();
