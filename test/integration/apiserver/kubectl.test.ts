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

  test("logs come through the node's kubelet, followed too", async () => {
    await kubectl.ok("apply -f -", stringify(aPod("shown", { nodeName: "node-1" })));
    expect(await kubectl.ok("logs shown --tail=3")).toBe("line 1\nline 2");
    const following = kubectl.start("logs -f shown");
    const first = await new Promise<string>((resolve) =>
      following.stdout?.once("data", (chunk) => resolve(String(chunk))),
    );
    expect(first).toBe("line 1\n");
    following.kill();
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
