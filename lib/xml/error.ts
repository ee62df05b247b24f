/** The one error of this folder: text that is not XML we accept, or a tree that XML cannot hold. */

/** Where something stands in a text, both counted from 1; columns in UTF-16 units, as editors count. */
export interface Position {
  line: number;
  column: number;
}

export class XmlError extends Error {
  override readonly name = 'XmlError';
  /** Absent where there is no text to point into: an error about a tree, or about what a document says. */
  readonly line?: number;
  readonly column?: number;

  constructor(message: string, position?: Position) {
    super(position ? `${message} (line ${position.line}, column ${position.column})` : message);
    if (position) {
      this.line = position.line;
      this.column = position.column;
    }
  }
}
