// All operations as one type, for a client whose calls are checked against what is served.
import type { CommandOperations } from './commands/endpoints.ts';
import type { PublishOperations } from './commands/publish.ts';
import type { DeadLetterOperations } from './dead-letters/endpoints.ts';
import type { LiveOperations } from './live/endpoints.ts';
import type { MessageOperations } from './messages/endpoints.ts';
import type { SeriesOperations } from './messages/series-endpoint.ts';
import type { PresenceOperations } from './presence/endpoints.ts';
import type { ReplayOperations } from './replays/endpoints.ts';
import type { RouteOperations } from './routes/endpoints.ts';
import type { RouteHistoryOperations } from './routes/history-endpoints.ts';
import type { PreviewOperations } from './routes/preview-endpoint.ts';
import type { StateOperations } from './states/endpoints.ts';
import type { TokenOperations } from './tokens/endpoints.ts';
import type { TraceOperations } from './traces/endpoints.ts';

export type ServedOperation =
  | CommandOperations
  | DeadLetterOperations
  | LiveOperations
  | MessageOperations
  | PresenceOperations
  | PreviewOperations
  | PublishOperations
  | ReplayOperations
  | RouteHistoryOperations
  | RouteOperations
  | SeriesOperations
  | StateOperations
  | TokenOperations
  | TraceOperations;
