// The article's own page, as it stands, on its own origin. The article leaves one thing open: where its functions are.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { Door } from '../harness/company.ts';

const SDK = resolve(import.meta.dirname, '../node_modules/@twilio/voice-sdk/dist/twilio.min.js');

/** Serves it; `functions` says where its functions are, which may be known only later. */
export function openArticle(functions: () => string): Promise<Door> {
  const packed = new Map<string, Buffer>();
  return Door.open((request, response) => {
    const [type, body] = file(request.url?.split('?')[0] ?? '', functions) ?? [];
    if (body === undefined) return void response.writeHead(404).end();
    const encoding = request.headers['accept-encoding']?.includes('br') ? 'br' : 'gzip';
    const key = `${encoding} ${request.url}`;
    const bytes = packed.get(key) ?? (encoding === 'br' ? brotliCompressSync(body) : gzipSync(body));
    packed.set(key, bytes);
    response.writeHead(200, { 'content-type': type, 'content-encoding': encoding, 'content-length': bytes.length }).end(bytes);
  });
}

function file(path: string, functions: () => string): [type: string, body: string | Buffer] | undefined {
  const read = (name: string): Buffer => readFileSync(resolve(import.meta.dirname, name));
  if (path === '/') return ['text/html; charset=utf-8', read('index.html')];
  if (path === '/twilio.min.js') return ['text/javascript', readFileSync(SDK)];
  if (path !== '/app.js') return undefined;
  // The article: replace it with the real domain.
  return ['text/javascript; charset=utf-8', read('app.js').toString().replace('https://YOUR-FUNCTIONS-DOMAIN.twil.io', functions())];
}
