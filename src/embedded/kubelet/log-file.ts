/**
 * One container run's log on disk. Appends are ordered and bounded: at `maxBytes` the file becomes `FILE.1` and a new one
 * starts, so that a run holds at most twice that. Readers are woken on each append. Effects: files under the pod's dir.
 */
import { EventEmitter } from "node:events";
import { type FileHandle, mkdir, open, rename } from "node:fs/promises";
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { formatLogEntry, formatLogTime, LineSplitter, type LogStream } from "./log-line.ts";

export const defaultMaxLogBytes = 10 * 1024 * 1024;

export interface LogFileOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly maxBytes?: number;
}

export class LogFile {
  readonly path: string;
  /** Emits `change` after each append and when the log ends. */
  readonly changes = new EventEmitter();
  /** Emits `chunk` (stream, bytes) as they come, for `kubectl attach`. */
  readonly chunks = new EventEmitter();
  #options: LogFileOptions;
  /** Undefined once the log has ended. */
  #handle: FileHandle | undefined;
  #size = 0;
  #rotations = 0;
  #version = 0;
  #ended = false;
  #pending: Promise<void> = Promise.resolve();

  private constructor(options: LogFileOptions, handle: FileHandle | undefined) {
    this.path = options.path;
    this.#options = options;
    this.#handle = handle;
    // One listener per follower, whose number the server bounds.
    this.changes.setMaxListeners(0);
    this.chunks.setMaxListeners(0);
  }

  static async create(options: LogFileOptions): Promise<LogFile> {
    await mkdir(dirname(options.path), { recursive: true });
    return new LogFile(options, await open(options.path, "w"));
  }

  /** A log that an earlier kubelet wrote. */
  static openEnded(options: LogFileOptions, wasRotated: boolean): LogFile {
    const log = new LogFile(options, undefined);
    log.#ended = true;
    log.#rotations = wasRotated ? 1 : 0;
    return log;
  }

  /** How often the file has been replaced: a reader at its end looks here whether to open the next. */
  get rotations(): number {
    return this.#rotations;
  }

  /** Grows with each change, so that a reader can tell whether it missed one. */
  get version(): number {
    return this.#version;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Copies a stream until its end. A slow disk slows the process down, not the kubelet's memory up. */
  async copy(source: Readable, stream: LogStream): Promise<void> {
    const splitter = new LineSplitter();
    try {
      for await (const chunk of source) {
        this.chunks.emit("chunk", stream, chunk);
        await this.#append(stream, splitter.push(chunk as Buffer));
      }
    } catch (error) {
      this.#options.logger.debug("container output ended early", { path: this.path, reason: describeError(error) });
    }
    await this.#append(stream, splitter.flush());
  }

  async close(): Promise<void> {
    await this.#pending;
    if (this.#ended) return;
    this.#ended = true;
    this.#announce();
    await this.#handle?.close();
  }

  #append(stream: LogStream, pieces: readonly { text: string; isPartial: boolean }[]): Promise<void> {
    if (pieces.length === 0) return Promise.resolve();
    const time = formatLogTime(this.#options.clock.now());
    const text = pieces.map((piece) => formatLogEntry({ time, stream, ...piece })).join("");
    this.#pending = this.#pending.then(() => this.#write(text));
    return this.#pending;
  }

  async #write(text: string): Promise<void> {
    if (this.#ended) return;
    try {
      await this.#handle?.appendFile(text);
      this.#size += Buffer.byteLength(text);
      if (this.#size >= (this.#options.maxBytes ?? defaultMaxLogBytes)) await this.#rotate();
      this.#announce();
    } catch (error) {
      // A full disk costs log lines, never the container.
      this.#options.logger.warn("container log line lost", { path: this.path, error });
    }
  }

  #announce(): void {
    this.#version += 1;
    this.changes.emit("change");
  }

  async #rotate(): Promise<void> {
    await this.#handle?.close();
    await rename(this.path, `${this.path}.1`);
    this.#handle = await open(this.path, "w");
    this.#size = 0;
    this.#rotations += 1;
  }
}
