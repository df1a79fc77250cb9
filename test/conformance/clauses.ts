// The normative clauses of both standards, and why some of them have no row.

/** Sections with the number of their clauses; `2-6` where they do not begin with 1. */
function numbered(sections: Readonly<Record<string, number | string>>): string[] {
  return Object.entries(sections).flatMap(([section, count]) => {
    const [first = 1, last = 1] =
      typeof count === 'number' ? [1, count] : count.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, at) => `MQTT-${section}-${first + at}`);
  });
}

/** Of MQTT 3.1.1, appendix B. */
export const clauses311 = numbered({
  '1.5.3': 3,
  '2.2.2': 2,
  '2.3.1': 7,
  '3.1.0': 2,
  '3.1.2': 24,
  '3.1.3': 11,
  '3.1.4': 5,
  '3.2.0': 1,
  '3.2.2': 6,
  '3.3.1': 12,
  '3.3.2': 3,
  '3.3.4': 1,
  '3.3.5': 2,
  '3.6.1': 1,
  '3.8.1': 1,
  '3.8.3': 4,
  '3.8.4': 6,
  '3.9.3': 2,
  '3.10.1': 1,
  '3.10.3': 2,
  '3.10.4': 6,
  '3.12.4': 1,
  '3.14.1': 1,
  '3.14.4': 3,
  '4.1.0': 2,
  '4.2.0': 1,
  '4.3.1': 1,
  '4.3.2': 2,
  '4.3.3': 2,
  '4.4.0': 1,
  '4.5.0': 2,
  '4.6.0': 6,
  '4.7.1': 3,
  '4.7.2': 1,
  '4.7.3': 4,
  '4.8.0': 2,
  '6.0.0': 4,
});

/** Of MQTT 5, appendix B. */
export const clauses5 = numbered({
  '1.5.4': 3,
  '1.5.5': 1,
  '1.5.7': 1,
  '2.1.3': 1,
  '2.2.1': '2-6',
  '2.2.2': 1,
  '3.1.0': 2,
  '3.1.2': 30,
  '3.1.3': 12,
  '3.1.4': 6,
  '3.2.0': 2,
  '3.2.2': 22,
  '3.3.1': 13,
  '3.3.2': 20,
  '3.3.4': 10,
  '3.4.2': 3,
  '3.5.2': 3,
  '3.6.1': 1,
  '3.6.2': 3,
  '3.7.2': 3,
  '3.8.1': 1,
  '3.8.3': 5,
  '3.8.4': 8,
  '3.9.2': 2,
  '3.9.3': 2,
  '3.10.1': 1,
  '3.10.2': 2,
  '3.10.4': 6,
  '3.11.2': 2,
  '3.11.3': 2,
  '3.12.4': 1,
  '3.14.0': 1,
  '3.14.1': 1,
  '3.14.2': 4,
  '3.14.4': 3,
  '3.15.1': 1,
  '3.15.2': 3,
  '4.1.0': 2,
  '4.2': 1,
  '4.3.1': 1,
  '4.3.2': 5,
  '4.3.3': 13,
  '4.4.0': 2,
  '4.5.0': 2,
  '4.6.0': 6,
  '4.7.0': 1,
  '4.7.1': 2,
  '4.7.2': 1,
  '4.7.3': 4,
  '4.8.2': 6,
  '4.9.0': 3,
  '4.12.0': 7,
  '4.12.1': 2,
  '4.13.1': 1,
  '4.13.2': 1,
  '6.0.0': 4,
});

const ofClients = 'it binds the client';
const inAll = 'each packet of the server is checked for it, in every row';
const inRefusals = 'every row with a refusal shows it';
const inFlows = 'every row that publishes or subscribes at that QoS shows it';
const inSessions = 'the rows of sessions show it';
const nothingSent = 'there is nothing of the kind in what the server sends';
const tooLong = 'two bytes of length cannot say more';
const ownTests = 'the embedded broker has tests of its own for it';

const listed = (clauses: string, why: string) =>
  clauses.split(' ').map((clause) => [`MQTT-${clause}`, why] as const);

/** Why a clause has no row. */
export const withoutRow: Readonly<Record<4 | 5, ReadonlyMap<string, string>>> = {
  4: new Map([
    ...listed('2.3.1-2 2.3.1-3 3.1.2-23 3.1.3-7 3.14.4-2 4.5.0-2 4.6.0-4', ofClients),
    ...listed('2.2.2-1 2.3.1-5 3.2.0-1 3.2.2-4 3.9.3-2', inAll),
    ...listed('3.2.2-5 3.2.2-6', inRefusals),
    ...listed('2.3.1-7 3.8.4-1 3.8.4-2 3.8.4-5 3.10.4-4', inFlows),
    ...listed('3.1.3-1 3.1.3-2 4.1.0-1 4.1.0-2', inSessions),
    ...listed('4.7.3-3', tooLong),
    ...listed('3.3.5-2 4.8.0-2 6.0.0-1 6.0.0-2 6.0.0-3 6.0.0-4', ownTests),
  ]),
  5: new Map([
    ...listed(
      '3.1.2-20 3.1.2-21 3.1.2-30 3.2.2-4 3.2.2-5 3.2.2-11 3.2.2-14 3.2.2-17 3.2.2-18 3.2.2-21 3.3.2-10 3.3.4-8',
      ofClients,
    ),
    ...listed('3.14.4-1 4.5.0-2 4.6.0-4 4.12.0-3 4.12.1-1', ofClients),
    ...listed('2.2.1-2 3.2.0-2 3.2.2-1 3.2.2-6 3.3.2-11 3.9.3-2 3.11.3-2 3.14.0-1', inAll),
    ...listed('3.4.2-2 3.4.2-3 3.5.2-2 3.5.2-3 3.6.2-2 3.6.2-3 3.7.2-2 3.7.2-3', inAll),
    ...listed('3.2.2-19 3.2.2-20 3.9.2-1 3.9.2-2 3.11.2-1 3.11.2-2 3.14.2-3 3.14.2-4', inAll),
    ...listed('3.2.2-7 4.13.2-1', inRefusals),
    ...listed('2.2.1-6 3.8.4-1 3.8.4-2 3.8.4-6 3.8.4-7 3.10.4-4 3.10.4-6', inFlows),
    ...listed('3.3.4-10 4.3.2-1 4.3.2-4 4.3.3-1 4.3.3-4 4.3.3-8', inFlows),
    ...listed('3.1.3-1 3.1.3-2 4.3.2-3 4.3.3-3 4.3.3-5 4.3.3-13', inSessions),
    ...listed('3.2.2-10 3.2.2-12 3.2.2-13 3.15.2-2 3.15.2-3 4.3.3-9', nothingSent),
    ...listed('4.12.0-2 4.12.0-4 4.12.0-5 4.12.1-2', nothingSent),
    ...listed('4.7.3-3', tooLong),
    ...listed('3.1.4-2 6.0.0-1 6.0.0-2 6.0.0-3 6.0.0-4', ownTests),
  ]),
};
