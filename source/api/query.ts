// The query language of DESIGN section 5, from text to what a store looks for.

import {type FileKind, fileKinds} from './kinds.ts';
import {limits} from './limits.ts';
import {badQuery, parseKind, parseSize, type SizeRange} from './query-filters.ts';
import {fold, tokenize} from './tokens.ts';

export {type FileKind, kindOf} from './kinds.ts';
export {matchesQuery, matchRank} from './query-match.ts';

/** One word as typed, cut by the tokenizer: `img2024` is `img` then `2024…`. */
export type QueryWord = {
	/** Words that must be there whole. */
	whole: string[];
	/** The last part, matched from its start; undefined where it is whole already (pairs of an unspaced script). */
	start: string | undefined;
};

/** A query, read. All of its parts must hold; the values of one filter are alternatives. */
export type ParsedQuery = {
	/** As typed. */
	text: string;
	words: QueryWord[];
	/** Words that must follow each other. */
	phrases: string[][];
	/** Words, or words in their order, of which none may be there. */
	without: string[][];
	/** Lower case, without the dot. */
	extensions: string[];
	kinds: FileKind[];
	size: SizeRange | undefined;
	/** Peers by number, ID, start of an ID or nickname, as typed. */
	peers: string[];
	/** Whole file names, folded. */
	names: string[];
	/** The words as one folded text: a file of exactly that name comes first. Empty where there are no words. */
	plain: string;
};

type Part = {position: number; raw: string; minus: boolean; key: string; value: string; quoted: boolean};

const partPattern = /(-?)(?:(ext|kind|size|peer|name):)?(?:"([^"]*)("?)|(\S+))/giy;

/**
 * Reads a query.
 *
 * @throws P2pError bad-query; `details.position` and `details.length` say where, in UTF-16 units
 */
export function parseQuery(text: string): ParsedQuery {
	if (text.length > limits.queryLength)
		throw badQuery(
			text.slice(0, limits.queryLength),
			limits.queryLength,
			0,
			`A search has at most ${limits.queryLength} characters`,
		);
	const query: ParsedQuery = {
		text,
		words: [],
		phrases: [],
		without: [],
		extensions: [],
		kinds: [],
		size: undefined,
		peers: [],
		names: [],
		plain: '',
	};
	const plain: string[] = [];
	for (const part of split(text)) {
		if (part.minus) addWithout(query, part);
		else if (part.key) addFilter(query, part);
		else if (part.quoted) addPhrase(query, part, plain);
		else addWord(query, part, plain);
	}
	query.plain = plain.join(' ');
	check(query);
	return query;
}

function* split(text: string): Generator<Part> {
	const space = /\s*/y;
	let position = 0;
	while (true) {
		space.lastIndex = position;
		space.exec(text);
		position = space.lastIndex;
		if (position >= text.length) return;
		partPattern.lastIndex = position;
		const match = partPattern.exec(text);
		const raw = match?.[0] ?? text.slice(position).split(/\s/, 1)[0] ?? '';
		const [, minus = '', key = '', quoted, closed, bare = ''] = match ?? [];
		if (quoted !== undefined && closed === '') {
			throw badQuery(
				text,
				text.indexOf('"', position),
				text.length,
				'The quotation mark is not closed',
				'Add " at the end',
			);
		}
		if (/^-?(ext|kind|size|peer|name):$/i.test(raw))
			throw badQuery(text, position, raw.length, 'A filter needs a value');
		yield {
			position,
			raw,
			minus: minus !== '' && match !== null,
			key: key.toLowerCase(),
			value: match ? (quoted ?? bare) : raw,
			quoted: quoted !== undefined,
		};
		position += raw.length;
	}
}

function addWord(query: ParsedQuery, part: Part, plain: string[]): void {
	const {sequence, extra} = tokenize(part.value);
	const last = sequence.at(-1);
	if (last === undefined) return;
	plain.push(fold(part.value));
	// The last pair of an unspaced run is whole; a lone letter of one starts the pairs that begin with it.
	const pairs = extra.some(token => last.endsWith(token) && last !== token);
	query.words.push(
		pairs && !/^[\x00-\x7f]+$/.test(last)
			? {whole: sequence, start: undefined}
			: {whole: sequence.slice(0, -1), start: last},
	);
}

function addPhrase(query: ParsedQuery, part: Part, plain: string[]): void {
	const {sequence} = tokenize(part.value);
	if (sequence.length === 0) return;
	plain.push(fold(part.value));
	query.phrases.push(sequence);
}

function addWithout(query: ParsedQuery, part: Part): void {
	if (part.key) throw badQuery(query.text, part.position, part.raw.length, `${part.key}: cannot be excluded`);
	const {sequence} = tokenize(part.value);
	if (sequence.length > 0) query.without.push(sequence);
}

function addFilter(query: ParsedQuery, part: Part): void {
	const fail = (message: string, hint?: string) => badQuery(query.text, part.position, part.raw.length, message, hint);
	const value = part.value.trim();
	if (value === '') throw fail('A filter needs a value');
	switch (part.key) {
		case 'ext':
			query.extensions.push(
				...value
					.toLowerCase()
					.split(',')
					.map(one => one.replace(/^\*?\./, ''))
					.filter(Boolean),
			);
			return;
		case 'kind': {
			const kind = parseKind(value);
			if (!kind) throw fail('No such kind', `One of ${fileKinds.join(', ')}`);
			query.kinds.push(kind);
			return;
		}
		case 'size': {
			const range = parseSize(value);
			if (!range) throw fail('Not a size', 'Write size:>100MB, size:<4KiB or size:1MB..2GB');
			const before = query.size ?? {min: 0, max: Number.MAX_SAFE_INTEGER};
			query.size = {min: Math.max(before.min, range.min), max: Math.min(before.max, range.max)};
			return;
		}
		case 'peer':
			query.peers.push(value);
			return;
		default:
			query.names.push(fold(value));
	}
}

function check(query: ParsedQuery): void {
	const filters = [query.extensions, query.kinds, query.peers, query.names, query.size ? [query.size] : []];
	const wanted = query.words.length + query.phrases.length + filters.reduce((sum, list) => sum + list.length, 0);
	if (wanted === 0) {
		const only =
			query.without.length > 0
				? 'A search needs something to find besides what to leave out'
				: 'There is nothing to search for';
		throw badQuery(query.text, 0, query.text.length, only);
	}
	const parts = [...query.words.map(word => word.whole), ...query.phrases, ...query.without];
	const tokens = parts.reduce((sum, list) => sum + Math.ceil(list.length / 2), query.words.length);
	if (wanted + query.without.length > limits.queryTerms || tokens > 2 * limits.queryTerms)
		throw badQuery(query.text, 0, query.text.length, `A search has at most ${limits.queryTerms} words`);
}
