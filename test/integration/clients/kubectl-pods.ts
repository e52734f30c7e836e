/** kubectl on running pods: logs, exec, cp, attach, nodes, events. The newest version in full, the older where they differ. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { eventually } from "../kubelet/worker-bench.ts";
import { documents } from "./client-cluster.ts";
import { findTool } from "./client-tools.ts";
import { shared } from "./shared-cluster.ts";

const newest = findTool("kubectl-1.35");
const older = (["kubectl-1.31", "kubectl-1.33"] as const).flatMap((name) => {
  const binary = findTool(name);
  return binary === undefined ? [] : [{ name, binary }];
});

/** A kubectl in a namespace of its own: tests run side by side. */
async function openKubectl(binary = newest ?? "") {
  const namespace = await shared().namespace();
  return shared().client(binary, namespace);
}

const container = (script: string, more: object = {}) => ({
  ...{ name: "main", image: "sh", command: ["/bin/sh", "-c", script], ...more },
});
const pod = (name: string, spec: object, labels: Record<string, string> = {}) => ({
  ...{ apiVersion: "v1", kind: "Pod", metadata: { name, labels } },
  spec: { terminationGracePeriodSeconds: 1, restartPolicy: "Never", ...spec },
});
const untilReady = "wait --for=condition=Ready pod --all --timeout=120s";

const streams = async (binary: string) => {
  const kubectl = await openKubectl(binary);
  const box = container("echo up; while read line; do echo got $line; done; sleep 600", {
    stdin: true,
    volumeMounts: [{ name: "data", mountPath: "/data" }],
  });
  await kubectl.ok("apply -f -", {
    input: documents(pod("box", { volumes: [{ name: "data", emptyDir: {} }], containers: [box] })),
  });
  await kubectl.ok(untilReady);
  return kubectl;
};

describe.concurrent.each(older)("$name", ({ binary }) => {
  test("follows logs, executes, copies and attaches", async () => {
    const kubectl = await streams(binary);
    const exec = await kubectl.run(["exec", "-i", "box", "--", "sh", "-c", "cat; echo err >&2; exit 3"], {
      input: "in",
    });
    expect(exec).toMatchObject({ code: 3, out: "in", err: "err\ncommand terminated with exit code 3\n" });
    writeFileSync(join(kubectl.home, "file"), "content");
    await kubectl.ok("cp file box:/data/file");
    await kubectl.ok("cp box:/data/file back");
    expect(readFileSync(join(kubectl.home, "back"), "utf8")).toBe("content");
    expect(await kubectl.ok("logs box --tail=1")).toBe("up");
  });
});

