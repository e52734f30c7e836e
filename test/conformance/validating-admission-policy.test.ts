/** ValidatingAdmissionPolicies and their bindings: what is stored, and what is decided. */
import { expect } from "vitest";
import { area, type CaseTools, eventually } from "./support/conformance-case.ts";

const group = "/apis/admissionregistration.k8s.io/v1";
const policies = `${group}/validatingadmissionpolicies`;
const bindings = `${group}/validatingadmissionpolicybindings`;
const probe = "policy-probe";

const configMapRules = (operations = ["CREATE", "UPDATE", "DELETE"]) => [
  { apiGroups: [""], apiVersions: ["v1"], operations, resources: ["configmaps"] },
];

function aPolicy(name: string, spec: object): object {
  return { apiVersion: "admissionregistration.k8s.io/v1", kind: "ValidatingAdmissionPolicy", metadata: { name }, spec };
}

function aBinding(name: string, spec: object): object {
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingAdmissionPolicyBinding",
    metadata: { name },
    spec: { policyName: name, validationActions: ["Deny"], ...spec },
  };
}

const aMap = (name: string, data: object = {}, labels: object = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, labels },
  data,
});

interface Installed {
  readonly name: string;
  readonly maps: string;
}

/** A policy for the case's own namespace, which also refuses `probe` so that one knows when it counts. */
async function install(tools: CaseTools, spec: object, binding: object = {}): Promise<Installed> {
  const name = tools.unique("policy");
  const {
    validations = [],
    matchConstraints = {},
    ...rest
  } = spec as { validations?: object[]; matchConstraints?: object };
  const namespace = await tools.namespace();
  const constraints = {
    resourceRules: configMapRules(),
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
    ...matchConstraints,
  };
  const checks = [...validations, { expression: `request.name != '${probe}'` }];
  await tools.api
    .post(policies, aPolicy(name, { matchConstraints: constraints, validations: checks, ...rest }))
    .expect(201);
  tools.removeLater(`${policies}/${name}`);
  await tools.api.post(bindings, aBinding(name, binding)).expect(201);
  tools.removeLater(`${bindings}/${name}`);
  const maps = await tools.path("configmaps");
  await eventually("the policy counts", async () => {
    const reply = await tools.api.post(`${maps}?dryRun=All`, aMap(probe, { a: "1" }, { watched: "yes" }));
    return reply.status >= 400 || reply.headers.warning !== undefined;
  });
  return { name, maps };
}

