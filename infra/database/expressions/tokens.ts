// The words of DynamoDB's expression language, and a cursor over them that the parsers share.
import { refusal } from '../values/errors.ts';
import { isReserved } from './reserved-words.ts';

export type TokenKind = 'name' | 'placeholder' | 'value' | 'symbol' | 'end';

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}

const tokenPattern =
  /\s*(?:(#[A-Za-z0-9_]+)|(:[A-Za-z0-9_]+)|([A-Za-z_][A-Za-z0-9_]*)|(<>|<=|>=|[=<>(),+\-.[\]])|(\S))/gy;

/** DynamoDB's limit on the text of an expression, in bytes. */
const maxExpressionBytes = 4096;

/** One expression being read. `field` names it in errors, such as `ConditionExpression`. */
export class Tokens {
  readonly #field: string;
  readonly #tokens: Token[] = [];
  #at = 0;

  constructor(text: string, field: string) {
    this.#field = field;
    if (text.trim() === '') throw this.fault('The expression can not be empty;');
    if (Buffer.byteLength(text) > maxExpressionBytes)
      throw this.fault('Expression size has exceeded the maximum allowed size;');
    for (const [, placeholder, value, name, symbol, stray] of text.matchAll(tokenPattern)) {
      if (stray !== undefined) throw this.fault(`Syntax error; token: "${stray}"`);
      if (placeholder !== undefined) this.#tokens.push({ kind: 'placeholder', text: placeholder });
      else if (value !== undefined) this.#tokens.push({ kind: 'value', text: value });
      else if (name !== undefined) this.#tokens.push({ kind: 'name', text: name });
      else this.#tokens.push({ kind: 'symbol', text: symbol ?? '' });
    }
  }

  peek(): Token {
    return this.#tokens[this.#at] ?? { kind: 'end', text: '<EOF>' };
  }

  next(): Token {
    const token = this.peek();
    this.#at++;
    return token;
  }

  isSymbol(text: string): boolean {
    const token = this.peek();
    return token.kind === 'symbol' && token.text === text;
  }

  isKeyword(keyword: string): boolean {
    const token = this.peek();
    return token.kind === 'name' && token.text.toUpperCase() === keyword;
  }

  /** Takes the symbol or keyword if it is next. */
  take(text: string): boolean {
    const isNext = this.isSymbol(text) || this.isKeyword(text);
    if (isNext) this.#at++;
    return isNext;
  }

  expect(text: string): void {
    if (!this.take(text)) throw this.syntaxFault();
  }

  expectEnd(): void {
    if (this.peek().kind !== 'end') throw this.syntaxFault();
  }

  /** The path of an attribute: a name or a placeholder. Paths into documents are not known here. */
  path(): string {
    const token = this.next();
    if (token.kind !== 'name' && token.kind !== 'placeholder') throw this.syntaxFault(token);
    if (this.isSymbol('.') || this.isSymbol('['))
      throw this.fault('document paths are not supported by the embedded table;');
    // `size` is one, and a function.
    if (token.kind === 'name' && isReserved(token.text) && !this.isSymbol('('))
      throw this.fault(`Attribute name is a reserved keyword; reserved keyword: ${token.text}`);
    return token.text;
  }

  syntaxFault(token = this.peek()): Error {
    return this.fault(`Syntax error; token: "${token.text}"`);
  }

  fault(text: string): Error {
    return refusal(`Invalid ${this.#field}: ${text}`);
  }
}
