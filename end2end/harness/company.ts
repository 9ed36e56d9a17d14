// What stands around the server in production: the company's own API, which knows the customers, and the front door, a reverse
// proxy whose address is the public one. Both listen on loopback.
import { type IncomingMessage, type Server, type ServerResponse, createServer, request as ask } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Person, people } from './people.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** An HTTP server on a free port of this machine. */
export class Door {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(handler: Handler): Promise<Door> {
    const server = createServer(handler);
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return new Door(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** `localhost`, since a browser trusts no other host without TLS. */
  get origin(): string {
    return `http://localhost:${this.port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }
}

/** The company's API: answers who a caller is, from the demonstration's people. */
export class Company {
  /** Answers in its place, to play an API that is broken. */
  instead: Handler | undefined;
  readonly #door: Door;

  private constructor(door: Door) {
    this.#door = door;
  }

  static async open(): Promise<Company> {
    const company: { it?: Company } = {};
    const door = await Door.open((request, response) => (company.it?.instead ?? resolveCaller)(request, response));
    company.it = new Company(door);
    return company.it;
  }

  get origin(): string {
    return this.#door.origin;
  }

  close(): Promise<void> {
    return this.#door.close();
  }
}

function resolveCaller(request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://company');
  const number = url.searchParams.get('from_number');
  const known: Person[] = Object.values(people);
  const person = known.find((one) => one.number === number && one.operator);
  if (url.pathname !== '/resolve-caller' || !person) {
    response.writeHead(404, { 'content-type': 'application/json' }).end('{}');
    return;
  }
  const answer = { appId: person.operator, customerName: person.name, customerId: person.customerId };
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
}

/** Passes everything on to the server behind the door, as it came; 502 while nobody is there. */
export function passOnTo(target: () => string | undefined): Handler {
  return (request, response) => {
    const origin = target();
    const refuse = (): void => {
      if (response.headersSent) response.destroy();
      else response.writeHead(502).end();
    };
    if (!origin) return refuse();
    const onward = ask(origin + request.url, { method: request.method, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', refuse);
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  };
}
