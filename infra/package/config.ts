// What `causeway/config` exports: the types of a config, for causeway.config.ts where there is no CDK.
export {
  type CausewayConfig,
  type CausewayConfigInput,
  type DeploymentInput,
  defineConfig,
} from '../config/config.ts';
