// What of a request may be shown: headers and URLs without what opens anything. Pure.

/** Say when and which, and open nothing. */
const harmlessProof: ReadonlySet<string> = new Set([
  'webhook-id',
  'webhook-timestamp',
  'x-amz-date',
]);
/** Of answers: what a handler may hand out to its callers. */
const secretAnswer =
  /^(set-cookie2?|www-authenticate|proxy-authenticate|authorization|.*(token|secret|api-?key).*)$/;

/** Headers as text; of those that show who sends only the scheme or version is left. */
export function maskedHeaders(
  headers: Readonly<Record<string, string | number | readonly string[] | undefined>>,
  proof: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => {
      if (value === undefined) return [];
      const text = String(value);
      const isSecret =
        (name in proof && !harmlessProof.has(name)) || secretAnswer.test(name.toLowerCase());
      return [[name, isSecret ? masked(text) : text]];
    }),
  );
}

/** `Bearer abc` as `Bearer ***`, `v1,abc` as `v1,***`, all else as `***`. */
function masked(text: string): string {
  const [, scheme = ''] = /^(Bearer |Basic |AWS4-HMAC-SHA256 |v1a?,)/.exec(text) ?? [];
  return `${scheme}***`;
}

/** A segment of a path that somebody has to know, as the tokens in the webhooks of many services. */
const tokenLike = /^(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9_.~:-]{16,}$/;

/** The URL without values of its query, and without segments that look like tokens. */
export function maskedUrl({ origin, pathname, searchParams }: URL): string {
  const path = pathname
    .split('/')
    .map((segment) => (tokenLike.test(segment) ? '***' : segment))
    .join('/');
  const names = [...searchParams.keys()].map((name) => `${encodeURIComponent(name)}=***`);
  return `${origin}${path}${names.length > 0 ? `?${names.join('&')}` : ''}`;
}
