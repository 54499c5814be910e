/**
 * node src/dashboard/build.mjs
 *
 * Makes the page in dist/dashboard/: index.html, one script and one style sheet with the hash of their text in the name, and the
 * licences of what is inside. The page needs nothing else, so it works without a network.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { licences } from '../licences.mjs';

const home = name => fileURLToPath(new URL(name, import.meta.url));
const out = home('../../dist/dashboard');

const build = await rolldown({
  input: { app: home('main.tsx') },
  platform: 'browser',
  transform: { target: 'es2022', define: { 'process.env.NODE_ENV': '"production"' } },
  onLog: (_, { message }) => { throw new Error(message); },
});
const { output } = await build.generate({ format: 'esm', minify: true, comments: { legal: false, annotation: false, jsdoc: false } });
await build.close();
if (output.length !== 1) throw new Error(`the page is to be one script, not ${output.length}`);
const [script] = output;

/** In the order of their names: variables first, pages last. The style sheets hold no text where blanks matter. */
const styles = readdirSync(home('styles')).sort().map(f => readFileSync(home(`styles/${f}`), 'utf8')).join('\n')
  .replace(/\/\*[^]*?\*\//g, '').replace(/\s+/g, ' ').replace(/ ?([{};,]) ?/g, '$1').replaceAll(';}', '}').trim();

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const named = (name, extension, text) => {
  const file = `${name}-${createHash('sha256').update(text).digest('hex').slice(0, 12)}.${extension}`;
  writeFileSync(join(out, file), text);
  return file;
};
const page = readFileSync(home('index.html'), 'utf8').replace('app.css', named('app', 'css', styles)).replace('main.tsx', named('app', 'js', script.code));
writeFileSync(join(out, 'index.html'), page);
// dagre is published with graphlib in its one file
writeFileSync(join(out, 'LICENSES.txt'), licences(output, [home('../../node_modules/@dagrejs/graphlib')]).join('\n'));
