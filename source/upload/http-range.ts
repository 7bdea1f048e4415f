// Which bytes of a content a request wants: conditions and ranges of RFC 9110, sections 13 and 14.
import type {IncomingHttpHeaders} from 'node:http';

/** Bytes from `start` up to, not including, `end`. */
export type ByteRange = {start: number; end: number};

/** What to answer: everything (200), a part (206), or nothing with 304, 412 or 416. */
export type RangeAnswer = (ByteRange & {status: 200 | 206}) | {status: 304} | {status: 412} | {status: 416};

/** The entity tag of a content: strong, since equal IDs are equal bytes. */
export function contentTag(content: string): string {
	return `"${content}"`;
}

/**
 * Decides by the request's headers. More than one range is answered with the whole, as RFC 9110 section 14.2 allows;
 * so is a `Range` that makes no sense, and any on an empty file, of which no part could be named.
 */
export function answerRange(headers: IncomingHttpHeaders, content: string, size: number, method: string): RangeAnswer {
	const tag = contentTag(content);
	const ifMatch = headers['if-match'];
	if (ifMatch !== undefined && !namesTag(ifMatch, tag, false)) return {status: 412};
	const ifNoneMatch = headers['if-none-match'];
	if (ifNoneMatch !== undefined && namesTag(ifNoneMatch, tag, true)) return {status: 304};
	const whole = {status: 200, start: 0, end: size} as const;
	if (method !== 'GET' || headers.range === undefined || size === 0) return whole;
	// A date, or the tag of other bytes: what the client has is no part of this content.
	const ifRange = headers['if-range'];
	if (ifRange !== undefined && ifRange !== tag) return whole;
	const range = parseRange(headers.range, size);
	if (range === 'whole') return whole;
	return range === 'unsatisfiable' ? {status: 416} : {status: 206, ...range};
}

function parseRange(header: string, size: number): ByteRange | 'whole' | 'unsatisfiable' {
	const match = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(header);
	if (!match) return 'whole';
	const [, first = '', last = ''] = match;
	if (first === '') {
		if (last === '') return 'whole';
		const length = Math.min(Number(last), size);
		return length === 0 ? 'unsatisfiable' : {start: size - length, end: size};
	}
	const start = Number(first);
	const end = last === '' ? size : Math.min(Number(last) + 1, size);
	if (last !== '' && Number(last) < start) return 'whole';
	return start >= size ? 'unsatisfiable' : {start, end};
}

/** Whether a list of entity tags, or `*`, names this one. `weak`: the comparison for If-None-Match. */
function namesTag(list: string, tag: string, weak: boolean): boolean {
	if (list.trim() === '*') return true;
	return list.split(',').some(item => {
		const one = item.trim();
		return one === tag || (weak && one === `W/${tag}`);
	});
}
