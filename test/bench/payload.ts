// The messages of the benchmark: 256-byte JSON over 1,000 topics, with the time of publishing inside.

/** Topics of each measurement that asks for no other number. */
export const topicCount = 1000;
export const topicFilter = 'bench/#';
export const payloadBytes = 256;

/**
 * Stands once in every payload, and without quotes: so it is found in any body that carries the payload,
 * escaped as a string or not, and counting needs no JSON parser.
 */
const marker = Buffer.from('sentAtMicros');

/** Microseconds of the monotonic clock, which all processes of one machine share. */
export function nowMicros(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000_000 + Math.floor(nanoseconds / 1000);
}

export function topicOf(sequence: number, topics = topicCount): string {
  return `bench/site-${sequence % 10}/device-${String(sequence % topics).padStart(4, '0')}`;
}

export function payloadOf(sequence: number, sentAtMicros: number): string {
  const reading = `{"sentAtMicros":${sentAtMicros},"sequence":${sequence},"celsius":21.53,"humidity":48.2,"pressure":1013.25,"battery":3.71,"rssi":-71,"firmware":"2.4.1","state":"ok","note":"`;
  return `${reading.padEnd(payloadBytes - 2, '.')}"}`;
}

/** Counts the messages in a request body, and calls `sample` with the publish time of every `sampleEvery`th. */
export function countMessages(
  body: Buffer,
  sampleEvery = 0,
  sample: (sentAtMicros: number) => void = () => {},
): number {
  let count = 0;
  for (let at = body.indexOf(marker); at >= 0; at = body.indexOf(marker, at + payloadBytes - 32)) {
    if (sampleEvery > 0 && count % sampleEvery === 0) sample(digitsAfter(body, at + marker.length));
    count++;
  }
  return count;
}

/** The sequence numbers of the messages in a request body. */
export function sequencesIn(body: Buffer): number[] {
  const found: number[] = [];
  const name = Buffer.from('sequence');
  for (let at = body.indexOf(name); at >= 0; at = body.indexOf(name, at + payloadBytes - 64))
    found.push(digitsAfter(body, at + name.length));
  return found;
}

/** The number that follows, past quotes, backslashes and colon. */
function digitsAfter(body: Buffer, from: number): number {
  const text = body.toString('latin1', from, from + 24);
  return Number(/\d+/.exec(text)?.[0]);
}
