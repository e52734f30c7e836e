/** Metadata that every kind shares: names, labels, annotations, owners, with the messages of the real server. */
import { expect } from "vitest";
import { area } from "./support/conformance-case.ts";
import { aMap, aService } from "./support/sample-objects.ts";

const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const namePart =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const labelValue =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const owner = { apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: "11111111-2222-3333-4444-555555555555" };

interface Refused {
  readonly name: string;
  readonly metadata: object;
  readonly field: string;
  readonly message: string;
  /** FieldValueInvalid unless said otherwise. */
  readonly reason?: string;
}

const refused: readonly Refused[] = [
  {
    name: "a name with capitals",
    metadata: { name: "One" },
    field: "metadata.name",
    message: `Invalid value: "One": ${subdomain}`,
  },
  {
    name: "a name of 254 characters",
    metadata: { name: "a".repeat(254) },
    field: "metadata.name",
    message: `Invalid value: "${"a".repeat(254)}": must be no more than 253 characters`,
  },
  {
    name: "a generateName with capitals",
    metadata: { generateName: "One-" },
    field: "metadata.generateName",
    message: `Invalid value: "One-": ${subdomain}`,
  },
  {
    name: "a label key with a space",
    metadata: { name: "one", labels: { "a b": "1" } },
    field: "metadata.labels",
    message: `Invalid value: "a b": ${namePart}`,
  },
  {
    name: "a label key with two slashes",
    metadata: { name: "one", labels: { "a/b/c": "1" } },
    field: "metadata.labels",
    message: `Invalid value: "a/b/c": a valid label key ${namePart.slice("name part ".length)} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
  },
  {
    name: "a label key without a prefix before the slash",
    metadata: { name: "one", labels: { "/a": "1" } },
    field: "metadata.labels",
    message: 'Invalid value: "/a": prefix part must be non-empty',
  },
  {
    name: "a label key of 64 characters",
    metadata: { name: "one", labels: { ["a".repeat(64)]: "1" } },
    field: "metadata.labels",
    message: `Invalid value: "${"a".repeat(64)}": name part must be no more than 63 bytes`,
  },
  {
    name: "a label value with a space",
    metadata: { name: "one", labels: { a: "b c" } },
    field: "metadata.labels",
    message: `Invalid value: "b c": ${labelValue}`,
  },
  {
    name: "a label value of 64 characters",
    metadata: { name: "one", labels: { a: "b".repeat(64) } },
    field: "metadata.labels",
    message: `Invalid value: "${"b".repeat(64)}": must be no more than 63 bytes`,
  },
  {
    name: "an annotation key with a space",
    metadata: { name: "one", annotations: { "a b": "1" } },
    field: "metadata.annotations",
    message: `Invalid value: "a b": ${namePart}`,
  },
  {
    name: "annotations of more than 256 KiB",
    metadata: { name: "one", annotations: { a: "b".repeat(256 * 1024) } },
    field: "metadata.annotations",
    message: "Too long: may not be more than 262144 bytes",
    reason: "FieldValueTooLong",
  },
  {
    name: "an owner without a version",
    metadata: { name: "one", ownerReferences: [{ ...owner, apiVersion: "" }] },
    field: "metadata.ownerReferences.apiVersion",
    message: 'Invalid value: "": version must not be empty',
  },
  {
    name: "an owner without a kind",
    metadata: { name: "one", ownerReferences: [{ ...owner, kind: "" }] },
    field: "metadata.ownerReferences.kind",
    message: 'Invalid value: "": must not be empty',
  },
  {
    name: "an owner without a uid",
    metadata: { name: "one", ownerReferences: [{ ...owner, uid: "" }] },
    field: "metadata.ownerReferences.uid",
    message: 'Invalid value: "": must not be empty',
  },
];

area("metadata validation", (conformance) => {
  for (const { name, metadata, field, message, reason = "FieldValueInvalid" } of refused) {
    conformance(`${name} is a 422 with its cause`, async ({ api, path }) => {
      const body = { apiVersion: "v1", kind: "ConfigMap", metadata };
      const status = await api.post(await path("configmaps"), body).refuse(422, "Invalid");
      expect(status.details.causes).toContainEqual({ reason, message, field });
    });
  }

  conformance("owners without a uid are refused like others, all reasons at once", async ({ api, path }) => {
    const status = await api
      .post(await path("configmaps"), aMap("one", {}, { ownerReferences: [{ kind: "A" }], finalizers: ["x"] }))
      .refuse(422, "Invalid");
    expect(status.details.causes.map((one: { field: string }) => one.field)).toEqual([
      "metadata.ownerReferences.apiVersion",
      "metadata.ownerReferences.name",
      "metadata.ownerReferences.uid",
      "metadata.finalizers[0]",
    ]);
  });

  conformance("two controlling owners exclude each other", async ({ api, path }) => {
    const owners = ["a", "b"].map((name) => ({ ...owner, name, controller: true }));
    const status = await api
      .post(await path("configmaps"), aMap("one", {}, { ownerReferences: owners }))
      .refuse(422, "Invalid");
    expect(status.message).toContain(
      'Only one reference can have Controller set to true. Found "true" in references for ConfigMap/a and ConfigMap/b',
    );
  });

  conformance("an event owns nothing", async ({ api, path }) => {
    const status = await api
      .post(await path("configmaps"), aMap("one", {}, { ownerReferences: [{ ...owner, kind: "Event" }] }))
      .refuse(422, "Invalid");
    expect(status.message).toContain("/v1, Kind=Event is disallowed from being an owner");
  });

  conformance("annotation keys may have capitals, label values may be empty", async ({ api, path }) => {
    const metadata = { annotations: { "Example.com/Key": "any text\n" }, labels: { "example.com/a": "" } };
    await api.post(await path("configmaps"), aMap("one", {}, metadata)).expect(201, { metadata });
  });

  conformance("names of services are single labels, which may begin with a digit", async ({ api, path }) => {
    const status = await api.post(await path("services"), aService("a.b")).refuse(422, "Invalid");
    expect(status.details.causes[0].field).toBe("metadata.name");
    await api.post(await path("services"), aService("1st")).expect(201);
  });

  conformance("names of roles are path segments", async ({ api, path }) => {
    const roles = await path("roles", "rbac.authorization.k8s.io/v1");
    const role = (name: string) => ({
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "Role",
      metadata: { name },
      rules: [],
    });
    await api.post(roles, role("system:One")).expect(201);
    await api.post(roles, role("a/b")).refuse(422, "Invalid");
    await api.post(roles, role("..")).refuse(422, "Invalid");
  });

  conformance("names of namespaces are single labels", async ({ api }) => {
    const status = await api
      .post("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: "a.b" } })
      .refuse(422, "Invalid");
    expect(status.details).toMatchObject({ name: "a.b", kind: "Namespace" });
  });

  conformance("an update is validated like a creation, and says each thing once", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one")).expect(201);
    const status = await api
      .patch(`${maps}/one`, "merge", { metadata: { labels: { a: "not ok" } } })
      .refuse(422, "Invalid");
    expect(status.message).toBe(`ConfigMap "one" is invalid: metadata.labels: Invalid value: "not ok": ${labelValue}`);
  });

  conformance("custom objects are held to the same", async ({ api, define }) => {
    const things = await define({ kind: "Thing" });
    const body = { apiVersion: things.apiVersion(), kind: "Thing", metadata: { name: "one", labels: { "a b": "1" } } };
    const status = await api.post(await things.path(), body).refuse(422, "Invalid");
    expect(status.details.causes[0]).toMatchObject({ field: "metadata.labels" });
    expect(status.details).toMatchObject({ name: "one", group: things.group, kind: "Thing" });
  });

  conformance("metadata of a wrong type is a 400", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one", {}, { labels: { a: 1 } })).refuse(400, "BadRequest");
    await api.post(maps, aMap("one", {}, { finalizers: "all" })).refuse(400, "BadRequest");
  });
});
