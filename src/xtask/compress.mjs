// Writes FILE.br and FILE.gz beside each FILE, as small as the formats allow, when that saves anything worth a header.
// Node brings both compressors, so that none has to be compiled.
import { readFile, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import zlib from "node:zlib";

const brotli = promisify(zlib.brotliCompress);
const gzip = promisify(zlib.gzip);
const WORTH_IT = 0.95;

async function compress(file) {
  const bytes = await readFile(file);
  const encodings = { br: smallestBrotli(bytes), gz: gzip(bytes, { level: 9 }) };
  for (const [extension, compressed] of Object.entries(encodings)) {
    const smaller = await compressed;
    if (smaller.length < bytes.length * WORTH_IT) await writeFile(`${file}.${extension}`, smaller);
  }
}

/** How distances are written best, and in blocks of which size, the encoder does not find out for itself. */
async function smallestBrotli(bytes) {
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_LGWIN, BROTLI_PARAM_SIZE_HINT, BROTLI_PARAM_NPOSTFIX, BROTLI_PARAM_LGBLOCK } =
    zlib.constants;
  const params = { [BROTLI_PARAM_QUALITY]: 11, [BROTLI_PARAM_LGWIN]: 22, [BROTLI_PARAM_SIZE_HINT]: bytes.length };
  const ways = [{}, { [BROTLI_PARAM_NPOSTFIX]: 1 }, { [BROTLI_PARAM_LGBLOCK]: 16 }, { [BROTLI_PARAM_LGBLOCK]: 17 }];
  const tried = await Promise.all(ways.map((way) => brotli(bytes, { params: { ...params, ...way } })));
  return tried.reduce((smallest, one) => (one.length < smallest.length ? one : smallest));
}

await Promise.all(process.argv.slice(2).map(compress));
