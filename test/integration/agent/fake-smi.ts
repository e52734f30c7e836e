/** Fake `nvidia-smi` executables for tests, each in a folder of its own for the front of PATH. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export class FakeSmi {
  readonly folder = mkdtempSync(join(tmpdir(), "fake-nvidia-smi-"));

  /** @param script what it does when run, in POSIX shell; `$here` is its folder */
  write(script: string): this {
    // Replaced at one stroke: a running agent may start it at any moment.
    const path = join(this.folder, "nvidia-smi.part");
    writeFileSync(path, `#!/bin/sh\nhere='${this.folder}'\n${script}\n`);
    chmodSync(path, 0o755);
    renameSync(path, join(this.folder, "nvidia-smi"));
    return this;
  }

  /** Makes it print this document, after what `before` does. */
  print(document: string, before = ""): this {
    writeFileSync(join(this.folder, "document.xml"), document);
    return this.write(`${before}\ncat "$here/document.xml"`);
  }

  /** How often it was run, where its script does `echo x >> "$here/runs"`. */
  countRuns(): number {
    const path = join(this.folder, "runs");
    return existsSync(path) ? readFileSync(path, "utf8").trim().split("\n").length : 0;
  }

  get path(): string {
    return `${this.folder}:/usr/bin:/bin`;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
