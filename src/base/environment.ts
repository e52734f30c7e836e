/**
 * Reads a role's settings from environment variables, with errors that name the variable, what it holds and what was
 * expected. The roles' config.ts pass the environment in; nothing here reads it.
 */
import { InferiumError } from "./errors.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface EnvironmentReader {
  text(name: string): string | undefined;
  /** @throws InferiumError InvalidConfiguration */
  required(name: string): string;
  whole(name: string, fallback: number, bounds: { readonly min: number; readonly max: number }): number;
  list(name: string): readonly string[] | undefined;
  flag(name: string, fallback: boolean): boolean;
  matching(name: string, pattern: RegExp, expected: string): string | undefined;
}

export function createEnvironmentReader(env: Environment): EnvironmentReader {
  const text = (name: string) => (env[name] === undefined || env[name] === "" ? undefined : env[name]);
  const matching = (name: string, pattern: RegExp, expected: string) => {
    const value = text(name);
    if (value === undefined || pattern.test(value)) return value;
    throw invalidVariable(name, value, expected);
  };
  return {
    text,
    matching,
    required(name) {
      const value = text(name);
      if (value !== undefined) return value;
      throw new InferiumError("InvalidConfiguration", `${name} is not set, and is needed.`, { disposition: "fatal" });
    },
    whole(name, fallback, { min, max }) {
      const value = matching(name, /^[0-9]{1,15}$/, `a whole number from ${min} to ${max}`);
      const number = value === undefined ? fallback : Number(value);
      if (number >= min && number <= max) return number;
      throw invalidVariable(name, String(number), `a whole number from ${min} to ${max}`);
    },
    list: (name) =>
      text(name)
        ?.split(",")
        .map((part) => part.trim())
        .filter((part) => part !== ""),
    flag: (name, fallback) => {
      const value = matching(name, /^(true|false)$/, "true or false");
      return value === undefined ? fallback : value === "true";
    },
  };
}

export function invalidVariable(name: string, got: string, expected: string): InferiumError {
  const message = `${name} is "${got.slice(0, 200)}"; expected ${expected}.`;
  return new InferiumError("InvalidConfiguration", message, { disposition: "fatal" });
}
