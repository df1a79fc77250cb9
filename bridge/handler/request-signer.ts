// What shows a handler who sends a request: a value that gives the headers of each.
import type { HandlerRequest } from './request.ts';

export type SignatureHeaders = Readonly<Record<string, string>>;

export interface RequestSigner {
  /** Headers that sign `request`. Rejects, with a reason that may be shown, where what it takes cannot be had. */
  headers(request: HandlerRequest): SignatureHeaders | Promise<SignatureHeaders>;
  /** The handler did not accept the signature: what it was made with may have been rotated. */
  doubt(): void;
}
