// A process that a test started. Whoever starts one ends it, by its id; everything it printed is kept.
import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';

const ENDS_WITHIN = 10_000;
const READY_WITHIN = 20_000;

export class Program {
  /** Everything that it has printed to standard output and standard error. */
  output = '';
  readonly #child: ChildProcess;
  readonly #printed = new EventEmitter();
  readonly #name: string;
  #gone: string | undefined;

  private constructor(name: string, child: ChildProcess) {
    this.#name = name;
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8');
      stream?.on('data', (text: string) => {
        this.output += text;
        this.#printed.emit('more');
      });
    }
    child.on('error', (error) => this.#left(error.message));
    child.on('close', (code, signal) => this.#left(`ended with ${signal ?? code}`));
  }

  /** Starts `path` with exactly this environment, besides what any program needs. */
  static start(path: string, settings: Record<string, string>, args: string[] = []): Program {
    const inherited = ['PATH', 'HOME', 'TMPDIR', 'LANG'].flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    });
    const env = { ...Object.fromEntries(inherited), RUST_BACKTRACE: '1', NO_COLOR: '1', ...settings };
    const name = path.split('/').at(-1) ?? path;
    return new Program(name, spawn(path, args, { env, stdio: ['ignore', 'pipe', 'pipe'] }));
  }

  /** Waits until something was printed that fits. */
  async says(pattern: RegExp): Promise<RegExpMatchArray> {
    const late = AbortSignal.timeout(READY_WITHIN);
    for (;;) {
      const match = this.output.match(pattern);
      if (match) return match;
      if (this.#gone) throw new Error(`${this.#name} ${this.#gone} before it said ${pattern}:\n${this.output}`);
      try {
        await once(this.#printed, 'more', { signal: late });
      } catch {
        throw new Error(`${this.#name} did not say ${pattern} within ${READY_WITHIN} ms:\n${this.output}`);
      }
    }
  }

  /** Waits until it has ended by itself. */
  async over(): Promise<void> {
    if (!this.#gone) await once(this.#printed, 'gone', { signal: AbortSignal.timeout(ENDS_WITHIN) });
  }

  /** Asks it to end, and waits until it has. */
  async end(): Promise<void> {
    await this.#signal('SIGTERM');
  }

  /** Ends it as a crash would: no farewell to anybody. */
  async kill(): Promise<void> {
    await this.#signal('SIGKILL');
  }

  /** Whether it still runs. */
  get runs(): boolean {
    return this.#gone === undefined;
  }

  async #signal(signal: NodeJS.Signals): Promise<void> {
    if (this.#gone) return;
    const closed = once(this.#printed, 'gone', { signal: AbortSignal.timeout(ENDS_WITHIN) });
    this.#child.kill(signal);
    try {
      await closed;
    } catch {
      this.#child.kill('SIGKILL');
      throw new Error(`${this.#name} did not end within ${ENDS_WITHIN} ms of ${signal}:\n${this.output}`);
    }
  }

  #left(how: string): void {
    this.#gone ??= how;
    this.#printed.emit('more');
    this.#printed.emit('gone');
  }
}
