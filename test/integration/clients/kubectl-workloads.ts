/** kubectl on workloads that the controllers run: rollouts, scales, jobs, drains that heed budgets. */
import { describe, expect, test } from "vitest";
import { eventually } from "../kubelet/worker-bench.ts";
import { documents } from "./client-cluster.ts";
import { findTool } from "./client-tools.ts";
import { shared } from "./shared-cluster.ts";

const newest = findTool("kubectl-1.35");
const all = (["kubectl-1.31", "kubectl-1.33", "kubectl-1.35"] as const).flatMap((name) => {
  const binary = findTool(name);
  return binary === undefined ? [] : [{ name, binary }];
});

async function openKubectl(binary = newest ?? "") {
  const namespace = await shared().namespace();
  const kubectl = shared().client(binary, namespace);
  const read = (what: string, path: string) => kubectl.ok(["get", what, "-o", `jsonpath=${path}`]);
  return { kubectl, namespace, read };
}

const template = (app: string, image = "registry.example/web:1") => ({
  metadata: { labels: { app } },
  spec: { terminationGracePeriodSeconds: 1, containers: [{ name: "web", image, ports: [{ containerPort: 80 }] }] },
});
const workload = (kind: string, name: string, more: object = {}) => ({
  ...{ apiVersion: "apps/v1", kind, metadata: { name } },
  spec: { selector: { matchLabels: { app: name } }, template: template(name), ...more },
});

describe.concurrent.each(all)("$name", ({ binary }) => {
  test("rolls a deployment out, shows its history, undoes, restarts, scales and deletes it", async () => {
    const { kubectl, read } = await openKubectl(binary);
    await kubectl.ok("apply -f -", { input: documents(workload("Deployment", "web", { replicas: 2 })) });
    const status = () => kubectl.ok("rollout status deploy/web --timeout=120s");
    expect(await status()).toMatch(/deployment "web" successfully rolled out$/);
    expect(await kubectl.ok("set image deploy/web web=registry.example/web:2")).toBe(
      "deployment.apps/web image updated",
    );
    await kubectl.ok("annotate deploy/web kubernetes.io/change-cause=second");
    await status();
    expect(await kubectl.ok("rollout history deploy/web")).toMatch(/^1 +<none>\n2 +second$/m);
    expect(await kubectl.ok("rollout history deploy/web --revision=1")).toMatch(/Image:\s+registry\.example\/web:1/);
    expect(await kubectl.ok("rollout undo deploy/web")).toBe("deployment.apps/web rolled back");
    await status();
    expect(await read("pods", "{.items[*].spec.containers[0].image}")).toContain("registry.example/web:1");
    expect(await kubectl.ok("scale deploy/web --replicas=1 --current-replicas=2")).toBe("deployment.apps/web scaled");
    await kubectl.ok("wait --for=jsonpath={.status.readyReplicas}=1 deploy/web --timeout=120s");
    expect(await kubectl.ok("get deploy web --no-headers")).toMatch(/^web +1\/1 +1 +1 +\S+$/);
    expect(await kubectl.ok("logs deploy/web")).toContain("web 1");
    expect(await kubectl.ok("describe deploy web")).toMatch(/NewReplicaSet: +web-\S+ \(1\/1 replicas created\)/);
    expect(await kubectl.ok("delete deploy web --cascade=foreground")).toMatch(/^deployment\.apps "web" deleted/);
    expect(await kubectl.ok("get rs -o name")).toBe("");
  });
});

