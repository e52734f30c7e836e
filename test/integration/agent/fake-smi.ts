/** Fake `nvidia-smi` executables for tests, each in a folder of its own for the front of PATH. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export class FakeSmi {
  readonly folder = mkdtempSync(join(tmpdir(), "fake-nvidia-smi-"));

  /** @param script what it does when run, in POSIX shell; `$here` is its folder */
  write(script: string): this {
    const path = join(this.folder, "nvidia-smi");
    writeFileSync(path, `#!/bin/sh\nhere='${this.folder}'\n${script}\n`);
    chmodSync(path, 0o755);
    return this;
  }

  /** Makes it print this document, after what `before` does. */
  print(document: string, before = ""): this {
    writeFileSync(join(this.folder, "document.xml"), document);
    return this.write(`${before}\ncat "$here/document.xml"`);
  }

  get path(): string {
    return `${this.folder}:/usr/bin:/bin`;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
