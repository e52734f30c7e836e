/** CustomResourceDefinitions: what is no valid definition, and the fields that say so. */
import { expect } from "vitest";
import { area } from "./support/conformance-case.ts";
import { fields } from "./support/custom-objects.ts";

const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

interface Given {
  readonly schema?: object;
  readonly version?: object;
  readonly versions?: readonly object[];
  readonly spec?: object;
  readonly name?: string;
}

function aDefinition(group: string, given: Given): object {
  const schema = given.schema ?? { type: "object" };
  const lone = { name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema }, ...given.version };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: given.name ?? `things.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: { kind: "Thing", plural: "things" },
      versions: given.versions ?? [lone],
      ...given.spec,
    },
  };
}

const spec = (schema: object) => fields({ spec: schema });
const specPath = "spec.validation.openAPIV3Schema.properties[spec]";
const text = { type: "string" };
const list = (items: object, more: object) => spec(fields({ l: { type: "array", items, ...more } }));
const listPath = `${specPath}.properties[l]`;
const rule = (value: object) => spec(fields({ a: { type: "integer" } }, { "x-kubernetes-validations": [value] }));
const rulePath = `${specPath}.x-kubernetes-validations[0]`;
const other = { name: "v2", served: true, schema: { openAPIV3Schema: { type: "object" } } };

interface Wrong extends Given {
  readonly title: string;
  readonly field: string;
  readonly reason?: string;
  readonly message?: RegExp;
}

const required = "FieldValueRequired";
const forbidden = "FieldValueForbidden";
const wrong: readonly Wrong[] = [
  {
    title: "a property without a type is not structural",
    schema: spec({}),
    field: `${specPath}.type`,
    reason: required,
    message: /must not be empty for specified object fields/,
  },
  {
    title: "list items without a type are not structural",
    schema: list({}, {}),
    field: `${listPath}.items.type`,
    reason: required,
    message: /must not be empty for specified array items/,
  },
  {
    title: "the root must be an object",
    schema: { type: "string" },
    field: "spec.validation.openAPIV3Schema.type",
    message: /must be object at the root/,
  },
  {
    title: "properties and additionalProperties exclude each other",
    schema: spec({ type: "object", properties: { a: text }, additionalProperties: text }),
    field: `${specPath}.additionalProperties`,
    reason: forbidden,
    message: /mutual exclusive/,
  },
  {
    title: "a type within anyOf is not structural",
    schema: spec({ type: "object", anyOf: [{ type: "object" }] }),
    field: `${specPath}.anyOf[0].type`,
    reason: forbidden,
    message: /must be empty to be structural/,
  },
  {
    title: "a field that only a value validation of the root names is not structural",
    schema: { type: "object", allOf: [{ properties: { a: { minLength: 1 } } }] },
    field: "spec.validation.openAPIV3Schema.properties[a]",
    reason: required,
  },
  {
    title: "the root says nothing of metadata but its names",
    schema: fields({ metadata: fields({ labels: { type: "object", additionalProperties: text } }) }),
    field: "spec.validation.openAPIV3Schema.properties[metadata]",
    reason: forbidden,
  },
  {
    title: "references are not supported",
    schema: spec({ type: "object", $ref: "#/x" }),
    field: `${specPath}.$ref`,
    reason: forbidden,
  },
  {
    title: "uniqueItems is too slow to be allowed",
    schema: list(text, { uniqueItems: true }),
    field: `${listPath}.uniqueItems`,
    reason: forbidden,
  },
  {
    title: "a type that OpenAPI does not have",
    schema: spec({ type: "text" }),
    field: `${specPath}.type`,
    reason: "FieldValueNotSupported",
  },
  {
    title: "a pattern that RE2 does not take",
    schema: spec(fields({ a: { type: "string", pattern: "a(?=b)" } })),
    field: `${specPath}.properties[a].pattern`,
    message: /must be a valid regular expression/,
  },
  {
    title: "a default of the wrong type",
    schema: spec(fields({ a: { type: "string", default: 1 } })),
    field: `${specPath}.properties[a].default`,
    reason: "FieldValueTypeInvalid",
  },
  {
    title: "a default with fields that the schema does not know",
    schema: spec(fields({ o: fields({ a: text }, { default: { a: "x", b: "y" } }) })),
    field: `${specPath}.properties[o].default`,
    message: /must not have unknown fields/,
  },
  {
    title: "a default that breaks a rule of its own schema",
    schema: spec(fields({ a: { type: "integer", default: 1, "x-kubernetes-validations": [{ rule: "self > 1" }] } })),
    field: `${specPath}.properties[a].default`,
    message: /failed rule: self > 1/,
  },
  {
    title: "a map list without keys",
    schema: list(fields({ k: text }), { "x-kubernetes-list-type": "map" }),
    field: `${listPath}.x-kubernetes-list-map-keys`,
    reason: required,
  },
  {
    title: "list keys must be properties of the items",
    schema: list(fields({ k: text }, { required: ["k"] }), {
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["x"],
    }),
    field: `${listPath}.x-kubernetes-list-map-keys`,
    message: /entries must all be names of item properties/,
  },
  {
    title: "a list key is required or has a default",
    schema: list(fields({ k: text }), { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"] }),
    field: `${listPath}.items.properties[k].default`,
    reason: required,
  },
  {
    title: "items of a set are atomic",
    schema: list(fields({ k: text }), { "x-kubernetes-list-type": "set" }),
    field: `${listPath}.items.x-kubernetes-map-type`,
  },
  {
    title: "a list type on what is no list",
    schema: spec({ type: "object", "x-kubernetes-list-type": "set" }),
    field: `${specPath}.type`,
    message: /must be array if x-kubernetes-list-type is specified/,
  },
  {
    title: "an embedded resource with nothing specified in it",
    schema: spec({ type: "object", "x-kubernetes-embedded-resource": true }),
    field: `${specPath}.properties`,
    reason: required,
  },
  {
    title: "preserve-unknown-fields is true or absent",
    schema: spec({ type: "object", "x-kubernetes-preserve-unknown-fields": false }),
    field: `${specPath}.x-kubernetes-preserve-unknown-fields`,
    message: /must be true or undefined/,
  },
  {
    title: "int-or-string excludes preserve-unknown-fields",
    schema: spec({ "x-kubernetes-int-or-string": true, "x-kubernetes-preserve-unknown-fields": true }),
    field: `${specPath}.x-kubernetes-preserve-unknown-fields`,
  },
  {
    title: "a rule that does not parse",
    schema: rule({ rule: "self.a ==" }),
    field: `${rulePath}.rule`,
    message: /compilation failed.*Syntax error/s,
  },
  {
    title: "a rule on a field that the schema does not have",
    schema: rule({ rule: "self.b == 1" }),
    field: `${rulePath}.rule`,
    message: /undefined field 'b'/,
  },
  {
    title: "a rule that compares an integer with a string",
    schema: rule({ rule: "self.a == 'x'" }),
    field: `${rulePath}.rule`,
    message: /found no matching overload for '_==_' applied to '\(int, string\)'/,
  },
  {
    title: "a rule that is no condition",
    schema: rule({ rule: "self.a" }),
    field: `${rulePath}.rule`,
    message: /cel expression must evaluate to a bool/,
  },
  {
    title: "has() of a field that the schema does not have",
    schema: rule({ rule: "has(self.b)" }),
    field: `${rulePath}.rule`,
    message: /undefined field 'b'/,
  },
  {
    title: "a message expression that is no text",
    schema: rule({ rule: "true", messageExpression: "self.a" }),
    field: `${rulePath}.messageExpression`,
    message: /must evaluate to a string/,
  },
  {
    title: "a message with line breaks",
    schema: rule({ rule: "true", message: "a\nb" }),
    field: `${rulePath}.message`,
    message: /must not contain line breaks/,
  },
  {
    title: "a rule with line breaks needs a message",
    schema: rule({ rule: "self.a > 1 &&\nself.a < 5" }),
    field: `${rulePath}.message`,
    reason: required,
  },
  {
    title: "a reason that rules do not have",
    schema: rule({ rule: "true", reason: "Nope" }),
    field: `${rulePath}.reason`,
    reason: "FieldValueNotSupported",
  },
  {
    title: "a fieldPath that leads nowhere",
    schema: rule({ rule: "true", fieldPath: ".b" }),
    field: `${rulePath}.fieldPath`,
    message: /must be a valid path/,
  },
  {
    title: "oldSelf within an atomic list cannot be matched",
    schema: list({ type: "integer", "x-kubernetes-validations": [{ rule: "self == oldSelf" }] }, {}),
    field: `${listPath}.items.x-kubernetes-validations[0].rule`,
    message: /oldSelf cannot be used on the uncorrelatable portion of the schema/,
  },
  {
    title: "optionalOldSelf without oldSelf",
    schema: rule({ rule: "self.a > 0", optionalOldSelf: true }),
    field: `${rulePath}.optionalOldSelf`,
  },
  {
    title: "no version is the storage version",
    version: { storage: false },
    field: "spec.versions",
    message: /must have exactly one version marked as storage version/,
  },
  {
    title: "two versions of the same name",
    versions: [
      { ...other, storage: true },
      { ...other, storage: false },
    ],
    field: "spec.versions",
    message: /must contain unique version names/,
  },
  {
    title: "a version without a schema",
    version: { schema: undefined },
    field: "spec.versions[0].schema.openAPIV3Schema",
    reason: required,
  },
  {
    title: "a name that is not plural and group",
    name: "others.example.com",
    field: "metadata.name",
    message: /must be spec\.names\.plural\+"\."\+spec\.group/,
  },
  {
    title: "kind and listKind are the same",
    spec: { names: { kind: "Thing", listKind: "Thing", plural: "things" } },
    field: "spec.names.listKind",
  },
  {
    title: "a short name that is no label",
    spec: { names: { kind: "Thing", plural: "things", shortNames: ["T_1"] } },
    field: "spec.names.shortNames[0]",
  },
  {
    title: "a scope that does not exist",
    spec: { scope: "Galaxy" },
    field: "spec.scope",
    reason: "FieldValueNotSupported",
  },
  {
    title: "preserveUnknownFields is a thing of the past",
    spec: { preserveUnknownFields: true },
    field: "spec.preserveUnknownFields",
  },
  {
    title: "a deprecation warning on a version that is not deprecated",
    version: { deprecationWarning: "old" },
    field: "spec.versions[0].deprecationWarning",
    message: /can only be set for deprecated versions/,
  },
  {
    title: "a printer column without a path",
    version: { additionalPrinterColumns: [{ name: "A", type: "string", jsonPath: "" }] },
    field: "spec.additionalPrinterColumns[0].JSONPath",
    reason: required,
  },
  {
    title: "a printer column of a type that tables do not have",
    version: { additionalPrinterColumns: [{ name: "A", type: "text", jsonPath: ".a" }] },
    field: "spec.additionalPrinterColumns[0].type",
    message: /must be one of boolean,date,integer,number,string/,
  },
  {
    title: "a selectable field that the schema does not have",
    version: { selectableFields: [{ jsonPath: ".spec.nope" }] },
    field: "spec.selectableFields[0].jsonPath",
    message: /is an invalid path/,
  },
  {
    title: "a selectable field that is no scalar",
    schema: spec(fields({ o: fields({}) })),
    version: { selectableFields: [{ jsonPath: ".spec.o" }] },
    field: "spec.selectableFields[0].jsonPath",
    message: /must point to a field of type string, boolean or integer/,
  },
  {
    title: "a scale whose replicas are not in spec",
    version: { subresources: { scale: { specReplicasPath: ".status.a", statusReplicasPath: ".status.replicas" } } },
    field: "spec.subresources.scale.specReplicasPath",
    message: /should be a json path under \.spec/,
  },
  {
    title: "a webhook without conversion by webhook",
    spec: {
      conversion: {
        strategy: "None",
        webhook: { clientConfig: { url: "https://a.example.com" }, conversionReviewVersions: ["v1"] },
      },
    },
    field: "spec.conversion.webhookClientConfig",
    reason: forbidden,
  },
];

area("crd validation", (conformance) => {
  for (const { title, field, reason, message, ...given } of wrong) {
    conformance(title, async ({ api, unique }) => {
      const status = await api
        .post(definitions, aDefinition(`${unique("g")}.example.com`, given))
        .refuse(422, "Invalid", { details: { group: "apiextensions.k8s.io", kind: "CustomResourceDefinition" } });
      const found = status.details.causes.filter((cause: { field: string }) => cause.field === field);
      expect(found, JSON.stringify(status.details.causes)).not.toEqual([]);
      if (reason !== undefined) expect(found[0].reason).toBe(reason);
      if (message !== undefined) expect(found[0].message).toMatch(message);
    });
  }

  conformance("versions with different schemas are told apart in fields", async ({ api, unique }) => {
    const versions = [
      { name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } },
      { name: "v2", served: true, storage: false, schema: { openAPIV3Schema: spec({}) } },
    ];
    const status = await api
      .post(definitions, aDefinition(`${unique("g")}.example.com`, { versions }))
      .refuse(422, "Invalid");
    expect(status.details.causes).toMatchObject([
      { field: "spec.versions[1].schema.openAPIV3Schema.properties[spec].type" },
    ]);
  });

  conformance("a group of Kubernetes itself needs an approval", async ({ api, unique }) => {
    const status = await api.post(definitions, aDefinition(`${unique("g")}.k8s.io`, {})).refuse(422, "Invalid");
    expect(status.details.causes[0]).toMatchObject({
      field: "metadata.annotations[api-approved.kubernetes.io]",
      reason: "FieldValueRequired",
    });
  });
});