area("validating admission policies", (conformance) => {
  conformance("defaults are those of the documentation", async (tools) => {
    const name = tools.unique("policy");
    const spec = { matchConstraints: { resourceRules: configMapRules() }, validations: [{ expression: "true" }] };
    const made = await tools.api.post(policies, aPolicy(name, spec)).expect(201);
    tools.removeLater(`${policies}/${name}`);
    expect(made.spec).toMatchObject({
      failurePolicy: "Fail",
      matchConstraints: {
        matchPolicy: "Equivalent",
        namespaceSelector: {},
        objectSelector: {},
        resourceRules: [{ scope: "*" }],
      },
    });
    expect(made.metadata.generation).toBe(1);
  });

  const wrong: ReadonlyArray<readonly [title: string, spec: object, field: string, message: RegExp]> = [
    ["nothing to validate", { validations: [] }, "spec.validations", /must contain at least one item/],
    ["no resources", { matchConstraints: {} }, "spec.matchConstraints.resourceRules", /Required/],
    [
      "an expression that does not parse",
      { validations: [{ expression: "object.x ==" }] },
      "spec.validations[0].expression",
      /compilation failed.*Syntax error/s,
    ],
    [
      "an expression that is no condition",
      { validations: [{ expression: "'text'" }] },
      "spec.validations[0].expression",
      /must evaluate to bool/,
    ],
    [
      "an unknown field of the request",
      { validations: [{ expression: "request.nope == ''" }] },
      "spec.validations[0].expression",
      /undefined field 'nope'/,
    ],
    [
      "params without a kind of params",
      { validations: [{ expression: "params.x == 1" }] },
      "spec.validations[0].expression",
      /undeclared reference to 'params'/,
    ],
    [
      "a variable that is used before it is there",
      {
        variables: [
          { name: "a", expression: "variables.b" },
          { name: "b", expression: "1" },
        ],
      },
      "spec.variables[0].expression",
      /undefined field 'b'/,
    ],
    [
      "a variable with a name that CEL cannot write",
      { variables: [{ name: "a-b", expression: "1" }] },
      "spec.variables[0].name",
      /must be a valid CEL identifier/,
    ],
    [
      "a reason that is none",
      { validations: [{ expression: "true", reason: "Because" }] },
      "spec.validations[0].reason",
      /supported values: "Forbidden", "Invalid", "RequestEntityTooLarge"/,
    ],
    [
      "a failure policy that is none",
      { failurePolicy: "Shrug" },
      "spec.failurePolicy",
      /supported values: "Fail", "Ignore"/,
    ],
    [
      "two match conditions of one name",
      {
        matchConditions: [
          { name: "a", expression: "true" },
          { name: "a", expression: "true" },
        ],
      },
      "spec.matchConditions[1].name",
      /Duplicate value/,
    ],
  ];
  for (const [title, spec, field, message] of wrong) {
    conformance(`${title} is refused`, async (tools) => {
      const base = { matchConstraints: { resourceRules: configMapRules() }, validations: [{ expression: "true" }] };
      const status = await tools.api
        .post(policies, aPolicy(tools.unique("policy"), { ...base, ...spec }))
        .refuse(422, "Invalid");
      const found = status.details.causes.find((cause: { field: string }) => cause.field === field);
      expect(found?.message, JSON.stringify(status.details.causes)).toMatch(message);
    });
  }

  const wrongBindings: ReadonlyArray<readonly [title: string, spec: object, field: string]> = [
    ["without actions", { validationActions: [] }, "spec.validationActions"],
    ["that denies and warns", { validationActions: ["Deny", "Warn"] }, "spec.validationActions"],
    ["without a policy", { policyName: "" }, "spec.policyName"],
    [
      "with params by name and by selector",
      { paramRef: { name: "a", selector: {}, parameterNotFoundAction: "Deny" } },
      "spec.paramRef.name",
    ],
  ];
  for (const [title, spec, field] of wrongBindings) {
    conformance(`a binding ${title} is refused`, async (tools) => {
      const status = await tools.api.post(bindings, aBinding(tools.unique("b"), spec)).refuse(422, "Invalid");
      expect(status.details.causes.map((cause: { field: string }) => cause.field)).toContain(field);
    });
  }

  conformance("a denied request is a 422 that names policy, binding and expression", async (tools) => {
    const { name, maps } = await install(tools, { validations: [{ expression: "has(object.data.a)" }] });
    const status = await tools.api.post(maps, aMap("one")).refuse(422, "Invalid");
    const told = `ValidatingAdmissionPolicy '${name}' with binding '${name}' denied request: `;
    // An absent map fails the expression; one without the key would make it false.
    expect(status.message).toContain(`configmaps "one" is forbidden: ${told}`);
    expect(status.details).toMatchObject({
      name: "one",
      kind: "configmaps",
      causes: [{ message: expect.stringContaining(told) }],
    });
    await tools.api.post(maps, aMap("two", { a: "1" })).expect(201);
  });

  conformance("message, messageExpression and reason", async (tools) => {
    const { maps } = await install(tools, {
      validations: [
        { expression: "object.metadata.name != 'one'", message: "not one", reason: "Forbidden" },
        {
          expression: "object.metadata.name != 'two'",
          messageExpression: "'not ' + object.metadata.name",
          message: "x",
        },
      ],
    });
    const one = await tools.api.post(maps, aMap("one")).refuse(403, "Forbidden");
    expect(one.message).toMatch(/denied request: not one$/);
    const two = await tools.api.post(maps, aMap("two")).refuse(422, "Invalid");
    expect(two.message).toMatch(/denied request: not two$/);
  });

  conformance("updates, patches, apply and dry runs are judged, with the old object", async (tools) => {
    const { maps } = await install(tools, {
      validations: [{ expression: "oldObject == null || object.data.a == oldObject.data.a", message: "a stays" }],
      matchConstraints: { resourceRules: configMapRules(["CREATE", "UPDATE"]) },
    });
    const made = await tools.api.post(maps, aMap("one", { a: "1" })).expect(201);
    const path = `${maps}/one`;
    await tools.api.put(path, { ...made, data: { a: "2" } }).refuse(422, "Invalid");
    await tools.api.patch(path, "merge", { data: { a: "2" } }).refuse(422, "Invalid");
    await tools.api.patch(path, "json", [{ op: "replace", path: "/data/a", value: "2" }]).refuse(422, "Invalid");
    await tools.api
      .patch(`${path}?fieldManager=m&force=true`, "apply", JSON.stringify(aMap("one", { a: "2" })))
      .refuse(422, "Invalid");
    await tools.api.patch(`${path}?dryRun=All`, "merge", { data: { a: "2" } }).refuse(422, "Invalid");
    await tools.api.patch(path, "merge", { data: { b: "2" } }).expect(200);
  });

  conformance("deletions are judged by the old object; the new one is null", async (tools) => {
    const { maps } = await install(tools, {
      validations: [
        {
          expression: "request.operation != 'DELETE' || (object == null && oldObject.data.keep != 'yes')",
          message: "it is kept",
        },
      ],
    });
    await tools.api.post(maps, aMap("one", { keep: "yes" })).expect(201);
    await tools.api.post(maps, aMap("two", { keep: "no" })).expect(201);
    await tools.api.delete(`${maps}/one`).refuse(422, "Invalid");
    await tools.api.delete(`${maps}/two`).expect(200);
    await tools.api.patch(`${maps}/one`, "merge", { data: { keep: "no" } }).expect(200);
  });

  conformance("Warn lets the request pass with a warning", async (tools) => {
    const { name, maps } = await install(
      tools,
      { validations: [{ expression: "object.metadata.name != 'one'", message: "not one" }] },
      { validationActions: ["Warn"] },
    );
    const reply = await tools.api.post(maps, aMap("one"));
    expect(reply.status).toBe(201);
    expect(reply.headers.warning).toBe(
      `299 - "Validation failed for ValidatingAdmissionPolicy '${name}' with binding '${name}': not one"`,
    );
  });

  conformance("an expression that fails denies by failurePolicy Fail", async (tools) => {
    const { maps } = await install(tools, { validations: [{ expression: "object.data.nope == 'x'" }] });
    const status = await tools.api.post(maps, aMap("one", { a: "1" })).refuse(422, "Invalid");
    expect(status.message).toContain("expression 'object.data.nope == 'x'' resulted in error: no such key: nope");
  });

  conformance("and admits by failurePolicy Ignore, where what is false still denies", async (tools) => {
    const { maps } = await install(tools, {
      failurePolicy: "Ignore",
      validations: [
        { expression: "object.data.nope == 'x'" },
        { expression: "object.metadata.name != 'two'", message: "not two" },
      ],
    });
    await tools.api.post(maps, aMap("one", { a: "1" })).expect(201);
    await tools.api.post(maps, aMap("two", { a: "1" })).refuse(422, "Invalid");
  });

  conformance("match conditions choose the requests", async (tools) => {
    const { maps } = await install(tools, {
      matchConditions: [{ name: "named", expression: `request.name in ['one', '${probe}']` }],
      validations: [{ expression: "false", message: "never" }],
    });
    await tools.api.post(maps, aMap("one")).refuse(422, "Invalid");
    await tools.api.post(maps, aMap("two")).expect(201);
  });

  conformance("an object selector chooses the objects, before or after the change", async (tools) => {
    const { maps } = await install(tools, {
      matchConstraints: { objectSelector: { matchLabels: { watched: "yes" } } },
      validations: [{ expression: "object.metadata.name != 'one'" }],
    });
    await tools.api.post(maps, aMap("one")).expect(201);
    await tools.api.patch(`${maps}/one`, "merge", { metadata: { labels: { watched: "yes" } } }).refuse(422, "Invalid");
  });

  conformance("a namespace selector leaves other namespaces alone", async (tools) => {
    const { maps } = await install(tools, { validations: [{ expression: "false" }] });
    await tools.api.post(maps, aMap("one")).refuse(422, "Invalid");
    const elsewhere = tools.unique("map");
    await tools.api.post("/api/v1/namespaces/default/configmaps", aMap(elsewhere)).expect(201);
    await tools.api.delete(`/api/v1/namespaces/default/configmaps/${elsewhere}`).expect(200);
  });

  conformance("excluded resources are left alone", async (tools) => {
    const exclude = [{ ...configMapRules(["*"])[0], resourceNames: ["free"] }];
    const { maps } = await install(tools, {
      matchConstraints: { excludeResourceRules: exclude },
      validations: [{ expression: "false" }],
    });
    await tools.api.post(maps, aMap("free")).expect(201);
    await tools.api.post(maps, aMap("other")).refuse(422, "Invalid");
  });

  conformance("the resources of a binding narrow those of its policy", async (tools) => {
    const { maps } = await install(
      tools,
      { validations: [{ expression: "false" }] },
      { matchResources: { resourceRules: [{ ...configMapRules(["CREATE"])[0], resourceNames: ["one", probe] }] } },
    );
    await tools.api.post(maps, aMap("one")).refuse(422, "Invalid");
    await tools.api.post(maps, aMap("two")).expect(201);
  });

  conformance("variables build on each other, and are read where they are needed", async (tools) => {
    const { maps } = await install(tools, {
      variables: [
        { name: "size", expression: "has(object.data) ? size(object.data) : 0" },
        { name: "double", expression: "variables.size * 2" },
        { name: "broken", expression: "object.data.nope" },
      ],
      validations: [
        {
          expression: "variables.double <= 2 || variables.broken == ''",
          messageExpression: "'has ' + string(variables.size)",
        },
        { expression: "variables.double < 8", messageExpression: "'has ' + string(variables.size)" },
      ],
    });
    await tools.api.post(maps, aMap("one", { a: "1" })).expect(201);
    const broken = await tools.api.post(maps, aMap("two", { a: "1", b: "2" })).refuse(422, "Invalid");
    expect(broken.message).toMatch(/no such key: nope/);
  });

  conformance("request, namespaceObject and the user are known", async (tools) => {
    const namespace = await tools.namespace();
    const { maps } = await install(tools, {
      validations: [
        {
          expression: `request.namespace == '${namespace}' && namespaceObject.metadata.name == '${namespace}'`,
          message: "namespace",
        },
        {
          expression: "request.kind.kind == 'ConfigMap' && request.resource.resource == 'configmaps'",
          message: "kind",
        },
        { expression: "request.userInfo.username != 'mallory'", message: "not mallory" },
        { expression: "request.dryRun || request.operation == 'CREATE'", message: "operation" },
      ],
    });
    await tools.api.post(maps, aMap("one")).expect(201);
    const mallory = tools.api.as({ user: "mallory", groups: ["system:masters"] });
    const status = await mallory.post(maps, aMap("two")).refuse(422, "Invalid");
    expect(status.message).toMatch(/not mallory$/);
  });

  conformance("the authorizer answers for the user of the request", async (tools) => {
    const { maps } = await install(tools, {
      validations: [
        {
          expression: "authorizer.group('').resource('secrets').namespace(request.namespace).check('delete').allowed()",
          message: "secrets are not yours",
        },
        {
          expression: "!authorizer.serviceAccount('default', 'nobody').path('/metrics').check('get').allowed()",
          message: "the account may too much",
        },
        { expression: "authorizer.requestResource.check('create').allowed()", message: "how did you get here" },
      ],
    });
    await tools.api.post(maps, aMap("one")).expect(201);
  });

  const paramKind = { apiVersion: "v1", kind: "ConfigMap" };
  conformance("params by name are what the expressions see", async (tools) => {
    const all = await tools.path("configmaps");
    await tools.api.post(all, aMap("limits", { most: "1" })).expect(201);
    const { maps } = await install(
      tools,
      {
        paramKind,
        validations: [
          { expression: "!has(object.data) || size(object.data) <= int(params.data.most)", message: "too many" },
        ],
      },
      { paramRef: { name: "limits", parameterNotFoundAction: "Deny" } },
    );
    await tools.api.post(maps, aMap("one", { a: "1" })).expect(201);
    const status = await tools.api.post(maps, aMap("two", { a: "1", b: "2" })).refuse(422, "Invalid");
    expect(status.message).toMatch(/denied request: too many$/);
  });

  conformance("params that are missing deny or allow, as the binding says", async (tools) => {
    const spec = { paramKind, validations: [{ expression: "false" }] };
    const { maps } = await install(tools, spec, { paramRef: { name: "none", parameterNotFoundAction: "Deny" } });
    const status = await tools.api.post(maps, aMap("one")).refuse(422, "Invalid");
    expect(status.message).toContain("no params found for policy binding with `Deny` parameterNotFoundAction");
  });

  conformance("each of several params is asked", async (tools) => {
    const all = await tools.path("configmaps");
    for (const word of ["x", "y"])
      await tools.api.post(all, aMap(`p-${word}`, { word }, { params: "yes" })).expect(201);
    const { maps } = await install(
      tools,
      { paramKind, validations: [{ expression: "object.metadata.name != params.data.word" }] },
      { paramRef: { selector: { matchLabels: { params: "yes" } }, parameterNotFoundAction: "Deny" } },
    );
    await tools.api.post(maps, aMap("x")).refuse(422, "Invalid");
    await tools.api.post(maps, aMap("y")).refuse(422, "Invalid");
    await tools.api.post(maps, aMap("z")).expect(201);
  });

  conformance("custom resources are judged too, under any of their versions", async (tools) => {
    const schema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
    const versions = ["v1", "v2"].map((name) => ({
      name,
      storage: name === "v1",
      schema: { openAPIV3Schema: schema },
    }));
    const definition = await tools.define({ kind: "Thing", versions });
    const rule = { apiGroups: [definition.group], apiVersions: ["v1"], operations: ["CREATE"], resources: ["things"] };
    const { name } = await install(tools, {
      matchConstraints: { resourceRules: [...configMapRules(), rule] },
      validations: [
        {
          expression: "object.kind != 'Thing' || object.apiVersion.endsWith('/v1') && object.spec.n < 3",
          message: "less",
        },
      ],
    });
    for (const version of ["v1", "v2"]) {
      const object = (n: number) => ({
        apiVersion: definition.apiVersion(version),
        kind: "Thing",
        metadata: { name: `${version}-${n}` },
        spec: { n },
      });
      await tools.api.post(await definition.path(version), object(1)).expect(201);
      const status = await tools.api.post(await definition.path(version), object(3)).refuse(422, "Invalid");
      expect(status.message).toContain(`'${name}' denied request: less`);
    }
  });
});
