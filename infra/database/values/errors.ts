// The errors that the embedded table answers with: DynamoDB's own, by the SDK's classes where it has some.
import {
  ConditionalCheckFailedException,
  DynamoDBServiceException,
  InternalServerError,
  ResourceInUseException,
  ResourceNotFoundException,
} from '@aws-sdk/client-dynamodb';
import type { Item } from './attribute-values.ts';

const $metadata = {};

/** The call is not one that DynamoDB, or the embedded table, takes. */
export function refusal(message: string): DynamoDBServiceException {
  return new DynamoDBServiceException({
    name: 'ValidationException',
    $fault: 'client',
    $metadata,
    message,
  });
}

export function conditionFailed(item: Item | undefined): ConditionalCheckFailedException {
  return new ConditionalCheckFailedException({
    $metadata,
    message: 'The conditional request failed',
    ...(item !== undefined && { Item: item }),
  });
}

export function tableMissing(tableName: string): ResourceNotFoundException {
  return new ResourceNotFoundException({
    $metadata,
    message: `Cannot do operations on a non-existent table: ${tableName}`,
  });
}

export function tableExists(tableName: string): ResourceInUseException {
  return new ResourceInUseException({
    $metadata,
    message: `Table already exists: ${tableName}`,
  });
}

/** The table cannot be used at the moment: the disk is full, for one. The caller may try again. */
export function unavailable(reason: string): InternalServerError {
  return new InternalServerError({ $metadata, message: reason });
}
