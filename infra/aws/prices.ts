// The one table of prices: US dollars in us-east-1, without free tiers; other regions differ by a few percent up to a half.

export const prices = {
  asOf: 'November 2026',
  /** Read from secondary sources of these pages: check before you rely on it. */
  sources: [
    'aws.amazon.com/fargate/pricing',
    'aws.amazon.com/vpc/pricing',
    'aws.amazon.com/lambda/pricing',
    'aws.amazon.com/api-gateway/pricing',
    'aws.amazon.com/dynamodb/pricing/on-demand',
    'aws.amazon.com/cloudwatch/pricing',
    'aws.amazon.com/secrets-manager/pricing',
    'aws.amazon.com/iot-core/pricing',
    'aws.amazon.com/sqs/pricing',
  ],
  fargateArmVcpuHour: 0.03238,
  fargateArmGbHour: 0.00356,
  /** Part of the price that Spot costs; it varies. */
  fargateSpotShare: 0.35,
  publicIpv4Hour: 0.005,
  natGatewayHour: 0.045,
  /** Each way. */
  natGatewayGb: 0.045,
  lambdaRequest: 0.2e-6,
  lambdaArmGbSecond: 0.0000133334,
  httpApiRequest: 1e-6,
  dynamoDbWriteUnit: 0.625e-6,
  dynamoDbReadUnit: 0.125e-6,
  dynamoDbGbMonth: 0.25,
  dynamoDbRecoveryGbMonth: 0.2,
  secretMonth: 0.4,
  alarmMonth: 0.1,
  metricMonth: 0.3,
  dashboardMonth: 3,
  logGb: 0.5,
  /** Of up to 5 KB. */
  iotMessage: 1e-6,
  iotRule: 0.15e-6,
  iotAction: 0.15e-6,
  sqsRequest: 0.4e-6,
} as const;