describe.skipIf(newest === undefined).concurrent("the newest kubectl", () => {
  test("executes with both outputs and the exit code, and says why it cannot", async () => {
    const kubectl = await streams(newest ?? "");
    const [plain, input, none, missing] = await Promise.all([
      kubectl.run(["exec", "box", "--", "sh", "-c", "echo out; echo err >&2; exit 3"]),
      kubectl.ok(["exec", "-i", "box", "--", "wc", "-c"], { input: "x".repeat(300_000) }),
      kubectl.fails("exec nothing -- ls"),
      kubectl.fails("exec box -- no-such-program"),
    ]);
    expect(plain).toEqual({ code: 3, out: "out\n", err: "err\ncommand terminated with exit code 3\n" });
    expect(input).toBe("300000");
    expect(none).toBe('Error from server (NotFound): pods "nothing" not found');
    expect(missing).toMatch(/exec: "no-such-program": executable file not found in \$PATH/);
    expect(await kubectl.fails("exec box -c other -- ls")).toMatch(/container other is not valid for pod box/);
  });

  test("copies files and folders both ways, and attaches", async () => {
    const kubectl = await streams(newest ?? "");
    mkdirSync(join(kubectl.home, "folder", "deep"), { recursive: true });
    writeFileSync(join(kubectl.home, "folder", "deep", "file"), "content");
    await kubectl.ok("cp folder box:/data/folder");
    expect(await kubectl.ok("exec box -- cat /data/folder/deep/file")).toBe("content");
    await kubectl.ok("cp box:/data/folder back");
    expect(readFileSync(join(kubectl.home, "back", "deep", "file"), "utf8")).toBe("content");
    const attached = kubectl.start("attach -i box");
    let printed = "";
    attached.stdout?.on("data", (chunk) => {
      printed += String(chunk);
    });
    attached.stdin?.write("hello\n");
    await eventually("the answer", () => printed.includes("got hello"));
    attached.kill();
  });

  test("reads logs: followed, previous, since, tail, with times, of all containers and pods", async () => {
    const kubectl = await openKubectl();
    const talk = container("for i in 1 2 3; do echo line $i; done; sleep 1; echo last");
    const crash = container(
      "test -f $INFERIUM_MOUNT_V/x && { echo second; sleep 600; }; touch $INFERIUM_MOUNT_V/x; echo first; exit 1",
      {
        volumeMounts: [{ name: "v", mountPath: "/v" }],
      },
    );
    const setup = container("echo prepared", { name: "setup" });
    await kubectl.ok("apply -f -", {
      input: documents(
        pod("talk", { initContainers: [setup], containers: [talk] }, { app: "x" }),
        pod(
          "crash",
          { restartPolicy: "Always", volumes: [{ name: "v", emptyDir: {} }], containers: [crash] },
          { app: "x" },
        ),
      ),
    });
    await kubectl.ok("wait --for=jsonpath={.status.phase}=Running pod/talk --timeout=120s");
    expect(await kubectl.ok("logs -f talk")).toBe("line 1\nline 2\nline 3\nlast");
    await kubectl.ok("wait --for=jsonpath={.status.containerStatuses[0].restartCount}=1 pod/crash --timeout=120s");
    await eventually("the second run speaks", async () => (await kubectl.ok("logs crash")) === "second");
    const [previous, tail, since, all, selected] = await Promise.all([
      kubectl.ok("logs crash --previous"),
      kubectl.ok("logs talk --tail=1 --timestamps"),
      kubectl.ok("logs talk --since=1h --limit-bytes=6"),
      kubectl.ok("logs talk --all-containers --prefix --tail=1"),
      kubectl.ok("logs -l app=x --prefix --tail=1"),
    ]);
    expect(previous).toBe("first");
    expect(tail).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z last$/);
    expect(since).toBe("line 1");
    expect(all.split("\n").sort()).toEqual(["[pod/talk/main] last", "[pod/talk/setup] prepared"]);
    expect(selected.split("\n").sort()).toEqual(["[pod/crash/main] second", "[pod/talk/main] last"]);
    expect(await kubectl.fails("logs talk --previous")).toMatch(
      /previous terminated container "main" in pod "talk" not found/,
    );
    expect(await kubectl.fails("logs talk -c other")).toMatch(/container other is not valid for pod talk/);
  });

  test("runs a pod, waits for it, shows it in its events and description, and deletes it with grace", async () => {
    const kubectl = await openKubectl();
    const run = ["run", "p", "--image=sh", "--restart=Never", "--labels=a=b", "--env=COLOR=green", "--port=80"];
    expect(await kubectl.ok([...run, "--command", "--", "sh", "-c", "echo $COLOR; exec sleep 600"])).toBe(
      "pod/p created",
    );
    expect(await kubectl.ok("wait --for=condition=Ready pod/p --timeout=120s")).toBe("pod/p condition met");
    expect(await kubectl.ok("get pod p --no-headers")).toMatch(/^p +1\/1 +Running +0 +\S+$/);
    expect(await kubectl.ok("get pods -o wide --field-selector=status.phase=Running,spec.nodeName=node-a")).toMatch(
      /^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES\np .* 127\.0\.0\.1 +node-a/,
    );
    expect(await kubectl.ok("expose pod p --name=front --target-port=8080")).toBe("service/front exposed");
    const description = await eventually("its start is told", async () => {
      const text = await kubectl.ok("describe pod p");
      return /Started +\S+ +.*Started container p/.test(text) && text;
    });
    expect(description).toMatch(/QoS Class: +BestEffort/);
    expect(description).toMatch(/Conditions:\n +Type +Status *\n +PodReadyToStartContainers +True/);
    expect(await kubectl.ok("events --for pod/p")).toMatch(/Normal +Scheduled +Pod\/p +Successfully assigned/);
    expect(await kubectl.ok("get events --field-selector=involvedObject.name=p,reason=Started -o name")).toMatch(
      /^event\/p\./,
    );
    expect(await kubectl.ok("delete pod p --grace-period=1")).toMatch(/^pod "p" deleted/);
    expect(await kubectl.fails("get pod p")).toMatch(/pods "p" not found/);
    const rm = ["run", "once", "-i", "--rm", "--quiet", "--image=sh", "--restart=Never"];
    expect(await kubectl.ok([...rm, "--command", "--", "sh", "-c", "read x; echo got $x"], { input: "it\n" })).toMatch(
      /got it/,
    );
    expect(await kubectl.ok("get pods -o name")).toBe("");
  });

  test("shows how a pod fails", async () => {
    const kubectl = await openKubectl();
    const pods = [
      pod("exits", { containers: [container("echo the reason > /dev/termination-log; exit 3")] }),
      pod("loops", { restartPolicy: "Always", containers: [container("exit 1")] }),
      pod("unknown", { containers: [container("true", { image: "registry.example/none:1" })] }),
      pod("unset", { containers: [container("true", { envFrom: [{ secretRef: { name: "none" } }] })] }),
      pod("waits", { initContainers: [container("sleep 600", { name: "setup" })], containers: [container("true")] }),
    ];
    await kubectl.ok("apply -f -", { input: documents(...pods) });
    const status = async () =>
      (await kubectl.ok("get pods --no-headers")).split("\n").map((line) => line.split(/ +/)[2]);
    const wanted = ["Error", "CrashLoopBackOff", "ErrImageNeverPull", "CreateContainerConfigError", "Init:0/1"];
    await eventually("each says what it waits for", async () => (await status()).join() === wanted.join());
    expect(await kubectl.ok("describe pod exits")).toMatch(/Reason: +Error\n +Message: +the reason\n+ +Exit Code: +3/);
    await kubectl.ok("delete pods --all --grace-period=0 --force");
  });

  test("cordons, taints and drains a node", async () => {
    const kubectl = await openKubectl();
    // Its taint keeps the pods of the other tests away.
    const nodeTemplate = { taints: [{ key: "only", value: "drained", effect: "NoSchedule" }] };
    await shared().cluster.startKubelet("node-b", { images: { sh: { entrypoint: ["/bin/sh"] } }, nodeTemplate });
    const spec = { nodeName: "node-b", containers: [container("exec sleep 600")] };
    await kubectl.ok("apply -f -", { input: documents(pod("bare", spec)) });
    await kubectl.ok(untilReady);
    expect(await kubectl.ok("cordon node-b")).toBe("node/node-b cordoned");
    expect(await kubectl.ok("get node node-b --no-headers")).toMatch(/^node-b +Ready,SchedulingDisabled +<none>/);
    expect(await kubectl.fails("drain node-b --timeout=20s")).toMatch(
      /cannot delete.*Pods that declare no controller/s,
    );
    expect(await kubectl.ok("drain node-b --force --timeout=120s")).toMatch(
      /evicting pod space-\d+\/bare\npod\/bare evicted/,
    );
    expect(await kubectl.ok("uncordon node-b")).toBe("node/node-b uncordoned");
    expect(await kubectl.ok("taint node node-b key=value:NoSchedule")).toBe("node/node-b tainted");
    expect(await kubectl.ok("get node node-b -o jsonpath={.spec.taints}")).toContain('"effect":"NoSchedule"');
    expect(await kubectl.ok("taint node node-b key-")).toBe("node/node-b untainted");
    expect(await kubectl.ok("describe node node-b")).toMatch(/Ready +True .*KubeletReady/);
  });
});
