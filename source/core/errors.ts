import {type ExitCode, exitCodes} from './exit-codes.ts';

/** Every code an error can carry: stable, for programs; the message is for people and may change. */
export const errorCodes = {
	usage: {exit: exitCodes.usage, status: 400},
	'bad-request': {exit: exitCodes.failed, status: 400},
	'bad-query': {exit: exitCodes.usage, status: 400},
	'bad-name': {exit: exitCodes.failed, status: 400},
	'too-large': {exit: exitCodes.failed, status: 413},
	'not-found': {exit: exitCodes.notFound, status: 404},
	ambiguous: {exit: exitCodes.usage, status: 409},
	'no-server': {exit: exitCodes.unreachable, status: 503},
	'no-source': {exit: exitCodes.unreachable, status: 503},
	unreachable: {exit: exitCodes.unreachable, status: 503},
	timeout: {exit: exitCodes.unreachable, status: 504},
	'source-lost': {exit: exitCodes.unreachable, status: 502},
	busy: {exit: exitCodes.failed, status: 503},
	'catching-up': {exit: exitCodes.unreachable, status: 503},
	corrupt: {exit: exitCodes.corrupt, status: 502},
	changed: {exit: exitCodes.failed, status: 409},
	'identity-changed': {exit: exitCodes.refused, status: 403},
	'wrong-peer': {exit: exitCodes.refused, status: 403},
	refused: {exit: exitCodes.refused, status: 403},
	'not-a-member': {exit: exitCodes.refused, status: 403},
	'bad-invite': {exit: exitCodes.refused, status: 403},
	'needs-identity': {exit: exitCodes.refused, status: 401},
	'version-mismatch': {exit: exitCodes.failed, status: 409},
	'range-not-satisfiable': {exit: exitCodes.failed, status: 416},
	'port-taken': {exit: exitCodes.failed, status: 500},
	'in-use': {exit: exitCodes.failed, status: 409},
	'disk-full': {exit: exitCodes.failed, status: 507},
	'not-writable': {exit: exitCodes.failed, status: 500},
	'not-readable': {exit: exitCodes.failed, status: 500},
	'unsafe-folder': {exit: exitCodes.failed, status: 500},
	'bad-key': {exit: exitCodes.failed, status: 500},
	'bad-database': {exit: exitCodes.failed, status: 500},
	cancelled: {exit: exitCodes.interrupted, status: 499},
	internal: {exit: exitCodes.failed, status: 500},
} as const satisfies Record<string, {exit: ExitCode; status: number}>;

/** A stable name for what went wrong. */
export type ErrorCode = keyof typeof errorCodes;

/** What {@link P2pError} takes besides its code and message. */
export type P2pErrorOptions = {
	/** The next step for the person who reads the message: a sentence, a command. */
	hint?: string;
	cause?: unknown;
	/** More for programs: candidates of an ambiguous name, seconds to wait… Must be JSON. */
	details?: Record<string, unknown>;
};

/**
 * An error that is told to the person as it stands: bad input, a network or disk that fails. Anything else that is
 * thrown is a bug and is shown as one.
 */
export class P2pError extends Error {
	override readonly name = 'P2pError';
	readonly code: ErrorCode;
	readonly hint: string | undefined;
	readonly details: Record<string, unknown> | undefined;

	constructor(code: ErrorCode, message: string, options: P2pErrorOptions = {}) {
		super(message, options.cause === undefined ? undefined : {cause: options.cause});
		this.code = code;
		this.hint = options.hint;
		this.details = options.details;
	}

	/** The process exit code that fits. */
	get exitCode(): ExitCode {
		return errorCodes[this.code].exit;
	}

	/** The HTTP status that fits. */
	get status(): number {
		return errorCodes[this.code].status;
	}

	/** Message and next step in one line. */
	get line(): string {
		return this.hint ? `${this.message}. ${this.hint}` : this.message;
	}
}

/** Whether a string is one of our codes, as a remote side may send any. */
export function isErrorCode(value: unknown): value is ErrorCode {
	return typeof value === 'string' && Object.hasOwn(errorCodes, value);
}

const diskHints: Record<string, {code: ErrorCode; text: string; hint?: string}> = {
	ENOSPC: {code: 'disk-full', text: 'the disk is full', hint: 'Free some space; what was verified is kept'},
	EDQUOT: {code: 'disk-full', text: 'the disk quota is used up', hint: 'Free some space; what was verified is kept'},
	EROFS: {code: 'not-writable', text: 'the disk is read-only'},
	EACCES: {code: 'not-readable', text: 'permission denied'},
	EPERM: {code: 'not-readable', text: 'permission denied'},
	ENOENT: {code: 'not-found', text: 'it does not exist'},
	ENOTDIR: {code: 'usage', text: 'it is not a folder'},
	EISDIR: {code: 'usage', text: 'it is a folder'},
	EMFILE: {code: 'not-readable', text: 'too many files are open'},
};

const networkTexts: Record<string, string> = {
	ECONNREFUSED: 'nothing listens there',
	ECONNRESET: 'the connection was reset',
	EPIPE: 'the connection was closed',
	EHOSTUNREACH: 'the host cannot be reached',
	ENETUNREACH: 'the network cannot be reached',
	ENOTFOUND: 'the host name is not known',
	EAI_AGAIN: 'the host name could not be looked up',
	ETIMEDOUT: 'it did not answer in time',
	EADDRNOTAVAIL: 'the address is not one of this machine',
	// Ours, where Node has no code.
	STALLED: 'it stopped sending',
	CLOSED: 'the connection was closed',
	EPROTO: 'it does not speak TLS 1.3',
};

/** The `code` of an error of Node or the system, looked for through its causes; undefined where there is none. */
export function systemCode(error: unknown): string | undefined {
	for (let current = error, depth = 0; current instanceof Error && depth < 5; current = current.cause, depth++) {
		const code = (current as NodeJS.ErrnoException).code;
		if (typeof code === 'string') return code;
		if (current instanceof AggregateError) {
			const inner = systemCode(current.errors[0]);
			if (inner) return inner;
		}
	}
	return undefined;
}

/** Turns a file system error into one that names the path and the reason; other errors come back as they are. */
export function diskError(error: unknown, doing: string): unknown {
	if (error instanceof P2pError) return error;
	const known = diskHints[systemCode(error) ?? ''];
	if (!known) return error;
	return new P2pError(known.code, `${doing}: ${known.text}`, {hint: known.hint, cause: error});
}

/** Turns a failed connection into `unreachable` with the reason in words; P2pErrors come back as they are. */
export function networkError(error: unknown, doing: string, hint?: string): P2pError {
	if (error instanceof P2pError) return error;
	const code = systemCode(error);
	const text = networkTexts[code ?? ''] ?? (error instanceof Error ? error.message : String(error));
	return new P2pError('unreachable', `${doing}: ${text}`, {hint, cause: error});
}

/** Any thrown value as one line for a log or an event. */
export function errorLine(error: unknown): string {
	if (error instanceof P2pError) return error.line;
	return error instanceof Error ? error.message : String(error);
}
