/** Which state a list shows, by `resourceVersion` and `resourceVersionMatch`: the table in "API concepts". */
import { expect } from "vitest";
import { area, type Body, type CaseTools } from "./support/conformance-case.ts";

const encoded = (text: string) => Buffer.from(text).toString("base64");
const aSecret = (name: string, n = "0") => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name },
  data: { n: encoded(n) },
});
const names = (list: Body) => list.items.map((item: Body) => item.metadata.name);
const future = "9000000000";

/** Secrets one and two; then two is changed and three made. Answers the versions of these states. */
async function makeHistory({ api, path }: CaseTools) {
  const secrets = await path("secrets");
  await api.post(secrets, aSecret("one")).expect(201);
  const two = await api.post(secrets, aSecret("two")).expect(201);
  const early = two.metadata.resourceVersion as string;
  await api.put(`${secrets}/two`, aSecret("two", "1")).expect(200);
  const three = await api.post(secrets, aSecret("three")).expect(201);
  return { secrets, early, late: three.metadata.resourceVersion as string };
}

area("list resource versions", (conformance) => {
  conformance(
    "without a version the newest state is listed, under a version of at least its last write",
    async (tools) => {
      const { secrets, late } = await makeHistory(tools);
      const list = await tools.api.get(secrets).expect(200, { kind: "SecretList", apiVersion: "v1" });
      expect(names(list)).toEqual(["one", "three", "two"]);
      expect(BigInt(list.metadata.resourceVersion)).toBeGreaterThanOrEqual(BigInt(late));
    },
  );

  conformance("an empty list has an empty array of items and a version", async ({ api, path }) => {
    const list = await api.get(await path("secrets")).expect(200);
    expect(list.items).toEqual([]);
    expect(list.metadata.resourceVersion).toMatch(/^[1-9]\d*$/);
  });

  conformance("items of a built-in kind do not repeat kind and apiVersion", async (tools) => {
    const { secrets } = await makeHistory(tools);
    const { items } = await tools.api.get(secrets).expect(200);
    expect(items[0]).not.toHaveProperty("kind");
    expect(items[0]).not.toHaveProperty("apiVersion");
  });

  conformance("items of a custom kind do", async ({ api, define }) => {
    const gadgets = await define({ kind: "Gadget" });
    const path = await gadgets.path();
    const body = { apiVersion: gadgets.apiVersion(), kind: "Gadget", metadata: { name: "one" } };
    await api.post(path, body).expect(201);
    const list = await api.get(path).expect(200, { kind: "GadgetList", apiVersion: gadgets.apiVersion() });
    expect(list.items[0]).toMatchObject({ kind: "Gadget", apiVersion: gadgets.apiVersion() });
  });

  conformance("Exact shows the state at that version, and says so", async (tools) => {
    const { secrets, early } = await makeHistory(tools);
    const list = await tools.api.get(`${secrets}?resourceVersion=${early}&resourceVersionMatch=Exact`).expect(200);
    expect(names(list)).toEqual(["one", "two"]);
    expect(list.items[1].data).toEqual({ n: encoded("0") });
    expect(list.metadata.resourceVersion).toBe(early);
  });

  conformance("Exact shows an object that has been deleted since", async (tools) => {
    const { secrets, early } = await makeHistory(tools);
    await tools.api.delete(`${secrets}/one`).expect(200);
    const list = await tools.api.get(`${secrets}?resourceVersion=${early}&resourceVersionMatch=Exact`).expect(200);
    expect(names(list)).toEqual(["one", "two"]);
  });

  conformance("Exact goes with a label selector that held then and no longer does", async ({ api, path }) => {
    const secrets = await path("secrets");
    const labelled = { ...aSecret("one"), metadata: { name: "one", labels: { on: "yes" } } };
    const one = await api.post(secrets, labelled).expect(201);
    await api.patch(`${secrets}/one`, "merge", { metadata: { labels: { on: "no" } } }).expect(200);
    const at = `resourceVersion=${one.metadata.resourceVersion}&resourceVersionMatch=Exact`;
    expect(names(await api.get(`${secrets}?${at}&labelSelector=on%3Dyes`).expect(200))).toEqual(["one"]);
  });

  conformance("NotOlderThan shows at least that version", async (tools) => {
    const { secrets, early, late } = await makeHistory(tools);
    const query = (version: string) => `${secrets}?resourceVersion=${version}&resourceVersionMatch=NotOlderThan`;
    const list = await tools.api.get(query(late)).expect(200);
    expect(names(list)).toEqual(["one", "three", "two"]);
    const older = await tools.api.get(query(early)).expect(200);
    expect(BigInt(older.metadata.resourceVersion)).toBeGreaterThanOrEqual(BigInt(early));
    expect(names(older)).toEqual(expect.arrayContaining(["one", "two"]));
  });

  conformance("a version without a match means not older than, too", async (tools) => {
    const { secrets, late } = await makeHistory(tools);
    const list = await tools.api.get(`${secrets}?resourceVersion=${late}`).expect(200);
    expect(names(list)).toEqual(["one", "three", "two"]);
    expect(BigInt(list.metadata.resourceVersion)).toBeGreaterThanOrEqual(BigInt(late));
  });

  conformance("0 takes any state", async ({ api }) => {
    const list = await api.get("/api/v1/namespaces?resourceVersion=0").expect(200);
    expect(names(list)).toContain("default");
  });

  conformance("0 with NotOlderThan takes any state", async ({ api }) => {
    const list = await api.get("/api/v1/namespaces?resourceVersion=0&resourceVersionMatch=NotOlderThan").expect(200);
    expect(names(list)).toContain("kube-system");
  });

  conformance("Exact of 0 is refused with the field", async ({ api, path }) => {
    const status = await api
      .get(`${await path("secrets")}?resourceVersion=0&resourceVersionMatch=Exact`)
      .refuse(422, "Invalid", { details: { group: "meta.k8s.io", kind: "ListOptions" } });
    expect(status.message).toContain('resourceVersionMatch "exact" is forbidden for resourceVersion "0"');
    expect(status.details.causes).toMatchObject([{ reason: "FieldValueForbidden", field: "resourceVersionMatch" }]);
  });

  conformance("a match without a version is refused", async ({ api, path }) => {
    const status = await api.get(`${await path("secrets")}?resourceVersionMatch=Exact`).refuse(422, "Invalid");
    expect(status.message).toBe(
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
    );
  });

  conformance("an unknown match is refused with the ones there are", async ({ api, path }) => {
    const status = await api
      .get(`${await path("secrets")}?resourceVersion=1&resourceVersionMatch=Newest`)
      .refuse(422, "Invalid");
    expect(status.details.causes).toMatchObject([
      {
        reason: "FieldValueNotSupported",
        message: 'Unsupported value: "Newest": supported values: "Exact", "NotOlderThan", ""',
      },
    ]);
  });

  conformance("two things wrong with a match are told at once", async ({ api, path }) => {
    const status = await api.get(`${await path("secrets")}?resourceVersionMatch=Newest`).refuse(422, "Invalid");
    expect(status.details.causes).toHaveLength(2);
    expect(status.message).toMatch(/is invalid: \[resourceVersionMatch: .*, resourceVersionMatch: .*\]$/);
  });

  conformance("a version that is no number is a 400", async ({ api, path }) => {
    const status = await api.get(`${await path("secrets")}?resourceVersion=abc`).refuse(400, "BadRequest");
    expect(status.message).toContain('invalid resource version: resourceVersion: Invalid value: "abc"');
  });

  conformance("a version from the future is a 504 with its cause and a time to retry", async ({ api, path }) => {
    const reply = await api.get(`${await path("secrets")}?resourceVersion=${future}`);
    expect(reply.status).toBe(504);
    expect(reply.headers["retry-after"]).toBe("1");
    expect(reply.body).toMatchObject({
      reason: "Timeout",
      message: expect.stringMatching(/^Timeout: Too large resource version: 9000000000, current: \d+$/),
      details: {
        causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
        retryAfterSeconds: 1,
      },
    });
  });

  conformance("so is an Exact one", async ({ api, path }) => {
    const status = await api
      .get(`${await path("secrets")}?resourceVersion=${future}&resourceVersionMatch=Exact`)
      .refuse(504, "Timeout");
    expect(status.details.causes).toMatchObject([{ reason: "ResourceVersionTooLarge" }]);
  });

  conformance("a version that comes within a moment is waited for", async ({ api, path }) => {
    const secrets = await path("secrets");
    const now = await api.get(secrets).expect(200);
    const next = BigInt(now.metadata.resourceVersion) + 1n;
    const [list] = await Promise.all([
      api.get(`${secrets}?resourceVersion=${next}`).expect(200),
      api.post(secrets, aSecret("one")).expect(201),
    ]);
    expect(BigInt(list.metadata.resourceVersion)).toBeGreaterThanOrEqual(next);
  });

  conformance("sendInitialEvents is forbidden for a list", async ({ api, path }) => {
    const status = await api.get(`${await path("secrets")}?sendInitialEvents=true`).refuse(422, "Invalid");
    expect(status.details.causes).toMatchObject([
      { field: "sendInitialEvents", message: "Forbidden: sendInitialEvents is forbidden for list" },
    ]);
  });

  conformance("a number that is none is a 400 in Go's words", async ({ api, path }) => {
    const secrets = await path("secrets");
    for (const name of ["limit", "timeoutSeconds"]) {
      const status = await api.get(`${secrets}?${name}=ten`).refuse(400, "BadRequest");
      expect(status.message).toBe('strconv.ParseInt: parsing "ten": invalid syntax');
    }
  });

  conformance("a list over all namespaces orders by namespace, then by name", async (tools) => {
    const { secrets } = await makeHistory(tools);
    const namespace = await tools.namespace();
    const { items } = await tools.api.get("/api/v1/secrets").expect(200);
    const mine = items.filter((item: Body) => item.metadata.namespace === namespace);
    expect(mine.map((item: Body) => item.metadata.name)).toEqual(names(await tools.api.get(secrets).expect(200)));
    const keys = items.map((item: Body) => `${item.metadata.namespace}/${item.metadata.name}`);
    expect(keys).toEqual([...keys].sort());
  });

  conformance("a list in a namespace that does not exist is empty", async ({ api, unique }) => {
    const list = await api.get(`/api/v1/namespaces/${unique("nowhere")}/secrets`).expect(200);
    expect(list.items).toEqual([]);
  });
});
