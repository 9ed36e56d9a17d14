// The rehearsal's HTTP API: makes calls as customers do, hears what they hear, and makes the cloud fail. It is the tests' own hand,
// never reached by the console's browser.
import { type Person, WITHHELD } from './people.ts';

export interface CallRecord {
  callSid: string;
  status: 'queued' | 'ringing' | 'in-progress' | 'completed' | 'busy' | 'no-answer' | 'failed' | 'canceled';
  heard: { kind: 'say' | 'play' | 'pause' | 'ringback'; text?: string; language?: string }[];
  webhooks: { url: string; status?: number; contentType?: string; body?: string; error?: string }[];
  legs: { callSid: string; identity: string; status: string; codec?: string }[];
  /** What the operator pressed. */
  digits: string;
}

export interface Heard {
  rms: number;
  dominantHz: number;
  packets: number;
}

export interface Faults {
  refuseTokens?: boolean;
  silent?: boolean;
  offline?: boolean;
  reconnectTokens?: boolean;
  tokenTtlCap?: number | null;
}

export interface Frame {
  identity: string;
  direction: 'in' | 'out';
  text: string;
}

/** A customer on the telephone. */
export class Caller {
  readonly callSid: string;
  readonly #cloud: Cloud;

  constructor(cloud: Cloud, callSid: string) {
    this.#cloud = cloud;
    this.callSid = callSid;
  }

  record(): Promise<CallRecord> {
    return this.#cloud.ask('GET', `/api/calls/${this.callSid}`);
  }

  async status(): Promise<CallRecord['status']> {
    return (await this.record()).status;
  }

  /** What the customer heard of the operator in the last second. */
  hears(): Promise<Heard> {
    return this.#cloud.ask('GET', `/api/calls/${this.callSid}/audio`);
  }

  /** The sentences that were read out to the customer. */
  async said(): Promise<string[]> {
    return (await this.record()).heard.filter((item) => item.kind === 'say').map((item) => item.text ?? '');
  }

  hangUp(): Promise<unknown> {
    return this.#cloud.ask('POST', `/api/calls/${this.callSid}/hangup`);
  }

  tone(hz: number): Promise<unknown> {
    return this.#cloud.ask('POST', `/api/calls/${this.callSid}/tone`, { hz });
  }
}

export class Cloud {
  readonly origin: string;

  constructor(origin: string) {
    this.origin = origin;
  }

  /** A customer dials the company's number and hums a tone. */
  async call(from: Person | typeof WITHHELD, toneHz = 440): Promise<Caller> {
    const number = from === WITHHELD ? WITHHELD : from.number;
    const { callSid } = await this.ask<{ callSid: string }>('POST', '/api/calls', { from: number, toneHz });
    return new Caller(this, callSid);
  }

  calls(): Promise<CallRecord[]> {
    return this.ask('GET', '/api/calls');
  }

  devices(): Promise<{ identity: string; registered: boolean; tokenExpiresIn: number }[]> {
    return this.ask('GET', '/api/devices');
  }

  /** How many consoles of this operator would ring. */
  async registered(identity: string): Promise<number> {
    return (await this.devices()).filter((device) => device.identity === identity && device.registered).length;
  }

  /** Breaks the operator's signalling connection, without a farewell. */
  cut(identity: string): Promise<unknown> {
    return this.ask('POST', `/api/devices/${identity}/cut`);
  }

  /** Closes the operator's signalling stream, so that the SDK does not come back by itself. */
  close(identity: string): Promise<unknown> {
    return this.ask('POST', `/api/devices/${identity}/close`);
  }

  /** Lets the operator's media vanish, or come through again. */
  blackhole(identity: string, on: boolean): Promise<unknown> {
    return this.ask('POST', `/api/devices/${identity}/blackhole`, { on });
  }

  fail(faults: Faults): Promise<unknown> {
    return this.ask('PATCH', '/api/cloud', faults);
  }

  frames(): Promise<Frame[]> {
    return this.ask('GET', '/api/frames');
  }

  async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(this.origin + path, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text ? JSON.parse(text) : undefined) as T;
  }
}
