import {FaultError} from './types.ts';

/** An answer's status line and the headers that matter here. */
export type ResponseHead = {
	status: number;
	/** Bytes of the body; undefined when the answer does not say (chunked, or until the connection closes). */
	length: number | undefined;
	/** First and last byte and whole size, as Content-Range says. */
	range: {first: number; last: number; size: number} | undefined;
	/** Seconds. */
	retryAfter: number | undefined;
	/** Milliseconds that the sender says its disk and its limit held it up (Server-Timing: `disk;dur=`, `limit;dur=`). */
	timing: {disk: number; limit: number};
	/** The connection takes another request afterwards. */
	keepAlive: boolean;
};

function lied(message: string): FaultError {
	return new FaultError({kind: 'lied', message});
}

/**
 * Reads the head of an HTTP/1.1 answer (RFC 9112), from the status line to before the empty line. Stricter than
 * browsers: what is doubtful is refused, since only peers of ours answer here.
 *
 * @throws FaultError lied
 */
export function parseHead(text: string): ResponseHead {
	const lines = text.split('\r\n');
	const status = /^HTTP\/1\.1 (\d{3})(?: |$)/.exec(lines[0] ?? '')?.[1];
	if (!status) throw lied('the answer is not HTTP/1.1');
	const headers = new Map<string, string>();
	for (const line of lines.slice(1)) {
		const colon = line.indexOf(':');
		if (colon < 1) throw lied('a header without a name');
		const name = line.slice(0, colon).toLowerCase();
		const value = line.slice(colon + 1).trim();
		if (name === 'content-length' && headers.has(name) && headers.get(name) !== value)
			throw lied('two different lengths');
		headers.set(name, value);
	}
	const wait = headers.get('retry-after');
	const length = headers.has('transfer-encoding') ? undefined : headers.get('content-length');
	return {
		status: Number(status),
		length: length === undefined ? undefined : wholeNumber(length),
		range: parseRange(headers.get('content-range')),
		retryAfter: wait !== undefined && /^\d{1,6}$/.test(wait) ? Number(wait) : undefined,
		timing: {disk: duration(headers, 'disk'), limit: duration(headers, 'limit')},
		keepAlive: headers.get('connection')?.toLowerCase() !== 'close',
	};
}

function duration(headers: Map<string, string>, name: string): number {
	const text = headers.get('server-timing');
	if (text === undefined) return 0;
	const metric = text.split(',').find(part => part.trim().startsWith(`${name};`));
	const value = Number(/;\s*dur=(\d{1,9}(?:\.\d{1,6})?)/.exec(metric ?? '')?.[1] ?? 0);
	return Number.isFinite(value) ? value : 0;
}

function wholeNumber(text: string): number {
	const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
	if (!Number.isSafeInteger(value)) throw lied(`a length of ${text.slice(0, 20)}`);
	return value;
}

function parseRange(text: string | undefined): ResponseHead['range'] {
	const match = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16})$/.exec(text ?? '');
	if (!match) return undefined;
	const [first, last, size] = match.slice(1).map(Number) as [number, number, number];
	return {first, last, size};
}
