/** A secret that is found wherever it turns up. */
export const canary = (i: number): string => `canary-${i}-x7Kq`;

/** Variables S0, S1, .. whose values are canaries. */
export const canaryEnv = (n: number): Record<string, string> => Object.fromEntries(Array.from({ length: n }, (_, i) => [`S${i}`, canary(i)]));

/** Every key of settings.kafka that may hold a secret, each from a variable; two values twice over. `source`: more lines of the source. */
export const secretPipeline = (extra = '', source = ''): string => `name: secret
description: \${S0}
sources:
  t:
    schema: a STRING, n INT
${source}sinks:
  o:
    sql: SELECT a, 1 / n AS q FROM t
settings:
  kafka:
    client_id: "\${S1}"
    ssl: {ca: "\${S2}", cert: "\${S3}", key: "\${S4}", passphrase: "\${S5}", servername: "\${S6}"}
    sasl: {mechanism: plain, username: "\${S7}", password: "\${S8}\${S9}"}
${extra}`;
