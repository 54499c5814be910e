import { spawn } from 'node:child_process';
import type { Io, Parsed } from './command.ts';
import { say } from './topics-log.ts';

/** Last lines of npm's own words that are passed on. */
const LINES = 3;

/** npm install in `dir`. Null when that went well, else what went wrong and what to do. */
export async function install(p: Parsed, io: Io, dir: string): Promise<string | null> {
  say(p, io, 'npm install ... (up to three minutes where better-sqlite3 has to be compiled)');
  // npx sets a prefix of its own for what it runs
  const child = spawn('npm', ['install', '--prefix', dir, '--no-audit', '--no-fund', '--loglevel', 'error'], { cwd: dir, env: io.env, stdio: ['ignore', 'pipe', 'pipe'], signal: io.signal });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (t: string) => { text = (text + t).slice(-4000); });
  const failure = await new Promise<string | null>(done => {
    child.on('error', (error: NodeJS.ErrnoException) => done(error.code === 'ENOENT' ? 'npm is not installed' : error.message));
    child.on('close', code => done(code === 0 ? null : lastLines(text) || `it ended with code ${code}`));
  });
  return failure === null ? null : `npm install failed: ${failure}. The project is whole: run npm install in ${dir} again when that is mended`;
}

const lastLines = (text: string): string => text.split('\n').map(l => l.replace(/^npm (error|ERR!) ?/i, '').trim()).filter(l => l !== '' && !/complete log of this run|_logs/.test(l)).slice(0, LINES).join('; ');