describe.skipIf(newest === undefined).concurrent("the newest kubectl", () => {
  test("pauses, resumes and restarts a rollout, and waits for availability", async () => {
    const { kubectl, read } = await openKubectl();
    await kubectl.ok("create deployment web --image=registry.example/web:1 --port=80");
    expect(await kubectl.ok("wait --for=condition=Available deploy/web --timeout=120s")).toMatch(/condition met/);
    expect(await kubectl.ok("rollout pause deploy/web")).toBe("deployment.apps/web paused");
    await kubectl.ok("set env deploy/web COLOR=green");
    expect(await read("rs", "{.items[*].metadata.name}")).toMatch(/^\S+$/);
    expect(await kubectl.ok("rollout resume deploy/web")).toBe("deployment.apps/web resumed");
    await kubectl.ok("rollout status deploy/web --timeout=120s");
    expect(await kubectl.ok("rollout restart deploy/web")).toBe("deployment.apps/web restarted");
    await kubectl.ok("rollout status deploy/web --timeout=120s");
    expect(await kubectl.ok("exec deploy/web -- printenv COLOR")).toBe("green");
    expect(await kubectl.ok("expose deploy/web --port=80")).toBe("service/web exposed");
    await eventually("the service has endpoints", async () =>
      (await kubectl.ok("describe svc web")).includes("127.0.0.1:80"),
    );
    expect(await kubectl.ok("get all")).toMatch(
      /pod\/web-[\s\S]*service\/web[\s\S]*deployment\.apps\/web[\s\S]*replicaset\.apps\/web/,
    );
    expect(await kubectl.ok("delete all --all")).toMatch(/deployment\.apps "web" deleted/);
  });

  test("follows stateful and daemon sets", async () => {
    const { kubectl } = await openKubectl();
    const sets = [workload("StatefulSet", "db", { serviceName: "db", replicas: 2 }), workload("DaemonSet", "agent")];
    await kubectl.ok("apply -f -", { input: documents(...sets) });
    await kubectl.ok("rollout status sts/db --timeout=120s");
    expect(await kubectl.ok("rollout status ds/agent --timeout=120s")).toMatch(/successfully rolled out$/);
    expect((await kubectl.ok("get pods -l app=db -o name")).split("\n")).toEqual(["pod/db-0", "pod/db-1"]);
    expect(await kubectl.ok("get sts,ds --no-headers")).toMatch(
      /statefulset\.apps\/db +2\/2[\s\S]*daemonset\.apps\/agent +1 +1 +1/,
    );
    await kubectl.ok("set image sts/db web=registry.example/web:2");
    expect(await kubectl.ok("rollout status sts/db --timeout=120s")).toMatch(
      /partitioned roll out complete: 2 new pods have been updated/,
    );
    expect(await kubectl.ok("delete sts db --cascade=orphan")).toMatch(/deleted/);
    expect((await kubectl.ok("get pods -l app=db -o name")).split("\n")).toHaveLength(2);
  });

  test("waits for jobs, to complete and to fail, and makes one of a cron job", async () => {
    const { kubectl } = await openKubectl();
    await Promise.all([
      kubectl.ok(["create", "job", "good", "--image=sh", "--", "sh", "-c", "echo done"]),
      kubectl.ok("create cronjob nightly --image=sh --schedule=@daily -- true"),
      kubectl.ok("apply -f -", {
        input: documents({
          ...{ apiVersion: "batch/v1", kind: "Job", metadata: { name: "bad" } },
          spec: {
            backoffLimit: 0,
            template: {
              spec: { restartPolicy: "Never", containers: [{ name: "c", image: "sh", command: ["false"] }] },
            },
          },
        }),
      }),
    ]);
    await kubectl.ok("create job now --from=cronjob/nightly");
    const [good, bad] = await Promise.all([
      kubectl.ok("wait --for=condition=complete job/good job/now --timeout=120s"),
      kubectl.ok("wait --for=condition=failed job/bad --timeout=120s"),
    ]);
    expect(good).toBe("job.batch/good condition met\njob.batch/now condition met");
    expect(bad).toBe("job.batch/bad condition met");
    expect(await kubectl.ok("logs job/good")).toBe("done");
    expect(await kubectl.ok("get job good --no-headers")).toMatch(/^good +Complete +1\/1/);
    expect(await kubectl.ok("describe job bad")).toMatch(/BackoffLimitExceeded/);
  });

  test("drains a node as far as a disruption budget allows", async () => {
    const { kubectl, read } = await openKubectl();
    const nodeTemplate = {
      labels: { role: "drained" },
      taints: [{ key: "only", value: "drained", effect: "NoSchedule" }],
    };
    await shared().cluster.startKubelet("node-c", { images: shared().images, nodeTemplate });
    const own = workload("Deployment", "web", { replicas: 1 });
    Object.assign(own.spec.template.spec, {
      tolerations: [{ key: "only", operator: "Exists" }],
      nodeSelector: { role: "drained" },
    });
    await kubectl.ok("apply -f -", { input: documents(own) });
    await kubectl.ok("create pdb web --selector=app=web --min-available=1");
    await kubectl.ok("rollout status deploy/web --timeout=120s");
    await kubectl.ok("wait --for=jsonpath={.status.currentHealthy}=1 pdb/web --timeout=120s");
    const drain = "drain node-c --ignore-daemonsets --delete-emptydir-data";
    expect(await kubectl.fails(`${drain} --timeout=3s`)).toMatch(
      /Cannot evict pod as it would violate the pod's disruption budget/,
    );
    const before = await read("pods", "{.items[0].metadata.name}");
    await kubectl.ok("delete pdb web");
    expect(await kubectl.ok(`${drain} --timeout=120s`)).toContain(`pod/${before} evicted`);
    expect(await kubectl.ok("get pods --field-selector=status.phase=Pending --no-headers")).toMatch(/^web-/);
    await kubectl.ok("uncordon node-c");
    await kubectl.ok("rollout status deploy/web --timeout=120s");
  });
});
