// Everything that a story plays in: the server under test, the voice cloud and, in the production-like form, what stands around
// them. A house is built for one story and pulled down by it.
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { Cloud } from './cloud.ts';
import { Company, Door, passOnTo } from './company.ts';
import { COMPANY } from './people.ts';
import { Program } from './program.ts';

/**
 * How the server is run. `rehearsal`: without Twilio's settings, as a newcomer meets it. `production`: with them, behind a
 * front door, asking the company's API, and with a cloud that it cannot tell from Twilio's.
 */
export type Form = 'rehearsal' | 'production';

/** The account of the production-like form. */
export interface Account {
  accountSid: string;
  authToken: string;
  apiKeySid: string;
  apiKeySecret: string;
}

export interface Plan {
  form: Form;
  /** Settings of the server, besides those of the form. */
  settings: Record<string, string>;
  /** TwiML that a webhook of the test answers, in place of our server's. Production form only. */
  twiml?: string | undefined;
  /** Is given everything that was printed and written, while the server runs and once it has ended. */
  search: (place: "server's log" | "server's file", what: string, data: Buffer | string) => void;
}

/** A webhook as the cloud posted it. */
export interface Webhook {
  url: string;
  headers: IncomingHttpHeaders;
  form: Record<string, string>;
}

const HITOKU = program('HITOKU_BIN', 'hitoku');
const REHEARSAL = program('REHEARSAL_BIN', 'rehearsal');
const ANY_PORT = '127.0.0.1:0';

export class House {
  readonly form: Form;
  /** Everything that the story started, in order, for its log. */
  readonly programs: [name: string, program: Program][] = [];
  account: Account | undefined;
  company: Company | undefined;
  /** What the test's own webhook was asked. */
  readonly webhooks: Webhook[] = [];
  /** What came to the front door, and when, in milliseconds since 1970. */
  readonly arrivals: { path: string; at: number }[] = [];
  /** Where signalling is reached over TLS. */
  tlsPort: number | undefined;
  /** Where the customer's phone is: no console's browser goes there. */
  phoneOrigin = '';
  /** Where the server keeps things, from one start to the next. */
  readonly data: string;
  #consoleOrigin = '';
  #server: Program | undefined;
  #frontDoor: Door | undefined;
  #webhook: Door | undefined;
  #cloud: Cloud | undefined;
  readonly #plan: Plan;

  private constructor(plan: Plan, data: string) {
    this.#plan = plan;
    this.data = data;
    this.form = plan.form;
  }

  static async build(plan: Plan): Promise<House> {
    const house = new House(plan, await mkdtemp(join(tmpdir(), 'hitoku-story-')));
    try {
      if (plan.form === 'production') await house.#surround();
      await house.startServer();
    } catch (error) {
      await house.pullDown();
      throw error;
    }
    return house;
  }

  /** Where the operator's browser finds the console: in production the front door. */
  get origin(): string {
    return this.#frontDoor?.origin ?? this.#consoleOrigin;
  }

  /** Where the server itself listens, behind the front door. */
  get serverOrigin(): string {
    return this.#consoleOrigin;
  }

