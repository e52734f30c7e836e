/**
 * Derives src/api/v1alpha1/generated/*.ts and docs/api.md from crds/*.yaml, the source of the API. `--check` writes nothing and
 * exits 1 where a file differs. Run by `npm run generate` and `npm run verify`.
 */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { compile, type JSONSchema } from "json-schema-to-typescript";
import { parse } from "yaml";
import { type Definition, describeDefinition } from "./api-reference.ts";

interface CrdFile {
  readonly spec: {
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: JSONSchema } }[];
  };
}

const here = new URL("./", import.meta.url);
const root = new URL("../", import.meta.url).pathname;
const target = new URL("../src/api/v1alpha1/generated/", import.meta.url);

async function generateTypes(file: string): Promise<{ name: string; text: string }> {
  const crd: CrdFile = parse(await readFile(new URL(file, here), "utf8"));
  const { kind } = crd.spec.names;
  const schema = crd.spec.versions[0]?.schema.openAPIV3Schema;
  const properties = schema?.properties;
  if (!properties?.spec || !properties.status)
    throw new Error(`${file}: no spec or status in the first version's schema`);
  const types = await Promise.all(
    (["spec", "status"] as const).map((part) =>
      compile(tidy(properties[part] as JSONSchema), `${kind}${part === "spec" ? "Spec" : "Status"}`, {
        additionalProperties: false,
        bannerComment: "",
        format: false,
      }),
    ),
  );
  const banner = `// Generated from crds/${file} by \`npm run generate\`. Do not edit.\n\n`;
  return { name: file.replace(".yaml", ".ts"), text: banner + types.join("\n") };
}

/**
 * Drops what the compiler would turn into noise (bounds become tuple unions), and marks fields with a default as present:
 * whoever reads an object from the API finds them.
 */
function tidy(schema: JSONSchema): JSONSchema {
  return JSON.parse(JSON.stringify(schema), (key, value) => {
    if (["minItems", "maxItems"].includes(key) || key.startsWith("x-kubernetes-")) return undefined;
    return isObjectSchema(value) ? requireDefaults(value) : value;
  });
}

interface ObjectSchema {
  readonly properties: Readonly<Record<string, { default?: unknown }>>;
  readonly required?: readonly string[];
}

function isObjectSchema(value: unknown): value is ObjectSchema {
  return (
    typeof value === "object" && value !== null && "type" in value && value.type === "object" && "properties" in value
  );
}

function requireDefaults(schema: ObjectSchema): ObjectSchema {
  const defaulted = Object.entries(schema.properties).flatMap(([name, field]) =>
    field.default === undefined ? [] : [name],
  );
  return { ...schema, required: [...new Set([...(schema.required ?? []), ...defaulted])] };
}

async function generateReference(names: readonly string[]): Promise<{ name: string; text: string }> {
  const texts = await Promise.all(names.map((file) => readFile(new URL(file, here), "utf8")));
  const head = [
    "<!-- Generated from crds/ by `npm run generate`. Do not edit. -->",
    "# API reference",
    "",
    "Every field of the custom resources, as `kubectl explain` has them. What a reason of a condition means: [troubleshooting.md](troubleshooting.md).",
  ];
  const parts = texts.map((text) => describeDefinition(parse(text) as Definition).trimEnd());
  return { name: "../../../../docs/api.md", text: `${[head.join("\n"), ...parts].join("\n\n")}\n` };
}

const check = process.argv.includes("--check");
const files = (await readdir(here)).filter((name) => name.endsWith(".yaml")).sort();
const stale: string[] = [];
await mkdir(target, { recursive: true });
for (const { name, text } of [...(await Promise.all(files.map(generateTypes))), await generateReference(files)]) {
  const path = new URL(name, target);
  const old = await readFile(path, "utf8").catch(() => "");
  if (old === text) continue;
  stale.push(path.pathname.slice(root.length));
  if (!check) await writeFile(path, text);
}
if (check && stale.length > 0) {
  console.error(`${stale.join(", ")} differ from what crds/ gives. Run: npm run generate`);
  process.exit(1);
}
