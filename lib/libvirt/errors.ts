// libvirt's own error, and the errors of wrong JavaScript.
import { brand } from './brand';
import { nameOf } from './enum';
import { ErrorDomain, ErrorLevel, ErrorNumber } from './generated/constants';

/** virError as plain data. */
export interface LibvirtErrorFields {
  code: number;
  domain?: number;
  level?: number;
  message: string;
  str1?: string | null;
  str2?: string | null;
  str3?: string | null;
  int1?: number;
  int2?: number;
}

/** A function of libvirt failed: virError, with names beside the numbers. */
export class LibvirtError extends Error {
  override readonly name = 'LibvirtError' as const;
  /** virErrorNumber; compare it with {@link ErrorNumber}. */
  readonly code: number;
  /** The key of `code` in {@link ErrorNumber}; its digits where this package does not know it. */
  readonly codeName: string;
  /** virErrorDomain: which part of libvirt raised it. */
  readonly domain: number;
  readonly domainName: string;
  /** virErrorLevel. */
  readonly level: number;
  readonly levelName: string;
  readonly str1: string | null;
  readonly str2: string | null;
  readonly str3: string | null;
  /** Of some errors: one more number, of no fixed meaning. */
  readonly int1: number;
  /** As `int1`. */
  readonly int2: number;

  /** @internal */
  constructor(fields: LibvirtErrorFields) {
    super(fields.message);
    const { code, domain = ErrorDomain.NONE, level = ErrorLevel.ERROR } = fields;
    this.code = code;
    this.codeName = nameOf(ErrorNumber, code) ?? String(code);
    this.domain = domain;
    this.domainName = nameOf(ErrorDomain, domain) ?? String(domain);
    this.level = level;
    this.levelName = nameOf(ErrorLevel, level) ?? String(level);
    this.str1 = fields.str1 ?? null;
    this.str2 = fields.str2 ?? null;
    this.str3 = fields.str3 ?? null;
    this.int1 = fields.int1 ?? 0;
    this.int2 = fields.int2 ?? 0;
  }

  static {
    brand(LibvirtError, 'LibvirtError');
  }
}

/** A TypeError or RangeError with one of Node's codes: the call is wrong JavaScript, libvirt was not called. */
export function argumentError(
  code: 'ERR_INVALID_ARG_TYPE' | 'ERR_INVALID_ARG_VALUE' | 'ERR_OUT_OF_RANGE',
  message: string,
): TypeError | RangeError {
  const error = code === 'ERR_OUT_OF_RANGE' ? new RangeError(message) : new TypeError(message);
  return Object.assign(error, { code });
}
