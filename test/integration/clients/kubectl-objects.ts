/** kubectl on objects that need no controller: the newest version in full, the older ones where they differ from it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { documents } from "./client-cluster.ts";
import { findTool } from "./client-tools.ts";
import { shared } from "./shared-cluster.ts";

const newest = findTool("kubectl-1.35");
const all = (["kubectl-1.31", "kubectl-1.33", "kubectl-1.35"] as const).flatMap((name) => {
  const binary = findTool(name);
  return binary === undefined ? [] : [{ name, binary }];
});

const configMap = (name: string, data: Record<string, string>, metadata: object = {}) => ({
  ...{ apiVersion: "v1", kind: "ConfigMap", metadata: { name, ...metadata }, data },
});
const deployment = (name: string, image: string, replicas = 0) => ({
  ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: { name } },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: "main", image }] } },
  },
});

/** A kubectl in a namespace of its own: tests run side by side. */
async function openKubectl(binary = newest ?? "") {
  const namespace = await shared().namespace();
  const kubectl = shared().client(binary, namespace);
  const read = (what: string, path: string) => kubectl.ok(["get", what, "-o", `jsonpath=${path}`]);
  return { kubectl, namespace, read };
}

describe.concurrent.each(all)("$name", ({ binary }) => {
  test("applies client-side and server-side, shows the difference, and tells of a conflict", async () => {
    const { kubectl, read } = await openKubectl(binary);
    const apply = (data: Record<string, string>, flags = "") =>
      kubectl.ok(`apply ${flags} -f -`.replace("  ", " "), { input: documents(configMap("c", data)) });
    expect(await apply({ a: "1", b: "2" })).toBe("configmap/c created");
    expect(await apply({ a: "1", b: "2" })).toBe("configmap/c unchanged");
    const diff = await kubectl.run("diff -f -", { input: documents(configMap("c", { a: "9" })) });
    expect(diff.code).toBe(1);
    expect(diff.out).toMatch(/^-\s+a: "1"\n-\s+b: "2"\n\+\s+a: "9"$/m);
    expect(await apply({ a: "9" })).toBe("configmap/c configured");
    expect(await apply({ a: "8" }, "--dry-run=server")).toBe("configmap/c configured (server dry run)");
    expect(await read("cm/c", "{.data}")).toBe('{"a":"9"}');
    expect(await apply({ a: "9" }, "--server-side")).toBe("configmap/c serverside-applied");
    const other = "--server-side --field-manager=other";
    const input = documents(configMap("c", { a: "7" }));
    expect(await kubectl.fails(`apply ${other} -f -`, { input })).toMatch(/conflict with "kubectl".*: \.data\.a/);
    expect(await apply({ a: "7" }, `${other} --force-conflicts`)).toBe("configmap/c serverside-applied");
    expect(await read("cm/c", "{.data.a}")).toBe("7");
  });

  test("patches in every form, edits, labels and annotates", async () => {
    const { kubectl, read } = await openKubectl(binary);
    await kubectl.ok("create -f -", { input: documents(deployment("d", "web:1")) });
    const patch = (type: string, body: unknown) =>
      kubectl.ok(["patch", "deploy/d", `--type=${type}`, "-p", JSON.stringify(body)]);
    const env = { name: "A", value: "1" };
    await patch("strategic", { spec: { template: { spec: { containers: [{ name: "main", env: [env] }] } } } });
    await patch("merge", { metadata: { labels: { one: "1" } } });
    await patch("json", [
      { op: "add", path: "/spec/template/spec/containers/0/env/-", value: { name: "B", value: "2" } },
    ]);
    expect(await read("deploy/d", "{.spec.template.spec.containers[0].env[*].name}")).toBe("A B");
    expect(await kubectl.ok("label deploy/d two=2")).toBe("deployment.apps/d labeled");
    expect(await kubectl.fails("label deploy/d two=3")).toMatch(
      /'two' already has a value \(2\), and --overwrite is false/,
    );
    expect(await kubectl.ok("label deploy/d two-")).toBe("deployment.apps/d unlabeled");
    expect(await kubectl.ok("annotate deploy/d note=yes")).toBe("deployment.apps/d annotated");
    const edited = await kubectl.ok("edit deploy/d", { env: { EDITOR: "sed -i s/web:1/web:2/" } });
    expect(edited).toBe("deployment.apps/d edited");
    const unchanged = await kubectl.run("edit deploy/d", { env: { EDITOR: "true" } });
    expect(unchanged).toMatchObject({ code: 0, err: "Edit cancelled, no changes made.\n" });
    expect(await read("deploy/d", "{.spec.template.spec.containers[0].image}")).toBe("web:2");
    expect(await kubectl.fails(["patch", "deploy/d", "-p", '{"spec":{"selector":{"matchLabels":{"x":"y"}}}}'])).toMatch(
      /spec\.selector: Invalid value: .*field is immutable/,
    );
  });

  test("explains to the leaf and lists what is served", async () => {
    const { kubectl } = await openKubectl(binary);
    const leaf = "explain deployment.spec.template.spec.containers.lifecycle.postStart.exec.command";
    expect(await kubectl.ok(leaf)).toMatch(/FIELD: command <\[\]string>/);
    expect(await kubectl.ok("explain cronjob --recursive")).toMatch(/jobTemplate\s+<JobTemplateSpec> -required-/);
    const resources = await kubectl.ok("api-resources --no-headers");
    expect(resources).toMatch(/^deployments +deploy +apps\/v1 +true +Deployment$/m);
    expect(resources).toMatch(/^customresourcedefinitions +crd,crds +apiextensions\.k8s\.io\/v1 +false/m);
    expect(await kubectl.ok("api-resources --verbs=list --namespaced -o name")).toContain(
      "ingresses.networking.k8s.io",
    );
    expect((await kubectl.ok("api-versions")).split("\n")).toContain("rbac.authorization.k8s.io/v1");
    expect(await kubectl.ok("version")).toContain("Server Version: v1.36.0");
    expect(await kubectl.ok("cluster-info")).toContain(`is running at`);
    expect(await kubectl.ok("auth whoami -o jsonpath={.status.userInfo.username}")).toBe("inferium-admin");
    expect(await kubectl.ok("auth can-i --list")).toMatch(/^\*\.\* +\[\] +\[\] +\[\*\]$/m);
  });
});

