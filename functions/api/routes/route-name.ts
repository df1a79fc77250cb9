// The name of a route in a path.
import * as z from 'zod';

export const routeNameParameters = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,40}$/)
    .meta({ description: 'The name of the route, as in the config.', examples: ['store'] }),
});
