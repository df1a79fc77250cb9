// What to do about a handler that takes no messages, in words: by the status of its answer, else by the reason that there
// was none. Pure.

export function handlerCure(status: number | undefined, reason: string): string {
  if (status !== undefined) {
    if (status < 300) return 'Its answer has to be a whole receipt, or no receipt at all.';
    if (status < 400)
      return 'It redirects, and that is not followed: give the address that it leads to.';
    if (status === 401 || status === 403)
      return 'It does not accept who sends: compare its secret or token with that of the route.';
    if (status === 404 || status === 405)
      return 'Nothing takes this method at this path: compare the URL with what the handler serves.';
    if (status === 408 || status === 425 || status === 429)
      return 'It asks to be left alone for a while.';
    return "Read the handler's own log: it fails.";
  }
  const [, cure] = cures.find(([sign]) => sign.test(reason)) ?? [];
  return cure ?? 'Look at the handler.';
}

const cures: readonly (readonly [sign: RegExp, cure: string])[] = [
  [/ECONNREFUSED/, 'Nothing listens there: start the handler, or correct the port of the URL.'],
  [/ENOTFOUND|EAI_AGAIN/, 'Its host name is not known: correct the URL, or look at the DNS.'],
  [/EHOSTUNREACH|ENETUNREACH/, 'There is no way to its address: look at the network.'],
  [/no answer within/, 'It has to answer sooner, or timeoutMs of the route has to be higher.'],
  [/certificate|self-signed|altnames/i, 'Its certificate is not accepted: renew or correct it.'],
  [/allowPrivate/, 'Set allowPrivate on the route if the handler is meant to be there.'],
  [/secret/, 'Correct the secret that the route names.'],
  [
    /ECONNRESET|socket hang up|ended without an answer/,
    'It ends connections without an answer: read its log.',
  ],
];
