// What `causeway` exports: the construct for apps of the AWS CDK, and its config.
export { Causeway, type CausewayProps } from '../aws/causeway.ts';
export {
  type CausewayConfig,
  type CausewayConfigInput,
  type DeploymentInput,
  defineConfig,
} from './config.ts';
