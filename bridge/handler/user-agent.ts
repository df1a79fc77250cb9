// Who the bridge says it is: firewalls, such as AWS WAF with its common rules, answer 403 to requests that do not say it.
import packageJson from '../../package.json' with { type: 'json' };

export const userAgent = `Causeway/${packageJson.version}`;
