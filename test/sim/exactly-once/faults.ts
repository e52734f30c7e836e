/** Between every two steps of the settle stage and of its outbox: the process is killed at each of them. */
export const killSteps = [
  "gathered",
  "proposed",
  "signed-by-validators",
  "certified",
  "settled",
  "written",
  "applied",
  "outbox-looked",
  "outbox-signed",
  "outbox-persisted",
  "outbox-broadcast",
  "outbox-mined",
  "outbox-raised",
  "outbox-raise-persisted",
  "outbox-confirmed",
] as const;
