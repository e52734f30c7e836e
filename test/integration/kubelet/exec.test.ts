/** `exec` and `attach` through the API server, with the streams of the Kubernetes client for JavaScript. */
import { PassThrough, Readable } from "node:stream";
import { Attach, Exec, KubeConfig, type V1Status } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createClient } from "../../../src/kube/client.ts";
import { createStaticConnection } from "../../../src/kube/connection.ts";
import { serviceAccounts } from "../../../src/kube/core-resources.ts";
import { createTransport, type Query } from "../../../src/kube/transport.ts";
import { type Cluster, openCluster } from "./cluster.ts";
import { eventually, isAlive, shell } from "./worker-bench.ts";

let cluster: Cluster;
let config: KubeConfig;

const echoing = "echo up; while read line; do echo got $line; done; echo no more; sleep 600";

beforeAll(async () => {
  cluster = await openCluster();
  await cluster.startKubelet("node-a");
  config = new KubeConfig();
  config.loadFromString(cluster.server.kubeconfig());
  const mounts = [{ name: "data", mountPath: "/data" }];
  await cluster.createPod("box", {
    terminationGracePeriodSeconds: 0,
    volumes: [{ name: "data", emptyDir: {} }],
    containers: [shell(echoing, { stdin: true, volumeMounts: mounts, env: [{ name: "COLOR", value: "green" }] })],
  });
  await cluster.createPod("done", { restartPolicy: "Never", containers: [shell("true")] });
  await cluster.untilPhase("box", "Running");
  await cluster.untilPhase("done", "Succeeded");
});
afterAll(() => cluster.close());

interface ExecResult {
  readonly out: string;
  readonly err: string;
  readonly status: V1Status;
}

async function exec(command: string[], input?: Readable, pod = "box"): Promise<ExecResult> {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const texts = [collect(out), collect(err)];
  const status = await new Promise<V1Status>((resolve, reject) => {
    new Exec(config)
      .exec("default", pod, "main", command, out, err, input ?? null, false, resolve)
      .then((socket) => socket.addEventListener("close", () => setTimeout(() => reject(new Error("no status")), 100)))
      .catch(reject);
  });
  return { out: texts[0]?.() ?? "", err: texts[1]?.() ?? "", status };
}

function collect(stream: PassThrough): () => string {
  const pieces: Buffer[] = [];
  stream.on("data", (piece: Buffer) => pieces.push(piece));
  return () => Buffer.concat(pieces).toString();
}

describe("exec", () => {
  it("runs a command in the container's environment and volumes, with its outputs apart and its exit code", async () => {
    const result = await exec(["sh", "-c", "echo $COLOR > /data/f; cat /data/f; echo oops >&2; exit 7"]);
    expect(result).toMatchObject({ out: "green\n", err: "oops\n" });
    expect(result.status).toMatchObject({ status: "Failure", reason: "NonZeroExitCode" });
    expect(result.status.details?.causes).toEqual([{ reason: "ExitCode", message: "7" }]);
  });

  it("passes megabytes in both directions", async () => {
    const input = Readable.from(Array.from({ length: 64 }, () => Buffer.alloc(64 * 1024, "x")));
    const { out, status } = await exec(["sh", "-c", "head -c 4194304 | tr x y"], input);
    expect(status.status).toBe("Success");
    expect(out).toBe("y".repeat(4 * 1024 * 1024));
  });

  it("says that there is no such program", async () => {
    const { status } = await exec(["no-such-program"]);
    expect(status).toMatchObject({
      status: "Failure",
      message: 'error executing command in container: exec: "no-such-program": executable file not found in $PATH',
    });
  });

  it("ends the command when the client goes away", async () => {
    const out = new PassThrough();
    const text = collect(out);
    const command = ["sh", "-c", "echo $$; exec sleep 600"];
    const socket = await new Exec(config).exec("default", "box", "main", command, out, null, null, false);
    const pid = await eventually("it runs", () => Number(text()) || undefined);
    expect(isAlive(pid)).toBe(true);
    socket.close();
    await eventually("it ended", () => !isAlive(pid));
  });
});

describe("attach", () => {
  it("shows what the container writes from now on, and writes to its input", async () => {
    const out = new PassThrough();
    const text = collect(out);
    const input = new PassThrough();
    const socket = await new Attach(config).attach("default", "box", "main", out, null, input, false);
    input.write("hello\n");
    await eventually("the answer", () => text().includes("got hello"));
    expect(text()).not.toContain("up");
    socket.close();
    expect(await cluster.log("box")).toContain("got hello");
  });
});

describe("a stream that cannot be", () => {
  const ask = (path: string, query: Query, transport = cluster.transport) =>
    transport.request({ method: "GET", path: `/api/v1/namespaces/default/pods/${path}`, query });
  const command = "ls";

  it.each([
    { name: "without an upgrade", path: "box/exec", query: { command }, want: /Upgrade request required/ },
    { name: "without a command", path: "box/exec", query: {}, want: /must specify at least 1 container command/ },
    { name: "in a pod that has ended", path: "done/exec", query: { command }, want: /current phase is Succeeded/ },
    { name: "in no container", path: "box/attach", query: { container: "no" }, want: /container no is not valid/ },
  ])("is refused $name", async ({ path, query, want }) => {
    await expect(ask(path, query)).rejects.toThrow(want);
  });

  it("is refused to who may only get it", async () => {
    const metadata = { name: "guest", namespace: "default" };
    await createClient(cluster.transport, serviceAccounts).create({
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata,
    });
    const path = "/api/v1/namespaces/default/serviceaccounts/guest/token";
    const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} };
    const answer = await cluster.transport.request<{ status: { token: string } }>({ method: "POST", path, body });
    await allowGuest(["pods/exec"], ["get"]);
    const { url, caPem } = cluster.server;
    const guest = createTransport(createStaticConnection({ server: url, ca: caPem, token: answer.status.token }));
    try {
      await expect(ask("box/exec", { command }, guest)).rejects.toThrow(/cannot create resource "pods\/exec"/);
      await allowGuest(["pods/exec", "pods"], ["create"], "more");
      await expect(ask("box/exec", { command }, guest)).rejects.toThrow(/Upgrade request required/);
    } finally {
      await guest.close();
    }
  });
});

async function allowGuest(resources: string[], verbs: string[], name = "look"): Promise<void> {
  const rbac = "rbac.authorization.k8s.io";
  const metadata = { name, namespace: "default" };
  const post = (plural: string, body: object) =>
    cluster.transport.request({ method: "POST", path: `/apis/${rbac}/v1/namespaces/default/${plural}`, body });
  await post("roles", {
    ...{ apiVersion: `${rbac}/v1`, kind: "Role", metadata },
    rules: [{ apiGroups: [""], resources, verbs }],
  });
  await post("rolebindings", {
    ...{ apiVersion: `${rbac}/v1`, kind: "RoleBinding", metadata },
    roleRef: { apiGroup: rbac, kind: "Role", name },
    subjects: [{ kind: "ServiceAccount", name: "guest", namespace: "default" }],
  });
}
