/** docs/api.md out of a definition's schema: one table for each object in it, in the order of the schema. Pure. */

export interface FieldSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  readonly items?: FieldSchema;
  readonly additionalProperties?: FieldSchema | boolean;
  readonly "x-kubernetes-validations"?: readonly { readonly rule: string; readonly message?: string }[];
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
}

export interface Definition {
  readonly spec: {
    readonly group: string;
    readonly scope: string;
    readonly names: { readonly kind: string; readonly plural: string; readonly shortNames?: readonly string[] };
    readonly versions: readonly {
      readonly name: string;
      readonly schema: { readonly openAPIV3Schema: FieldSchema };
      readonly selectableFields?: readonly { readonly jsonPath: string }[];
    }[];
  };
}

export function describeDefinition({ spec }: Definition): string {
  const [version] = spec.versions;
  const schema = version?.schema.openAPIV3Schema ?? {};
  const { kind, plural, shortNames = [] } = spec.names;
  const selectable = (version?.selectableFields ?? []).map(({ jsonPath }) => code(jsonPath.replace(/^\./, "")));
  const parts = Object.entries(schema.properties ?? {}).filter(([name]) => name === "spec" || name === "status");
  return [
    `## ${kind}`,
    "",
    `${oneLine(schema.description)}`,
    "",
    `\`${spec.group}/${version?.name}\`, ${spec.scope === "Cluster" ? "cluster-scoped" : "namespaced"}; \`kubectl get ${[plural, ...shortNames].join("|")}\`${selectable.length > 0 ? `; field selectors: ${selectable.join(", ")}` : ""}.`,
    "",
    ...parts.flatMap(([name, field]) => describeObject(`${kind}.${name}`, field)),
  ].join("\n");
}

/** The object's own table, then those of the objects in it. */
function describeObject(path: string, schema: FieldSchema): string[] {
  const fields = Object.entries(schema.properties ?? {});
  const rules = schema["x-kubernetes-validations"] ?? [];
  const rows = fields.map(([name, field]) => {
    const required = schema.required?.includes(name) ? ", required" : "";
    return `| ${code(name)} | ${typeOf(field)}${required} | ${cell(field)} |`;
  });
  const inner = fields.flatMap(([name, field]) => {
    const found = innerObject(field);
    return found === undefined ? [] : describeObject(`${path}.${name}${found.suffix}`, found.schema);
  });
  return [
    `### ${path}`,
    "",
    ...(schema.description ? [oneLine(schema.description), ""] : []),
    ...(rows.length > 0 ? ["| Field | Type | Meaning |", "|---|---|---|", ...rows, ""] : []),
    ...(rules.length > 0 ? ["Rules:", "", ...rules.map(({ rule, message }) => `- ${message ?? code(rule)}`), ""] : []),
    ...inner,
  ];
}

function innerObject(field: FieldSchema): { readonly suffix: string; readonly schema: FieldSchema } | undefined {
  if (field.properties) return { suffix: "", schema: field };
  if (field.items) {
    const found = innerObject(field.items);
    return found && { suffix: `[]${found.suffix}`, schema: found.schema };
  }
  if (typeof field.additionalProperties === "object") {
    const found = innerObject(field.additionalProperties);
    return found && { suffix: `{}${found.suffix}`, schema: found.schema };
  }
  return undefined;
}

function typeOf(field: FieldSchema): string {
  if (field.type === "array") return `list of ${typeOf(field.items ?? {})}`;
  if (typeof field.additionalProperties === "object") return `map of ${typeOf(field.additionalProperties)}`;
  return field.type ?? "any";
}

/** What it means, what it may be, and what it is where it is left out. */
function cell(field: FieldSchema): string {
  const bounds = boundsOf(field);
  const rules = innerObject(field) ? [] : (field["x-kubernetes-validations"] ?? []).map(({ message }) => message ?? "");
  const parts = [
    oneLine(field.description),
    field.enum ? `One of ${field.enum.map((one) => code(String(one))).join(", ")}.` : "",
    bounds ? `${bounds}.` : "",
    ...rules.map((rule) => `Rule: ${rule}.`),
    field.default === undefined ? "" : `Default: ${code(JSON.stringify(field.default))}.`,
  ];
  return parts
    .filter((part) => part !== "")
    .join(" ")
    .replaceAll("|", "\\|");
}

function boundsOf(field: FieldSchema): string {
  const between = (low: number | undefined, high: number | undefined, what: string) => {
    if (low === undefined && high === undefined) return "";
    if (low === undefined) return `At most ${high}${what}`;
    return high === undefined ? `At least ${low}${what}` : `${low} to ${high}${what}`;
  };
  const parts = [
    between(field.minimum, field.maximum, ""),
    field.pattern ? `Matches ${code(field.pattern)}` : between(field.minLength, field.maxLength, " characters"),
    between(field.minItems, field.maxItems, " items"),
  ];
  return parts.filter((part) => part !== "").join("; ");
}

function code(text: string): string {
  return `\`${text}\``;
}

function oneLine(text = ""): string {
  return text.replaceAll(/\s+/g, " ").trim();
}
