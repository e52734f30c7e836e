/** Columns that most tables share. Pure. */
import type { Column } from "../registry/kind.ts";
import { formatAge } from "./age.ts";

export const nameColumn: Column = {
  name: "Name",
  type: "string",
  format: "name",
  description: "Name must be unique within a namespace.",
  value: (object) => object.metadata.name,
};

export const ageColumn: Column = {
  name: "Age",
  type: "string",
  description: "Time since the object was created.",
  value: (object, nowMs) => formatAge(object.metadata.creationTimestamp, nowMs),
};
