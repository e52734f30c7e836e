// A program that uses kubernetes-fluent-client as its users do. Argument: where the package is. It finds the cluster by
// KUBECONFIG and prints one JSON line of what it saw.
const { K8s, kind, RegisterKind, GenericKind, WatchEvent } = await import(`${process.argv[2]}/dist/index.js`);

const namespace = process.argv[3];
const seen = { events: [] };
const settle = (check) =>
  new Promise((resolve, reject) => {
    const until = Date.now() + 60_000;
    const look = () => {
      if (check()) resolve();
      else if (Date.now() > until) reject(new Error(`nothing came: ${JSON.stringify(seen)}`));
      else setTimeout(look, 20);
    };
    look();
  });

const watcher = K8s(kind.ConfigMap)
  .InNamespace(namespace)
  .WithLabel("watched")
  .Watch((object, phase) => void seen.events.push(`${phase} ${object.metadata.name} ${object.data?.a}`));
const connected = new Promise((resolve) => watcher.events.once(WatchEvent.CONNECT, resolve));
await watcher.start();
await connected;

const labels = { watched: "yes" };
const applied = await K8s(kind.ConfigMap).Apply({ metadata: { name: "one", namespace, labels }, data: { a: "1" } });
seen.manager = applied.metadata.managedFields[0].manager;
await K8s(kind.ConfigMap).Apply({ metadata: { name: "one", namespace, labels }, data: { a: "2" } });
await K8s(kind.ConfigMap, { name: "one", namespace }).Patch([{ op: "replace", path: "/data/a", value: "3" }]);
seen.read = (await K8s(kind.ConfigMap).InNamespace(namespace).Get("one")).data;
seen.listed = (await K8s(kind.ConfigMap).InNamespace(namespace).WithLabel("watched", "yes").Get()).items.length;
await K8s(kind.ConfigMap).InNamespace(namespace).Delete("one");
await settle(() => seen.events.some((event) => event.startsWith("DELETED")));
watcher.close();

seen.missing = await K8s(kind.ConfigMap).InNamespace(namespace).Get("none").catch((error) => error.status);
await K8s(kind.Pod).Create({
  metadata: { name: "p", namespace },
  spec: { restartPolicy: "Never", containers: [{ name: "c", image: "sh", command: ["echo", "from the pod"] }] },
});
for (;;) {
  const pod = await K8s(kind.Pod).InNamespace(namespace).Get("p");
  if (pod.status.phase === "Succeeded") break;
  await new Promise((resolve) => setTimeout(resolve, 50));
}
seen.logs = await K8s(kind.Pod).InNamespace(namespace).Logs("p");

await K8s(kind.CustomResourceDefinition).Apply({
  metadata: { name: "fluents.example.com" },
  spec: {
    group: "example.com",
    scope: "Namespaced",
    names: { plural: "fluents", singular: "fluent", kind: "Fluent" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: { type: "object", properties: { spec: { type: "object", "x-kubernetes-preserve-unknown-fields": true }, status: { type: "object", "x-kubernetes-preserve-unknown-fields": true } } },
        },
      },
    ],
  },
});
class Fluent extends GenericKind {}
RegisterKind(Fluent, { group: "example.com", version: "v1", kind: "Fluent", plural: "fluents" });
for (let tries = 0; ; tries++) {
  try {
    await K8s(Fluent).Apply({ metadata: { name: "f", namespace }, spec: { size: 1 } });
    break;
  } catch (error) {
    if (tries > 100) throw error;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
await K8s(Fluent).PatchStatus({ metadata: { name: "f", namespace }, status: { phase: "Ready" } });
seen.custom = (await K8s(Fluent).InNamespace(namespace).Get("f")).status;
await K8s(Fluent).InNamespace(namespace).Finalize("add", "example.com/hold", "f");
seen.finalizers = (await K8s(Fluent).InNamespace(namespace).Get("f")).metadata.finalizers;

console.log(JSON.stringify(seen));
process.exit(0);