  get cloud(): Cloud {
    if (!this.#cloud) throw new Error('The cloud has not started');
    return this.#cloud;
  }

  get server(): Program {
    if (!this.#server) throw new Error('The server has not started');
    return this.#server;
  }

  /** Everything that our programs printed. */
  get log(): string {
    return this.programs.map(([name, { output }]) => `--- ${name}\n${output}`).join('\n');
  }

  /** What a command of the same program prints, beside the server that runs. */
  async command(...args: string[]): Promise<string> {
    const command = Program.start(HITOKU, this.#settings(), args);
    this.programs.push([`hitoku ${args.join(' ')}`, command]);
    await command.over();
    return command.output;
  }

  /** Starts the server; a second time, where it was before. */
  async startServer(): Promise<void> {
    const server = Program.start(HITOKU, this.#settings());
    this.programs.push(['hitoku', server]);
    this.#server = server;
    if (this.form === 'rehearsal') {
      this.#consoleOrigin = (await server.says(/^ *console +(http:\S+)/m))[1] ?? '';
      this.#meetCloud((await server.says(/^ *customer's phone +(http:\S+)/m))[1] ?? '');
    } else {
      this.#consoleOrigin = (await server.says(/^ *listening on +(http:\S+)/m))[1] ?? '';
    }
  }

  /** Ends everything. Nothing that was written goes away before it was searched. */
  async pullDown(): Promise<void> {
    try {
      // What is cleared away at the end was on the disk all the same.
      await this.#searchFiles();
      const ended = await Promise.allSettled(this.programs.map(([, program]) => program.end()));
      this.#plan.search("server's log", 'everything that was printed', this.log);
      await this.#searchFiles();
      const failed = ended.find((result) => result.status === 'rejected');
      if (failed) throw failed.reason;
    } finally {
      await this.#frontDoor?.close();
      await this.#webhook?.close();
      await this.company?.close();
      await rm(this.data, { recursive: true, force: true });
    }
  }

  /** Of the server, where it was before if it was, and of its commands. */
  #settings(): Record<string, string> {
    return {
      HITOKU_DATA: this.data,
      HITOKU_ADDR: this.#consoleOrigin ? address(this.#consoleOrigin) : ANY_PORT,
      ...(this.form === 'rehearsal'
        ? { REHEARSAL_ADDR: this.phoneOrigin ? address(this.phoneOrigin) : ANY_PORT }
        : this.#productionSettings()),
      ...this.#plan.settings,
    };
  }

  async #searchFiles(): Promise<void> {
    for (const entry of await readdir(this.data, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      this.#plan.search("server's file", entry.name, trimmed(await readFile(join(entry.parentPath, entry.name))));
    }
  }

  async #surround(): Promise<void> {
    this.account = {
      accountSid: `AC${randomBytes(16).toString('hex')}`,
      authToken: randomBytes(16).toString('hex'),
      apiKeySid: `SK${randomBytes(16).toString('hex')}`,
      apiKeySecret: randomBytes(16).toString('base64url'),
    };
    this.company = await Company.open();
    const passOn = passOnTo(() => this.#consoleOrigin || undefined);
    this.#frontDoor = await Door.open((request, response) => {
      this.arrivals.push({ path: request.url ?? '', at: performance.timeOrigin + performance.now() });
      passOn(request, response);
    });
    const { twiml } = this.#plan;
    if (twiml !== undefined) this.#webhook = await Door.open((request, response) => void this.#answer(request, response, twiml));
    const cloud = Program.start(REHEARSAL, {
      ...this.#accountSettings(),
      AUTH_TOKEN: this.account.authToken,
      REHEARSAL_ADDR: ANY_PORT,
      REHEARSAL_TLS_ADDR: ANY_PORT,
      REHEARSAL_NUMBER: COMPANY,
      STATUS_CALLBACK_URL: `${this.#frontDoor.origin}/status`,
      VOICE_URL: this.#webhook ? `${this.#webhook.origin}/voice?line=1&name=%E8%B6%8A%E4%BA%95` : `${this.#frontDoor.origin}/incoming`,
    });
    this.programs.push(['rehearsal', cloud]);
    this.#meetCloud((await cloud.says(/^ *customer's phone +(http:\S+)/m))[1] ?? '');
    this.tlsPort = Number((await cloud.says(/^ *signalling \(TLS\) +\S+:(\d+)/m))[1]);
  }

  async #answer(request: IncomingMessage, response: ServerResponse, twiml: string): Promise<void> {
    const form = Object.fromEntries(new URLSearchParams(await text(request)));
    this.webhooks.push({ url: `${this.#webhook?.origin}${request.url}`, headers: request.headers, form });
    response.writeHead(200, { 'content-type': 'text/xml' }).end(twiml);
  }

  #productionSettings(): Record<string, string> {
    return {
      ...this.#accountSettings(),
      AUTH_TOKEN: this.account?.authToken ?? '',
      PUBLIC_BASE_URL: this.#frontDoor?.origin ?? '',
      INTERNAL_API_BASE: this.company?.origin ?? '',
    };
  }

  #accountSettings(): Record<string, string> {
    if (!this.account) return {};
    const { accountSid, apiKeySid, apiKeySecret } = this.account;
    return { ACCOUNT_SID: accountSid, API_KEY_SID: apiKeySid, API_KEY_SECRET: apiKeySecret };
  }

  #meetCloud(origin: string): void {
    this.phoneOrigin = origin;
    this.#cloud = new Cloud(origin);
  }
}

/** A file takes its room on the disk at once: what is not written yet is zeros. */
function trimmed(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  return bytes.subarray(0, end);
}

function address(origin: string): string {
  return `127.0.0.1:${new URL(origin).port}`;
}

function program(variable: string, name: string): string {
  return process.env[variable] ?? resolve(import.meta.dirname, '../../target/release', name);
}
