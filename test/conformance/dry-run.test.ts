/** `dryRun=All`: the answer of the real thing, and nothing stored. */
import { expect } from "vitest";
import { area } from "./support/conformance-case.ts";
import { aDeployment, aMap } from "./support/sample-objects.ts";

area("dry run", (conformance) => {
  conformance("a creation answers with a whole object and stores none", async ({ api, path }) => {
    const maps = await path("configmaps");
    const made = await api
      .post(`${maps}?dryRun=All`, aMap("one", { data: { a: "1" } }))
      .expect(201, { data: { a: "1" } });
    expect(made.metadata.uid).toMatch(/-/);
    expect(made.metadata).not.toHaveProperty("resourceVersion");
    await api.get(`${maps}/one`).refuse(404, "NotFound");
  });

  conformance("a creation is validated and defaulted", async ({ api, path }) => {
    const deployments = await path("deployments", "apps/v1");
    await api.post(`${deployments}?dryRun=All`, aDeployment("one")).expect(201, { spec: { replicas: 1 } });
    await api.post(`${deployments}?dryRun=All`, aDeployment("Not_OK")).refuse(422, "Invalid");
  });

  conformance("a name that is taken is still a 409", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one")).expect(201);
    await api.post(`${maps}?dryRun=All`, aMap("one")).refuse(409, "AlreadyExists");
  });

  conformance("generateName makes a name that is not kept", async ({ api, path }) => {
    const maps = await path("configmaps");
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { generateName: "made-" } };
    const made = await api.post(`${maps}?dryRun=All`, body).expect(201);
    await api.get(`${maps}/${made.metadata.name}`).refuse(404, "NotFound");
  });

  conformance("a replacement shows its result under the stored version", async ({ api, path }) => {
    const maps = await path("configmaps");
    const made = await api.post(maps, aMap("one", { data: { a: "1" } })).expect(201);
    const shown = await api.put(`${maps}/one?dryRun=All`, { ...made, data: { a: "2" } }).expect(200);
    expect(shown).toMatchObject({ data: { a: "2" }, metadata: { resourceVersion: made.metadata.resourceVersion } });
    expect(await api.get(`${maps}/one`).expect(200)).toEqual(made);
  });

  conformance("patches of every kind show and store nothing", async ({ api, path }) => {
    const maps = await path("configmaps");
    const made = await api.post(maps, aMap("one", { data: { a: "1" } })).expect(201);
    const at = `${maps}/one?dryRun=All`;
    await api.patch(at, "merge", { data: { a: "2" } }).expect(200, { data: { a: "2" } });
    await api.patch(at, "strategic", { data: { a: "3" } }).expect(200, { data: { a: "3" } });
    await api.patch(at, "json", [{ op: "replace", path: "/data/a", value: "4" }]).expect(200, { data: { a: "4" } });
    await api
      .patch(`${at}&fieldManager=m`, "apply", aMap("one", { data: { b: "5" } }))
      .expect(200, { data: { b: "5" } });
    expect(await api.get(`${maps}/one`).expect(200)).toEqual(made);
  });

  conformance("an apply that would create answers 201", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.patch(`${maps}/one?dryRun=All&fieldManager=m`, "apply", aMap("one")).expect(201);
    await api.get(`${maps}/one`).refuse(404, "NotFound");
  });

  conformance("a deletion answers as if, and the object stays", async ({ api, path }) => {
    const maps = await path("configmaps");
    const made = await api.post(maps, aMap("one")).expect(201);
    await api.delete(`${maps}/one?dryRun=All`).expect(200, { status: "Success", details: { name: "one" } });
    expect(await api.get(`${maps}/one`).expect(200)).toEqual(made);
  });

  conformance("a deletion that would wait shows the mark and sets none", async ({ api, path }) => {
    const maps = await path("configmaps");
    const made = await api.post(maps, aMap("one", {}, { finalizers: ["example.com/hold"] })).expect(201);
    const shown = await api.delete(`${maps}/one`, { dryRun: ["All"] }).expect(200, { kind: "ConfigMap" });
    expect(shown.metadata.deletionTimestamp).toMatch(/Z$/);
    expect(await api.get(`${maps}/one`).expect(200)).toEqual(made);
    await api.patch(`${maps}/one`, "merge", { metadata: { finalizers: null } }).expect(200);
  });

  conformance("a collection stays too", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one", {}, { labels: { mine: "1" } })).expect(201);
    const answer = await api.delete(`${maps}?dryRun=All&labelSelector=mine`).expect(200);
    expect(answer.items).toHaveLength(1);
    await api.get(`${maps}/one`).expect(200);
  });

  conformance("status and scale know it as well", async ({ api, path }) => {
    const deployments = await path("deployments", "apps/v1");
    const made = await api.post(deployments, aDeployment("one")).expect(201);
    await api.patch(`${deployments}/one/status?dryRun=All`, "merge", { status: { replicas: 3 } }).expect(200, {
      status: { replicas: 3 },
    });
    await api.patch(`${deployments}/one/scale?dryRun=All`, "merge", { spec: { replicas: 3 } }).expect(200, {
      spec: { replicas: 3 },
    });
    expect(await api.get(`${deployments}/one`).expect(200)).toEqual(made);
  });

  conformance("any other value is a 422 of the options, whatever the verb", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one")).expect(201);
    const message = (kind: string) =>
      `${kind}.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["some"]: supported values: "All"`;
    const refused = [
      ["CreateOptions", api.post(`${maps}?dryRun=some`, aMap("two"))],
      ["UpdateOptions", api.put(`${maps}/one?dryRun=some`, aMap("one"))],
      ["PatchOptions", api.patch(`${maps}/one?dryRun=some`, "merge", {})],
      ["DeleteOptions", api.delete(`${maps}/one?dryRun=some`)],
    ] as const;
    for (const [kind, pending] of refused) expect((await pending.refuse(422, "Invalid")).message).toBe(message(kind));
    await api.get(`${maps}/one`).expect(200);
  });
});
