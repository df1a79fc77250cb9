// Who calls AWS, and whether the template's policies let it: every call is recorded, and refused without them.
import { randomBytes } from 'node:crypto';
import { region } from './identities.ts';
import { isAllowed, type Policies, type Use } from './policies.ts';
import { accessKeyOf, type Credentials, type SignedRequest, signatureFault } from './sigv4.ts';

export interface Call extends Use {
  readonly allowed: boolean;
}

export interface Access {
  /** All calls of roles, in order. */
  readonly calls: readonly Call[];
  /** Credentials that a role's programs sign with; always the same ones. */
  credentialsOf(role: string): Credentials;
  /** The role that signed a request for a service, or undefined where none did. */
  callerOf(request: SignedRequest, service: string): string | undefined;
  /** Whether the role may do it. */
  use(role: string | undefined, use: Omit<Use, 'role'>): boolean;
}

/** The person who deploys: may do anything, and is not recorded. */
export const operator = 'operator';

export function createAccess(policies: Policies): Access {
  const credentials = new Map<string, Credentials>();
  const calls: Call[] = [];
  return {
    calls,
    credentialsOf(role) {
      const known = credentials.get(role) ?? {
        accessKeyId: `ASIA${randomBytes(8).toString('hex').toUpperCase()}`,
        secretAccessKey: randomBytes(20).toString('hex'),
        sessionToken: randomBytes(40).toString('base64'),
      };
      credentials.set(role, known);
      return known;
    },
    callerOf(request, service) {
      const accessKey = accessKeyOf(request);
      for (const [role, known] of credentials) {
        if (known.accessKeyId !== accessKey) continue;
        const fault = signatureFault(request, known, { region, service });
        return fault === undefined ? role : undefined;
      }
      return undefined;
    },
    use(role, given) {
      if (role === undefined) return false;
      if (role === operator) return true;
      const use = { role, ...given };
      const allowed = isAllowed(policies, use);
      calls.push({ ...use, allowed });
      return allowed;
    },
  };
}
