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
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_LGWIN, BROTLI_PARAM_SIZE_HINT } = zlib.constants;
  const params = { [BROTLI_PARAM_QUALITY]: 11, [BROTLI_PARAM_LGWIN]: 22, [BROTLI_PARAM_SIZE_HINT]: bytes.length };
  const encodings = { br: brotli(bytes, { params }), gz: gzip(bytes, { level: 9 }) };
  for (const [extension, compressed] of Object.entries(encodings)) {
    const smaller = await compressed;
    if (smaller.length < bytes.length * WORTH_IT) await writeFile(`${file}.${extension}`, smaller);
  }
}

await Promise.all(process.argv.slice(2).map(compress));
