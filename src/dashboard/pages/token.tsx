import { Command } from '../parts/copy.tsx';
import { refused } from '../session.ts';

/** Where nobody is let in: how to come in. */
export function TokenPage() {
  return <main class="gate" id="main">
    <h1>{refused.value ? 'This token is not valid' : 'A token is missing'}</h1>
    <p>{refused.value
      ? 'Each start of pipe makes a new token, so the address of an earlier one does not work any more.'
      : 'The dashboard shows data, so it asks for the token that pipe made when it started.'}</p>
    <p>Open the whole address that pipe printed, with its part behind <code>#</code>:</p>
    <pre class="code">dashboard  {location.origin}/#token=…</pre>
    <p>To get a new address, start the dashboard again:</p>
    <Command text="pipe ui" />
  </main>;
}
