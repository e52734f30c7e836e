/** A custom resource definition that uses what the server promises: defaults, pruning, rules, status, scale, columns. */
export const widgetDefinition = (versionChange: object = {}, schemaChange: object = {}) => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "widgets.example.com" },
  spec: {
    group: "example.com",
    scope: "Namespaced",
    names: { plural: "widgets", singular: "widget", kind: "Widget", shortNames: ["wd"], categories: ["all"] },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        subresources: {
          status: {},
          scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" },
        },
        additionalPrinterColumns: [
          { name: "Color", type: "string", jsonPath: ".spec.color" },
          { name: "Ready", type: "string", jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
          { name: "Replicas", type: "integer", jsonPath: ".spec.replicas", priority: 1 },
        ],
        selectableFields: [{ jsonPath: ".spec.color" }],
        schema: { openAPIV3Schema: { ...widgetSchema, ...schemaChange } },
        ...versionChange,
      },
    ],
  },
});

const widgetSchema = {
  type: "object",
  properties: {
    spec: {
      type: "object",
      required: ["color"],
      "x-kubernetes-validations": [
        { rule: "self.min <= self.max", message: "min must not be above max" },
        { rule: "self.color == oldSelf.color", message: "color is immutable" },
      ],
      properties: {
        color: { type: "string", enum: ["red", "green", "blue"] },
        replicas: { type: "integer", minimum: 0, default: 1 },
        min: { type: "integer", minimum: 0, default: 0 },
        max: { type: "integer", default: 10 },
        port: { "x-kubernetes-int-or-string": true },
        free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
        parts: {
          type: "array",
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["name"],
          items: {
            type: "object",
            required: ["name"],
            properties: { name: { type: "string" }, size: { type: "integer", default: 5 } },
          },
        },
        tags: { type: "array", "x-kubernetes-list-type": "set", items: { type: "string" } },
      },
    },
    status: {
      type: "object",
      properties: {
        replicas: { type: "integer" },
        conditions: {
          type: "array",
          items: { type: "object", properties: { type: { type: "string" }, status: { type: "string" } } },
        },
      },
    },
  },
};

export const widgetsPath = "/apis/example.com/v1/namespaces/default/widgets";
export const definitionsPath = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

export const aWidget = (name: string, spec: object = {}, metadata: object = {}) => ({
  apiVersion: "example.com/v1",
  kind: "Widget",
  metadata: { name, ...metadata },
  spec: { color: "red", ...spec },
});
