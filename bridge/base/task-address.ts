// The address of an ECS task in its network, as the task's metadata endpoint tells it.
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';

const metadataSchema = z.object({
  Networks: z.array(z.object({ IPv4Addresses: z.array(z.ipv4()).default([]) })),
});

const tries = 5;
const timeoutMs = 1000;

/** Undefined where it does not answer within a few seconds, or knows none. `metadataUrl` is ECS_CONTAINER_METADATA_URI_V4. */
export async function readTaskAddress(metadataUrl: string): Promise<string | undefined> {
  for (let attempt = 0; attempt < tries; attempt++) {
    try {
      const response = await fetch(metadataUrl, { signal: AbortSignal.timeout(timeoutMs) });
      const { Networks } = metadataSchema.parse(await response.json());
      const [address] = Networks.flatMap(({ IPv4Addresses }) => IPv4Addresses);
      if (address !== undefined) return address;
    } catch {
      // It comes up beside the container.
    }
    await delay(200 * 2 ** attempt);
  }
  return undefined;
}