describe.skipIf(newest === undefined).concurrent("the newest kubectl", () => {
  test("creates with every generator", async () => {
    const { kubectl, namespace, read } = await openKubectl();
    const unique = (name: string) => `${name}-${namespace}`;
    const generators: readonly (readonly [string, string])[] = [
      ["configmap c --from-literal=a=1", "configmap/c created"],
      ["secret generic s --from-literal=p=q", "secret/s created"],
      ["secret docker-registry r --docker-server=x --docker-username=u --docker-password=p", "secret/r created"],
      ["serviceaccount robot", "serviceaccount/robot created"],
      ["deployment d --image=web --replicas=0 --port=80", "deployment.apps/d created"],
      ["job j --image=web -- true", "job.batch/j created"],
      [`cronjob cj --image=web --schedule=@daily -- true`, "cronjob.batch/cj created"],
      ["role ro --verb=get,list --resource=pods,pods/log", "role.rbac.authorization.k8s.io/ro created"],
      ["rolebinding rb --role=ro --serviceaccount=x:y", "rolebinding.rbac.authorization.k8s.io/rb created"],
      ["service clusterip svc --tcp=80:8080", "service/svc created"],
      ["service nodeport np --tcp=80", "service/np created"],
      ["service loadbalancer lb --tcp=80", "service/lb created"],
      ["service externalname ext --external-name=example.com", "service/ext created"],
      ["ingress ing --rule=foo.com/bar=svc:80", "ingress.networking.k8s.io/ing created"],
      ["quota q --hard=pods=10", "resourcequota/q created"],
      ["poddisruptionbudget pdb --selector=app=x --min-available=1", "poddisruptionbudget.policy/pdb created"],
      [`namespace ${unique("n")}`, `namespace/${unique("n")} created`],
      [`priorityclass ${unique("pc")} --value=1000`, `priorityclass.scheduling.k8s.io/${unique("pc")} created`],
      [
        `clusterrole ${unique("cr")} --verb=get --non-resource-url=/x`,
        `clusterrole.rbac.authorization.k8s.io/${unique("cr")} created`,
      ],
      [
        `clusterrolebinding ${unique("crb")} --clusterrole=x --user=joe`,
        `clusterrolebinding.rbac.authorization.k8s.io/${unique("crb")} created`,
      ],
    ];
    const printed = await Promise.all(generators.map(([generator]) => kubectl.ok(`create ${generator}`)));
    expect(printed).toEqual(generators.map(([, want]) => want));
    expect(await kubectl.ok("create token robot")).toMatch(/^\S+\.\S+\.\S+$/);
    expect(await kubectl.ok("create job manual --from=cronjob/cj")).toBe("job.batch/manual created");
    expect(await kubectl.ok("expose deploy/d --name=front")).toBe("service/front exposed");
    expect(await kubectl.ok("autoscale deploy/d --min=1 --max=3")).toMatch(/autoscaled$/);
    expect(await read("svc/front", "{.spec.selector.app}:{.spec.ports[0].port}")).toBe("d:80");
    expect(await read("secret/r", "{.type}")).toBe("kubernetes.io/dockerconfigjson");
  });

  test("gets in every form, sorted and selected", async () => {
    const { kubectl } = await openKubectl();
    const objects = ["b", "a", "c"].map((name, at) =>
      configMap(name, { at: String(at) }, { labels: { at: String(at) } }),
    );
    await kubectl.ok("apply -f -", { input: documents(...objects) });
    const get = (args: string) => kubectl.ok(`get cm ${args}`);
    const [json, yaml, name, columns, path, sorted, selected, field, wide, labels] = await Promise.all([
      get("a -o json"),
      get("a -o yaml"),
      get("a -o name"),
      get("a -o custom-columns=N:.metadata.name,AT:.data.at"),
      kubectl.ok(["get", "cm", "-o", "jsonpath={range .items[?(@.data.at)]}{.metadata.name}={.data.at} {end}"]),
      get("-l at --sort-by=.data.at -o name"),
      kubectl.ok(["get", "cm", "-l", "at in (0, 2),at!=2", "-o", "name"]),
      get("--field-selector=metadata.name=c -o name"),
      get("a -o wide"),
      get("a -L at --show-labels --no-headers"),
    ]);
    expect(JSON.parse(json)).toMatchObject({ kind: "ConfigMap", data: { at: "1" } });
    expect(yaml).toMatch(/^apiVersion: v1\ndata:\n {2}at: "1"\nkind: ConfigMap/);
    expect([name, field, selected]).toEqual(["configmap/a", "configmap/c", "configmap/b"]);
    expect(columns).toMatch(/^N +AT\na +1$/);
    expect(path).toBe("a=1 b=0 c=2");
    expect(sorted.split("\n")).toEqual(["configmap/b", "configmap/a", "configmap/c"]);
    expect(wide).toMatch(/^NAME +DATA +AGE\na +1 +\S+$/);
    expect(labels).toMatch(/^a +1 +\S+ +1 +at=1$/);
    const template = "{{range .items}}{{.metadata.name}},{{end}}";
    expect(await kubectl.ok(["get", "cm", "-l", "at", "-o", `go-template=${template}`])).toBe("a,b,c,");
    expect(await kubectl.fails("get cm none")).toBe('Error from server (NotFound): configmaps "none" not found');
    expect(await kubectl.ok("get cm none --ignore-not-found")).toBe("");
    expect(await kubectl.fails("get nonsense")).toMatch(/the server doesn't have a resource type "nonsense"/);
  });

  test("replaces, by force too, and deletes with each form of cascade", async () => {
    const { kubectl, read } = await openKubectl();
    const replace = (data: Record<string, string>, flags = "") =>
      kubectl.ok(["replace", ...flags.split(" ").filter(Boolean), "-f", "-"], {
        input: documents(configMap("owner", data)),
      });
    await kubectl.ok("create -f -", { input: documents(configMap("owner", { a: "1" })) });
    expect(await replace({ b: "2" })).toBe("configmap/owner replaced");
    const before = await read("cm/owner", "{.metadata.uid}");
    expect(await replace({ c: "3" }, "--force")).toMatch(/configmap "owner" deleted.*\nconfigmap\/owner replaced/);
    expect(await read("cm/owner", "{.metadata.uid}")).not.toBe(before);
    for (const { cascade, left } of [
      { cascade: "background", left: false },
      { cascade: "foreground", left: false },
      { cascade: "orphan", left: true },
    ]) {
      await kubectl.ok("apply -f -", { input: documents(configMap("owner", { a: "1" })) });
      const uid = await read("cm/owner", "{.metadata.uid}");
      const ownerReferences = [{ apiVersion: "v1", kind: "ConfigMap", name: "owner", uid, blockOwnerDeletion: true }];
      const child = configMap(`child-${cascade}`, {}, { ownerReferences });
      await kubectl.ok("create -f -", { input: documents(child) });
      expect(await kubectl.ok(`delete cm owner --cascade=${cascade}`)).toMatch(/^configmap "owner" deleted/);
      if (left) expect(await read(`cm/child-${cascade}`, "{.metadata.ownerReferences}")).toBe("");
      else await kubectl.ok(`wait --for=delete cm/child-${cascade} --timeout=20s`);
    }
    expect(await kubectl.ok("delete cm -l none=none")).toBe("No resources found");
  });

  test("waits for conditions, fields and deletion, and gives up", async () => {
    const { kubectl } = await openKubectl();
    await kubectl.ok("create -f -", { input: documents(configMap("c", { state: "new" })) });
    const ready = kubectl.ok("wait cm/c --for=jsonpath={.data.state}=old --timeout=20s");
    const created = kubectl.ok("wait cm/later --for=create --timeout=20s");
    const gone = kubectl.ok("wait cm/c --for=delete --timeout=20s");
    await kubectl.ok(["patch", "cm/c", "--type=merge", "-p", '{"data":{"state":"old"}}']);
    expect(await ready).toBe("configmap/c condition met");
    await kubectl.ok("create configmap later");
    expect(await created).toBe("configmap/later condition met");
    await kubectl.ok("delete cm c");
    expect(await gone).toMatch(/configmap\/c condition met|^$/);
    expect(await kubectl.fails("wait cm/later --for=jsonpath={.data.x}=1 --timeout=1s")).toMatch(
      /timed out waiting for the condition on configmaps\/later/,
    );
  });

  test("keeps what was last applied, prunes what is not applied any more, and applies a kustomization", async () => {
    const { kubectl } = await openKubectl();
    await kubectl.ok("apply -f -", { input: documents(configMap("c", { a: "1" })) });
    expect(await kubectl.ok("apply view-last-applied cm/c -o json")).toContain('"a": "1"');
    const two = documents(
      configMap("one", { a: "1" }, { labels: { set: "x" } }),
      configMap("two", { a: "1" }, { labels: { set: "x" } }),
    );
    const one = documents(configMap("one", { a: "1" }, { labels: { set: "x" } }));
    const prune = "apply --prune -l set=x --prune-allowlist=core/v1/ConfigMap -f -";
    await kubectl.ok("apply -l set=x -f -", { input: two });
    expect(await kubectl.ok(prune, { input: one })).toBe("configmap/one unchanged\nconfigmap/two pruned");
    writeFileSync(
      join(kubectl.home, "kustomization.yaml"),
      documents({ namePrefix: "k-", configMapGenerator: [{ name: "gen", literals: ["a=1"] }] }),
    );
    expect(await kubectl.ok("apply -k .")).toMatch(/^configmap\/k-gen-\S+ created$/);
  });

  test("tells what is wrong with a manifest", async () => {
    const { kubectl } = await openKubectl();
    const wrong = { ...configMap("c", {}), dat: {} };
    expect(await kubectl.fails("apply -f -", { input: documents(wrong) })).toMatch(
      /strict decoding error: unknown field "dat"/,
    );
    expect(await kubectl.fails("apply -f -", { input: documents(configMap("Bad_Name", {})) })).toMatch(
      /The ConfigMap "Bad_Name" is invalid: metadata\.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain/,
    );
    expect(await kubectl.fails("create -f -", { input: documents(deployment("d", "")) })).toMatch(
      /spec\.template\.spec\.containers\[0\]\.image: Required value/,
    );
    const foreign = { apiVersion: "example.com/v1", kind: "Gadget", metadata: { name: "g" } };
    expect(await kubectl.fails("apply -f -", { input: documents(foreign) })).toMatch(
      /no matches for kind "Gadget" in version "example\.com\/v1"/,
    );
    await kubectl.ok("create configmap twice");
    expect(await kubectl.fails("create configmap twice")).toBe(
      'error: failed to create configmap: configmaps "twice" already exists',
    );
  });
});
