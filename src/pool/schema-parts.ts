/** The pieces of which the schemas of the pool API's requests are made. Pure. */

export const hex = (bytes: number) => ({ type: "string", pattern: `^0x[0-9a-f]{${bytes * 2}}$` });
export const whole = (maximum: number = Number.MAX_SAFE_INTEGER) => ({ type: "integer", minimum: 0, maximum });
export const list = (items: object, maxItems: number) => ({ type: "array", items, maxItems });
/** Every property is required but for the optional ones, and no other is taken. */
export const object = (properties: Record<string, object>, optional: readonly string[] = []) => ({
  type: "object",
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  additionalProperties: false,
});
export const digest = { type: "string", pattern: "^sha256:[0-9a-f]{64}$" };
