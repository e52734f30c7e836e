/** A value that fits a JSON Schema of the pool API (`src/pool/request-schemas.ts`), by chance. */
import type { SeededRandom } from "../chaos/random.ts";
import type { Json } from "./mutate-json.ts";

interface Schema {
  readonly type?: string;
  readonly const?: Json;
  readonly enum?: readonly Json[];
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
  readonly minItems?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
}

export function sampleSchema(schema: Schema, random: SeededRandom): Json {
  const choices = schema.oneOf ?? schema.anyOf ?? [];
  const [first, ...others] = choices;
  if (first !== undefined) return sampleSchema(random.pick([first, ...others]), random);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[random.between(0, schema.enum.length - 1)] ?? null;
  if (schema.type === "object") return sampleObject(schema, random);
  if (schema.type === "array") {
    const most = Math.min(schema.maxItems ?? 3, 3);
    const length = random.between(Math.min(schema.minItems ?? 0, most), most);
    return Array.from({ length }, () => sampleSchema(schema.items ?? {}, random));
  }
  if (schema.type === "integer" || schema.type === "number")
    return random.between(0, Math.min(schema.maximum ?? 1_000, 2 ** 31));
  if (schema.type === "boolean") return random.next() < 0.5;
  return sampleText(schema.pattern, random);
}

function sampleObject({ properties = {}, required = [], additionalProperties }: Schema, random: SeededRandom): Json {
  const entries = Object.entries(properties)
    .filter(([name]) => required.includes(name) || random.next() < 0.5)
    .map(([name, schema]) => [name, sampleSchema(schema, random)] as const);
  const more =
    typeof additionalProperties === "object" ? [["x", sampleSchema(additionalProperties, random)] as const] : [];
  return Object.fromEntries([...entries, ...more]);
}

function sampleText(pattern: string | undefined, random: SeededRandom): string {
  const hex = (count: number) => Array.from({ length: count }, () => random.between(0, 15).toString(16)).join("");
  const bytes =
    /\^?(0x|sha256:)\[0-9a-fA?-?F?\]\{(\d+)/.exec(pattern ?? "") ?? /(0x)\(?\[0-9a-f\]\{(\d+)/.exec(pattern ?? "");
  if (bytes !== null) return `${bytes[1]}${hex(Number(bytes[2]))}`;
  if (pattern?.startsWith("^(0|[1-9]")) return String(random.between(0, 1_000));
  if (pattern?.startsWith("^[A-Z]")) return "Reason";
  return `name-${random.between(0, 99)}`;
}
