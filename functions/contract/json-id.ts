// The `id` in a JSON payload, by which some platforms tell which reply is whose: of OneNET's things model, "OneJSON".

/** Text of 1 to 13 digits, as OneNET has it. */
const idForm = /^\d{1,13}$/;

export const jsonIdRule =
  'must be a JSON object with an `id`, text of 1 to 13 digits, by which its reply is known';

/** The id in a payload; undefined where it is no JSON object that has one. */
export function jsonIdOf(payload: Uint8Array): string | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, 'id'))
      return undefined;
    const { id } = value as { readonly id: unknown };
    return typeof id === 'string' && idForm.test(id) ? id : undefined;
  } catch {
    return undefined;
  }
}
