/**
 * The chart's whole life on a cluster whose pods really run: install, a task that is checked and settled, helm test, a second
 * upgrade that changes nothing, an upgrade that replaces the operators, rollback, uninstall that keeps what must not be lost.
 */
import { X509Certificate } from "node:crypto";
import { connect } from "node:tls";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createClient } from "../../src/kube/client.ts";
import { configMaps, leases, pods, secrets } from "../../src/kube/core-resources.ts";
import { tasks } from "../../src/operator/kinds.ts";
import { findTool } from "../integration/clients/client-tools.ts";
import { CommandLine } from "../integration/clients/command-line.ts";
import { runCommand } from "../support/run-command.ts";
import { baseKind } from "./base-cluster.ts";
import { type ChartCluster, isLong, openChartCluster, system } from "./chart-cluster.ts";
import { describePods } from "./describe-pods.ts";
import { chart, helms } from "./helm.ts";
import { installMember, listReady, provider } from "./member-release.ts";
import { openReadmeInstall, type ReadmeInstall } from "./readme-install.ts";
import { applySampleTasks, readSamples, startRemoteSample } from "./samples.ts";
import { submitTask, untilSettled } from "./submitted-task.ts";

const release = "inferium";
const newest = helms.at(-1);
const kubectlBinary = findTool("kubectl-1.35");

if (!isLong)
  console.log("Six tests of the chart's life are skipped, which take minutes: npm run test:charts runs them.");

