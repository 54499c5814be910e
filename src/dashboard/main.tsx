import { render } from 'preact';
import { App } from './app.tsx';
import { onKey } from './keys.ts';
import { follow } from './live.ts';
import { reroute } from './route.ts';
import { takeToken } from './session.ts';

takeToken();
reroute();
addEventListener('hashchange', () => { takeToken(); reroute(); });
document.addEventListener('keydown', onKey);
follow();
render(<App />, document.getElementById('app') as HTMLElement);
