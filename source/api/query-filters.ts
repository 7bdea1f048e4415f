// The `key:value` parts of the query language.
import {P2pError} from '../core/errors.ts';
import {type FileKind, fileKinds} from './kinds.ts';

/** Sizes in bytes, both ends included. */
export type SizeRange = {min: number; max: number};

const units: Record<string, number> = {
	'': 1,
	b: 1,
	k: 1e3,
	kb: 1e3,
	m: 1e6,
	mb: 1e6,
	g: 1e9,
	gb: 1e9,
	t: 1e12,
	tb: 1e12,
};
for (const [power, letter] of ['k', 'm', 'g', 't'].entries()) units[`${letter}ib`] = 1024 ** (power + 1);

/** A mistake in a query: `position` counts UTF-16 units from its start, `length` the units that are wrong. */
export function badQuery(query: string, position: number, length: number, message: string, hint?: string): P2pError {
	const pointed = query.slice(position, position + Math.max(1, length));
	const where = pointed.trim() === '' ? '' : ` at character ${position + 1}: ${pointed}`;
	return new P2pError('bad-query', `${message}${where}`, {
		hint,
		details: {query, position, length: Math.min(length, query.length - position)},
	});
}

/** Reads what stands after `size:`; undefined when it makes no sense. */
export function parseSize(text: string): SizeRange | undefined {
	const between = /^(.+?)\.\.(.+)$/.exec(text);
	if (between) {
		const min = bytesOf(between[1] ?? '');
		const max = bytesOf(between[2] ?? '');
		return min === undefined || max === undefined || min > max ? undefined : {min, max};
	}
	const match = /^(>=|<=|>|<|=)?(.+)$/.exec(text);
	const bytes = bytesOf(match?.[2] ?? '');
	if (!match || bytes === undefined) return undefined;
	switch (match[1]) {
		case '>':
			return {min: bytes + 1, max: Number.MAX_SAFE_INTEGER};
		case '>=':
			return {min: bytes, max: Number.MAX_SAFE_INTEGER};
		case '<':
			return bytes === 0 ? undefined : {min: 0, max: bytes - 1};
		case '<=':
			return {min: 0, max: bytes};
		default:
			return {min: bytes, max: bytes};
	}
}

function bytesOf(text: string): number | undefined {
	const match = /^(\d{1,15}(?:\.\d{1,6})?)\s*([a-z]{0,3})$/i.exec(text);
	const unit = units[(match?.[2] ?? '').toLowerCase()];
	if (!match || unit === undefined) return undefined;
	const bytes = Math.round(Number(match[1]) * unit);
	return bytes <= Number.MAX_SAFE_INTEGER ? bytes : undefined;
}

/** Reads what stands after `kind:`; undefined when there is no such kind. Plurals count. */
export function parseKind(text: string): FileKind | undefined {
	const wanted = text.toLowerCase();
	return fileKinds.find(kind => kind === wanted || `${kind}s` === wanted);
}