describe.runIf(newest !== undefined && kubectlBinary !== undefined)(
  `the chart, installed on a cluster (${baseKind})`,
  () => {
    let open: ChartCluster;
    let helm: CommandLine;
    let kubectl: CommandLine;
    let readme: ReadmeInstall;
    const upgrade = (verb: string, values: object, args: readonly string[] = []) =>
      helm.run([verb, release, chart, "--values", "-", "--timeout", "90s", ...args], { input: JSON.stringify(values) });
    const podsOf = async (component: string) => {
      const labelSelector = `app.kubernetes.io/component=${component}`;
      return (await createClient(open.cluster.transport, pods).list({ namespace: system, labelSelector })).items;
    };
    const holder = async () =>
      (await createClient(open.cluster.transport, leases).get({ namespace: system, name: "inferium-operator-default" }))
        .spec?.holderIdentity;

    beforeAll(async () => {
      const bundled = await runCommand(process.execPath, ["bundle.ts", "--if-changed"]);
      expect(bundled.code, bundled.stderr).toBe(0);
      open = await openChartCluster(release);
      helm = open.client(newest?.binary ?? "");
      kubectl = open.client(kubectlBinary ?? "");
      readme = openReadmeInstall(open.client("/bin/sh"), newest?.binary ?? "", open.values);
    });
    afterAll(() => open?.close());

    test.each(helms)("is taken by the server in a dry run of $name, which makes nothing", async ({ binary }) => {
      const args = ["install", release, chart, "--values", "-", "--dry-run=server"];
      const done = await open.client(binary).run(args, { input: JSON.stringify(open.values) });
      expect(done.code, done.err).toBe(0);
      expect(done.out).toContain("kind: ValidatingAdmissionPolicyBinding");
      expect((await helm.ok("list -q")).trim()).toBe("");
      const left = await kubectl.ok(["get", "deploy,sa", "-l", "app.kubernetes.io/name=inferium", "-o", "name"]);
      expect(left.trim()).toBe("");
    });

    test("installs in a namespace that enforces the restricted standard, and every pod becomes ready", async () => {
      const done = await readme.install();
      expect(done.code, `${done.err}\n${await logs()}`).toBe(0);
      expect(done.out).toContain("is installed in inferium-system as a hub");
      expect((await podsOf("operator")).length).toBe(2);
      expect((await podsOf("agent")).length).toBe(open.members.length);
      const leaders = (await podsOf("operator")).filter(
        (pod) => pod.metadata.labels?.["inferium.io/leader"] === "true",
      );
      expect(leaders.map((pod) => pod.metadata.name)).toEqual([(await holder())?.replace(/_\d+$/, "")]);
      await expect.poll(readyMembers, { timeout: 60_000 }).toEqual(open.members.map(({ name }) => name).sort());
    });

    test("runs a task, has it validated, and settles it on the chain", async () => {
      await settleTask("first");
    });

    test.runIf(isLong)("refuses a second hub, and definitions of another release, and says what to do", async () => {
      const install = (values: object) =>
        helm.run(["install", "second", chart, "-n", "default", "--values", "-", "--dry-run=server"], {
          input: JSON.stringify(values),
        });
      expect((await install(open.values)).err).toContain(
        "release inferium in namespace inferium-system is a hub of this cluster already",
      );
      const member = { ...open.values, mode: "member" };
      const withDefinitions = await install(member);
      expect(withDefinitions.err).toContain("the definitions belong to release inferium in namespace inferium-system");
      expect(withDefinitions.err).toContain("meta.helm.sh/release-name=second meta.helm.sh/release-namespace=default");
      const beside = await install({ ...member, crds: { install: false } });
      expect(beside.code, beside.err).toBe(0);
    });

    test("runs every sample to its end, each by the way of checking that it asks for", async () => {
      const applied = await applySampleTasks(open, kubectl);
      await Promise.all(applied.map((name) => settled(name)));
      const statusOf = async (name: string) =>
        (await createClient(open.cluster.transport, tasks).get({ namespace: "default", name })).status;
      const seen = await Promise.all(applied.map(async (name) => [name, (await statusOf(name))?.verdict?.policy]));
      expect(Object.fromEntries(seen)).toEqual({
        "sample-batch": "Exact",
        "sample-exact": "Exact",
        "sample-paid": "Exact",
        "sample-tolerance": "Tolerance",
        "sample-zero-knowledge": "ZeroKnowledge",
      });
      expect((await statusOf("sample-paid"))?.settlement?.rewardWei).toMatch(/^[1-9]\d{17,}$/);
    });

    test("approves the sample's Model, and says what it is fit for", async () => {
      await kubectl.ok(["apply", "-f", "-"], { input: await readSamples(open, "model") });
      await kubectl.ok(["wait", "mdl/sample-mnist", "-n", "default", "--for=condition=Approved", "--timeout=60s"]);
      const printed = await kubectl.ok(["get", "mdl", "-n", "default", "--no-headers"]);
      expect(printed).toMatch(
        /^sample-mnist\s+True\s+QuorumApproved\s+opset 13, 50,893 parameters, 9 nodes, integers only/,
      );
    });

    test.runIf(isLong)(
      "kubectl inferium verify proves a settled task on the chain, with the contracts that the cluster names",
      async () => {
        const entry = fileURLToPath(new URL("../../src/kubectl-inferium.ts", import.meta.url));
        const plugin = new CommandLine(process.execPath, open.cluster.kubeconfigPath);
        const args = ["verify", "sample-exact", "-n", "default", "--rpc-url", open.chain.rpcUrl];
        const done = await plugin.run([entry, ...args]);
        plugin.close();
        expect(done.code, done.err).toBe(0);
        expect(done.out).toContain("Task sample-exact is settled as its status says.");
        expect(done.err).toContain(
          "The contracts' addresses are the cluster's own (ConfigMap inferium-system/inferium-contracts)",
        );
      },
    );

    test.runIf(isLong)("a worker of another cluster joins outbound, and runs a task that no other takes", async () => {
      const remote = await startRemoteSample(open, kubectl);
      try {
        await runsWithout("worker-a", "for-remote", "sample-remote");
      } finally {
        await remote.stop();
      }
      await kubectl.ok("delete wn sample-remote");
    });

    test.runIf(isLong)("a release in member mode joins the hub, and its worker runs a task", async () => {
      const done = await installMember(open, helm, kubectl);
      expect(done.code, `${done.err}\n${await logs()}`).toBe(0);
      expect(done.out).toContain("is installed in provider as a member");
      await runsWithout("worker-a", "for-provider", provider.member);
      await helm.ok(["uninstall", provider.release, "-n", provider.namespace, "--wait", "--timeout", "90s"]);
      await kubectl.ok(["delete", "wn", provider.member]);
    });

    test("what a repository says of tasks and of the release is no difference after the work is done", async () => {
      const samples = await readSamples(open);
      const tasksDiff = await kubectl.run(["diff", "-f", "-"], { input: samples });
      expect(tasksDiff.code, tasksDiff.out + tasksDiff.err).toBe(0);
      const manifest = await helm.ok(["get", "manifest", release]);
      const diff = await kubectl.run(["diff", "-f", "-"], { input: manifest });
      expect(diff.code, diff.out + diff.err).toBe(0);
      const changed = await kubectl.run(["diff", "-f", "-"], {
        input: samples.replace("sample-exact", "sample-other"),
      });
      expect(changed.code).toBe(1);
    });

    test("helm test asks the pool over TLS", async () => {
      const checked = await readme.check();
      expect(checked.code, checked.err + checked.out).toBe(0);
      // Logs of a real API server take a certificate that it shows to kubelets, and one from binaries has none.
      const hasLogs = open.cluster.kind !== "binaries";
      const done = await helm.run(["test", release, "--timeout", "90s", ...(hasLogs ? ["--logs"] : [])]);
      expect(done.code, done.err + done.out).toBe(0);
      expect(done.out).toMatch(/Phase:\s+Succeeded/);
      if (hasLogs) expect(done.out).toMatch(/The pool at \S+ answers/);
    });

    test("a second upgrade with the same values changes no object, and what the operator writes is no difference", async () => {
      const manifest = await helm.ok(["get", "manifest", release]);
      const before = await names();
      const again = await upgrade("upgrade", open.values, ["--wait"]);
      expect(again.code, again.err).toBe(0);
      expect(await helm.ok(["get", "manifest", release])).toBe(manifest);
      expect(await names()).toEqual(before);
      const diff = await kubectl.run(["diff", "-f", "-"], { input: manifest });
      expect(diff.code, diff.out + diff.err).toBe(0);
    });

    test.runIf(isLong)(
      "an upgrade in the last third of the certificate's life renews it, and the pool shows it without a restart",
      async () => {
        const named = { namespace: system, name: "inferium-pool-tls" };
        const read = async () => (await createClient(open.cluster.transport, secrets).get(named)).data ?? {};
        const before = { pair: await read(), pods: (await podsOf("operator")).map(({ metadata }) => metadata.uid) };
        // helm owns the annotation, and would leave what somebody else wrote.
        await kubectl.ok(["annotate", "secret", named.name, "-n", system, "inferium.io/renew-after=1", "--overwrite"]);
        const done = await upgrade("upgrade", open.values, ["--wait", "--force-conflicts"]);
        expect(done.code, done.err).toBe(0);
        const renewed = await read();
        expect(renewed["tls.crt"]).not.toBe(before.pair["tls.crt"]);
        expect(renewed["ca.crt"]).toBe(before.pair["ca.crt"]);
        const { serialNumber } = new X509Certificate(Buffer.from(renewed["tls.crt"] ?? "", "base64"));
        // Kubelets bring a changed Secret into pods within a minute or so.
        const { url } = open.values.pool as { url: string };
        await expect.poll(() => readShownSerial(url), { timeout: 180_000, interval: 1_000 }).toBe(serialNumber);
        expect((await podsOf("operator")).map(({ metadata }) => metadata.uid)).toEqual(before.pods);
      },
    );

    test("an upgrade replaces the operators one by one, and a task that was submitted before is settled after", async () => {
      const before = (await podsOf("operator")).map((pod) => pod.metadata.name);
      await submit("across");
      const done = await upgrade("upgrade", { ...open.values, operator: { ...operator(), logLevel: "debug" } }, [
        "--wait",
      ]);
      expect(done.code, `${done.err}\n${await logs()}`).toBe(0);
      await expect.poll(async () => (await podsOf("operator")).length, { timeout: 30_000 }).toBe(2);
      for (const pod of await podsOf("operator")) expect(before).not.toContain(pod.metadata.name);
      await settled("across");
    });

    test("a rollback restores the first release, and work goes on", async () => {
      await helm.ok(["rollback", release, "1", "--wait", "--timeout", "90s"]);
      await settleTask("after-rollback");
    });

    test("an uninstall removes what runs and leaves tasks, definitions and the authority that members trust", async () => {
      await helm.ok(["uninstall", release, "--wait", "--timeout", "90s"]);
      expect(await kubectl.ok(["get", "itask", "-n", "default", "-o", "name"])).toContain(
        "inferencetask.inferium.io/first",
      );
      expect(await kubectl.ok(["get", "deploy,ds,sts,svc,netpol,pdb", "-n", system, "-o", "name"])).toBe("");
      expect((await kubectl.ok("get validatingadmissionpolicies -o name")).trim()).toBe("");
      const kept = (await createClient(open.cluster.transport, secrets).list({ namespace: system })).items;
      expect(kept.map((one) => one.metadata.name)).toContain("inferium-pool-ca-key");
      const authority = kept.find((one) => one.metadata.name === "inferium-pool-ca-key")?.data?.["tls.crt"];
      // In another namespace and under another name, once the definitions are handed over as the refusal says.
      const moved = ["-n", "default", "--dry-run=server"];
      expect((await helmInstall("moved", moved)).err).toContain("the definitions belong to release inferium");
      const handOver = ["meta.helm.sh/release-name=moved", "meta.helm.sh/release-namespace=default", "--overwrite"];
      await kubectl.ok(["annotate", "crd", "-l", "app.kubernetes.io/name=inferium", ...handOver]);
      const taken = await helmInstall("moved", moved);
      expect(taken.code, taken.err).toBe(0);
      const handBack = [
        `meta.helm.sh/release-name=${release}`,
        `meta.helm.sh/release-namespace=${system}`,
        "--overwrite",
      ];
      await kubectl.ok(["annotate", "crd", "-l", "app.kubernetes.io/name=inferium", ...handBack]);
      const again = await upgrade("install", { ...open.values, operator: { ...operator(), watchNamespace: "team-a" } });
      expect(again.code).toBe(1);
      expect(again.err).toContain('namespaces "team-a" not found');
      const ca = await createClient(open.cluster.transport, configMaps).get({
        namespace: system,
        name: "inferium-pool-ca",
      });
      expect(Buffer.from(ca.data?.["ca.crt"] ?? "").toString("base64")).toBe(authority);
      await helm.ok(["uninstall", release, "--wait", "--timeout", "90s"]);
      // Pods of one node share its address here: whoever comes next needs the ports.
      await kubectl.ok("wait --for=delete pod -l app.kubernetes.io/instance=inferium --timeout=90s");
    });

    test.runIf(isLong)("that watches one namespace runs its tasks and leaves those of others alone", async () => {
      await kubectl.ok("create namespace team-a");
      const watching = { ...open.values, operator: { ...operator(), watchNamespace: "team-a" } };
      const done = await upgrade("install", watching, ["--wait"]);
      expect(done.code, `${done.err}\n${await logs()}`).toBe(0);
      await submit("elsewhere");
      await submit("watched", "team-a");
      await settled("watched", "team-a");
      const { status } = await createClient(open.cluster.transport, tasks).get({
        namespace: "default",
        name: "elsewhere",
      });
      expect(status).toEqual({ observedGeneration: -1, phase: "Pending" });
      await helm.ok(["uninstall", release, "--wait", "--timeout", "90s"]);
    });

    const helmInstall = (name: string, args: readonly string[]) =>
      helm.run(["install", name, chart, "--values", "-", ...args], { input: JSON.stringify(open.values) });
    const operator = () => open.values.operator as object;

    /** With one worker cordoned, another gets the task. */
    async function runsWithout(cordoned: string, task: string, worker: string): Promise<void> {
      const cordon = (on: boolean) =>
        kubectl.ok(["patch", "wn", cordoned, "--type=merge", "-p", JSON.stringify({ spec: { cordoned: on } })]);
      await expect.poll(readyMembers, { timeout: 60_000 }).toContain(worker);
      await cordon(true);
      try {
        await settleTask(task);
      } finally {
        await cordon(false);
      }
      const { status } = await createClient(open.cluster.transport, tasks).get({ namespace: "default", name: task });
      expect(status?.assignment?.worker).toBe(worker);
    }

    const readyMembers = () => listReady(open.cluster.transport);

    /** Every object of the release with its generation: a change of a spec raises it. */
    async function names(): Promise<string> {
      const kinds = "deploy,ds,sts,svc,secret,sa,role,rolebinding,netpol,pdb";
      const columns = "custom-columns=K:.kind,N:.metadata.name,U:.metadata.uid,G:.metadata.generation";
      const selector = `app.kubernetes.io/instance=${release}`;
      return kubectl.ok(["get", kinds, "-n", system, "-l", selector, "-o", columns]);
    }

    const submit = (name: string, namespace = "default") => submitTask(open, kubectl, { namespace, name });

    async function settled(name: string, namespace = "default"): Promise<void> {
      await untilSettled(open, { namespace, name }).catch(async (error: unknown) => {
        throw new Error(`${String(error)}\n${await logs()}`);
      });
    }

    async function settleTask(name: string): Promise<void> {
      await submit(name);
      await settled(name);
    }

    const logs = () => describePods(kubectl);
  },
);

/** Of the certificate that a new connection gets; nothing where there is none. */
function readShownSerial(url: string): Promise<string | undefined> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false, timeout: 5_000 });
    const finish = (serial?: string) => {
      socket.destroy();
      resolve(serial);
    };
    socket.on("error", () => finish());
    socket.on("timeout", () => finish());
    socket.on("close", () => finish());
    socket.on("secureConnect", () => finish(socket.getPeerX509Certificate()?.serialNumber));
  });
}
