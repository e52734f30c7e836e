import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { aPod, startTestServer, type TestServer } from "./api-client.ts";
import { type FakeKubelet, nodeStatus, startFakeKubelet } from "./fake-kubelet.ts";
import { hasKubectl, Kubectl } from "./kubectl.ts";
import { aWidget, widgetDefinition } from "./widget-definition.ts";

const present = hasKubectl();
if (!present) console.warn("kubectl is not on PATH: the tests with the real kubectl are skipped");

let kubelet: FakeKubelet;
let one: TestServer;
let kubectl: Kubectl;

describe.skipIf(!present)("the real kubectl", () => {
  beforeAll(async () => {
    kubelet = await startFakeKubelet();
    one = await startTestServer({ kubeletClient: { token: kubelet.token, caPem: kubelet.caPem } });
    kubectl = new Kubectl(one.server);
    await one.api.post("/api/v1/nodes", { metadata: { name: "node-1" } });
    await one.api.patch("/api/v1/nodes/node-1/status", "merge", { status: nodeStatus(kubelet.port) });
  });
  afterAll(async () => {
    kubectl.close();
    await one.stop();
    await kubelet.close();
  });

  const map = (data: Record<string, string>, name = "cm") =>
    stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data });
  const field = (what: string, path: string) => kubectl.ok(["get", what, "-o", `jsonpath=${path}`]);

  test("apply creates, is unchanged the second time, configures, and prunes a dropped field", async () => {
    expect(await kubectl.ok("apply -f -", map({ a: "1", b: "2" }))).toBe("configmap/cm created");
    expect(await kubectl.ok("apply -f -", map({ a: "1", b: "2" }))).toBe("configmap/cm unchanged");
    expect(await kubectl.ok("apply -f -", map({ a: "9" }))).toBe("configmap/cm configured");
    expect(await field("cm/cm", "{.data}")).toBe('{"a":"9"}');
    expect(await kubectl.ok("apply --validate=false -f -", map({ a: "9" }))).toBe("configmap/cm unchanged");
    expect((await kubectl.run("diff -f -", map({ a: "8" }))).code).toBe(1);
    expect((await kubectl.run("diff -f -", map({ a: "9" }))).code).toBe(0);
  });

  test("apply --server-side takes an object over from client-side apply and reports conflicts", async () => {
    const pod = (image: string) => stringify(aPod("ssa", { containers: [{ name: "main", image }] }));
    await kubectl.ok("apply -f -", pod("a:1"));
    expect(await kubectl.ok("apply --server-side -f -", pod("a:1"))).toBe("pod/ssa serverside-applied");
    expect(await kubectl.ok("apply --server-side -f -", pod("a:2"))).toBe("pod/ssa serverside-applied");
    expect(await field("pod/ssa", "{.spec.containers[0].image}")).toBe("a:2");
    const other = await kubectl.run("apply --server-side --field-manager=other -f -", pod("a:3"));
    expect(other.code).toBe(1);
    expect(other.err).toMatch(/conflict with "kubectl".*\.spec\.containers\[name="main"\]\.image/s);
    await kubectl.ok("apply --server-side --field-manager=other --force-conflicts -f -", pod("a:3"));
    expect(await field("pod/ssa", "{.spec.containers[0].image}")).toBe("a:3");
  });

  test("strict validation names the unknown field", async () => {
    const wrong = await kubectl.run("apply -f -", stringify({ ...aPod("typo"), spec: { contaners: [] } }));
    expect(wrong.code).toBe(1);
    expect(wrong.err).toMatch(/unknown field "spec\.contaners"/);
  });

  test("create makes the built-in kinds, with bodies in whatever format this kubectl sends", async () => {
    expect(await kubectl.ok("create namespace team")).toBe("namespace/team created");
    await kubectl.ok("-n team create configmap c --from-literal=a=1");
    await kubectl.ok("-n team create secret generic s --from-literal=p=q");
    await kubectl.ok("-n team create serviceaccount robot");
    await kubectl.ok("-n team create role r --verb=get --resource=pods");
    await kubectl.ok("-n team create rolebinding rb --role=r --serviceaccount=team:robot");
    await kubectl.ok("-n team create deployment d --image=nginx:1 --replicas=0");
    await kubectl.ok("-n team create job j --image=busybox:1 -- true");
    await kubectl.ok("-n team create service clusterip svc --tcp=80:8080");
    await kubectl.ok("create priorityclass high --value=1000");
    await kubectl.ok("-n team run p --image=busybox:1 --restart=Never --env=A=1 -- sleep 5");
    expect(await kubectl.ok("-n team get cm c -o jsonpath={.data.a}")).toBe("1");
    expect(await kubectl.ok("-n team get secret s -o jsonpath={.data.p}")).toBe("cQ==");
    expect(await kubectl.ok("-n team get deploy d -o jsonpath={.spec.replicas}")).toBe("0");
    expect(await kubectl.ok("-n team get svc svc -o jsonpath={.spec.ports[0].targetPort}")).toBe("8080");
    expect(await kubectl.ok("get pc high -o jsonpath={.value}")).toBe("1000");
    expect(JSON.parse(await kubectl.ok("-n team get pod p -o jsonpath={.spec.containers[0]}"))).toMatchObject({
      args: ["sleep", "5"],
      env: [{ name: "A", value: "1" }],
    });
    expect(await kubectl.ok("-n team scale deploy d --replicas=2")).toBe("deployment.apps/d scaled");
    const token = await kubectl.ok("-n team create token robot");
    expect(await kubectl.ok(["auth", "whoami", `--token=${token}`])).toContain("system:serviceaccount:team:robot");
    expect(await kubectl.ok("delete namespace team")).toBe('namespace "team" deleted');
  });

  test("get prints tables, wide, names, yaml, jsonpath and custom columns", async () => {
    await kubectl.ok("apply -f -", stringify(aPod("shown", { nodeName: "node-1" })));
    expect(await kubectl.ok("get pods shown")).toMatch(
      /^NAME\s+READY\s+STATUS\s+RESTARTS\s+AGE\nshown\s+0\/1\s+Pending\s+0\s+\d+s$/,
    );
    expect(await kubectl.ok("get pods shown -o wide --no-headers")).toMatch(/node-1\s+<none>\s+<none>$/);
    expect(await kubectl.ok("get nodes")).toMatch(/node-1\s+Ready\s+<none>\s+\S+\s+v1\.36\.0/);
    expect(await kubectl.ok("get pod shown -o name")).toBe("pod/shown");
    expect(await kubectl.ok("get pod shown -o yaml")).toMatch(/^apiVersion: v1\nkind: Pod/);
    expect(await kubectl.ok("get pod shown -o custom-columns=N:.metadata.name,P:.status.phase")).toMatch(
      /shown\s+Pending/,
    );
    expect(await kubectl.ok("get pods --all-namespaces --field-selector=spec.nodeName=node-1 -o name")).toBe(
      "pod/shown",
    );
    expect(await kubectl.ok("get ns,sa,crd,leases,events,secrets,cm")).toContain("namespace/default");
    expect(await kubectl.ok("describe pod shown")).toMatch(/Name:\s+shown[\s\S]*Containers:\s+main:/);
    expect(await kubectl.ok("describe node node-1")).toMatch(/Capacity:\s+cpu:\s+4/);
  });

  test("logs come through the node's kubelet, followed too", async () => {
    expect(await kubectl.ok("logs shown --tail=3")).toBe("line 1\nline 2");
    const following = kubectl.start("logs -f shown");
    const first = await new Promise<string>((resolve) =>
      following.stdout?.once("data", (chunk) => resolve(String(chunk))),
    );
    expect(first).toBe("line 1\n");
    following.kill();
  });

  test("label, annotate, patch, edit by replace, and cordon change what they say", async () => {
    await kubectl.ok("label cm cm tier=high");
    await kubectl.ok("annotate cm cm note=yes");
    expect(await field("cm/cm", "{.metadata.labels.tier},{.metadata.annotations.note}")).toBe("high,yes");
    await kubectl.ok(["patch", "cm", "cm", "--type=json", "-p", '[{"op":"add","path":"/data/j","value":"1"}]']);
    await kubectl.ok(["patch", "cm", "cm", "--type=merge", "-p", '{"data":{"m":"1"}}']);
    await kubectl.ok(["patch", "cm", "cm", "-p", '{"data":{"s":"1"}}']);
    expect(JSON.parse(await field("cm/cm", "{.data}"))).toEqual({ a: "9", j: "1", m: "1", s: "1" });
    await kubectl.ok("replace -f -", map({ only: "1" }));
    expect(await field("cm/cm", "{.data}")).toBe('{"only":"1"}');
    await kubectl.ok("cordon node-1");
    expect(await kubectl.ok("get node node-1 --no-headers")).toContain("Ready,SchedulingDisabled");
    await kubectl.ok("uncordon node-1");
    await kubectl.ok("taint node node-1 a=b:NoSchedule");
    expect(await field("node/node-1", "{.spec.taints[0].key}")).toBe("a");
  });

  test("explain, api-resources, api-versions and auth can-i read discovery and schemas", async () => {
    expect(await kubectl.ok("explain pod.spec.containers.env.valueFrom.fieldRef.fieldPath")).toMatch(
      /FIELD: fieldPath <string>/,
    );
    expect(await kubectl.ok("explain events --api-version=events.k8s.io/v1")).toContain("regarding");
    expect(await kubectl.ok("api-resources --namespaced=false -o name")).toContain("nodes");
    expect(await kubectl.ok("api-versions")).toContain("coordination.k8s.io/v1");
    expect(await kubectl.ok("auth can-i create pods")).toBe("yes");
    expect(await kubectl.ok("version")).toContain("Server Version: v1.36.0");
  });

  test("a kind that is not installed is named as such", async () => {
    const { code, err } = await kubectl.run("apply -f -", stringify({ ...aWidget("w"), kind: "Gadget" }));
    expect(code).toBe(1);
    expect(err).toMatch(/no matches for kind "Gadget" in version "example\.com\/v1"/);
  });

  describe("custom resources", () => {
    beforeAll(async () => {
      await kubectl.ok("apply -f -", stringify(widgetDefinition()));
      await kubectl.ok("wait --for=condition=Established crd/widgets.example.com --timeout=10s");
    });

    test("apply, get by short name and category, explain and describe", async () => {
      expect(await kubectl.ok("apply -f -", stringify(aWidget("w")))).toBe("widget.example.com/w created");
      expect(await kubectl.ok("apply -f -", stringify(aWidget("w")))).toBe("widget.example.com/w unchanged");
      expect(await kubectl.ok("apply --server-side -f -", stringify(aWidget("w")))).toBe(
        "widget.example.com/w serverside-applied",
      );
      expect(await kubectl.ok("get wd")).toMatch(/^NAME\s+COLOR\s+READY\nw\s+red/);
      expect(await kubectl.ok("get all -o name")).toContain("widget.example.com/w");
      expect(await kubectl.ok("explain widget.spec.color")).toMatch(/FIELD: color <string>/);
      expect(await kubectl.ok("describe widget w")).toMatch(/Spec:\s+Color:\s+red/);
      expect((await kubectl.run("apply -f -", stringify(aWidget("bad", { color: "pink" })))).err).toMatch(
        /spec\.color: Unsupported value: "pink"/,
      );
    });

    test("get -w prints each change", async () => {
      const path = "/apis/example.com/v1/namespaces/default/widgets/w/status";
      const setReady = async (value: string) => {
        const status = { conditions: [{ type: "Ready", status: value }] };
        expect((await one.api.patch(path, "merge", { status })).status).toBe(200);
      };
      const watching = kubectl.start("get wd w -w --no-headers");
      let printed = "";
      watching.stdout?.on("data", (chunk) => {
        printed += String(chunk);
      });
      // A chunk may end inside of a line, and a line in blanks.
      const lines = () =>
        printed
          .split("\n")
          .slice(0, -1)
          .map((line) => line.trimEnd());
      await expect.poll(lines, { timeout: 20_000 }).toEqual([expect.stringMatching(/^w\s+red$/)]);
      await setReady("False");
      await expect.poll(() => lines()[1], { timeout: 20_000 }).toMatch(/^w\s+red\s+False$/);
      await setReady("True");
      await expect.poll(() => lines()[2], { timeout: 20_000 }).toMatch(/^w\s+red\s+True$/);
      watching.kill();
    });

    test("wait for a condition, a value and a deletion", async () => {
      const status = (value: string) => [
        "patch",
        "wd",
        "w",
        "--type=merge",
        "--subresource=status",
        "-p",
        `{"status":{"replicas":4,"conditions":[{"type":"Ready","status":"${value}"}]}}`,
      ];
      const [waited] = await Promise.all([
        kubectl.ok("wait --for=condition=Ready wd/w --timeout=20s"),
        kubectl.ok(status("True")),
      ]);
      expect(waited).toBe("widget.example.com/w condition met");
      expect(await kubectl.ok(["wait", "--for=jsonpath={.status.replicas}=4", "wd/w", "--timeout=20s"])).toContain(
        "condition met",
      );
      const gone = kubectl.ok("wait --for=delete wd/w --timeout=20s");
      expect(await kubectl.ok("delete wd w")).toMatch(/^widget\.example\.com "w" deleted( from default namespace)?$/);
      await gone;
    });
  });

  test("delete of a running pod waits for the kubelet's final delete", async () => {
    await one.api.post("/api/v1/namespaces/default/pods", aPod("ending", { nodeName: "node-1" }));
    const deleting = kubectl.ok("delete pod ending --timeout=20s");
    for (let tries = 0; tries < 200; tries += 1) {
      const pod = (await one.api.get("/api/v1/namespaces/default/pods/ending")).body;
      if (pod.metadata.deletionTimestamp !== undefined) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await one.api.delete("/api/v1/namespaces/default/pods/ending", { gracePeriodSeconds: 0 });
    expect(await deleting).toMatch(/^pod "ending" deleted( from default namespace)?$/);
  });
});
