// URLs of an issuer: where nobody on the way can change what they answer.

/** Whether it is an https URL, or an http one on loopback. */
export function isSafeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  const isLoopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
  return protocol === 'https:' || (protocol === 'http:' && isLoopback);
}

export const safeUrlRule = 'must be an https URL, or an http URL on loopback';
