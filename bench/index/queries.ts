// What people ask, by kind: a few hundred different queries each, drawn from what the corpus holds.
import {baseName} from '../../source/core/share-path.ts';
import {type Corpus, random, wordAt} from './corpus.ts';

export type QuerySet = {kind: string; queries: string[]};

const each = 300;

/** The sets, from a seed of their own. `by content` holds content IDs. */
export function querySets(corpus: Corpus): QuerySet[] {
	const next = random(4711);
	const between = (low: number, high: number) => low + Math.floor(next() * (high - low));
	const anyFile = () => corpus.file(between(0, corpus.peers), between(0, corpus.perPeer));
	const wordsOfFile = () =>
		baseName(anyFile().path)
			.replace(/\.\w+$/, '')
			.split(/[ _.-]+/)
			.filter(Boolean);
	const some = (count: number): string => {
		for (;;) {
			const list = wordsOfFile();
			if (list.length >= count) return list.slice(0, count).reverse().join(' ');
		}
	};
	const longWord = () => {
		for (;;) {
			const word = wordAt(between(50, 5000));
			if (word.length >= 6 && /^[a-z]+$/.test(word)) return word;
		}
	};
	const set = (kind: string, make: () => string) => ({kind, queries: Array.from({length: each}, make)});
	return [
		set('rare word', () => wordAt(between(30_000, 60_000))),
		set('common word', () => wordAt(between(0, 10))),
		set('two words', () => some(2)),
		set('three words', () => some(3)),
		...[1, 2, 3, 4, 5, 6].map(length => set(`typed, ${length} letters`, () => longWord().slice(0, length))),
		set('inside a word', () => longWord().slice(1, 5)),
		set('exact name', () => baseName(anyFile().path)),
		set('with a filter', () => `${wordAt(between(0, 200))} kind:audio size:>1MB`),
		set('by content', () => anyFile().content),
	];
}

/** A hundred of each kind of search, mixed: what one asks who looks for something. */
export function mixedQueries(corpus: Corpus): string[] {
	const sets = querySets(corpus).filter(({kind}) => kind !== 'by content');
	const mixed = sets.flatMap(({queries}) => queries.slice(0, 100));
	for (let at = 0; at < mixed.length; at++) {
		const other = (at * 7919) % mixed.length;
		[mixed[at], mixed[other]] = [mixed[other] ?? '', mixed[at] ?? ''];
	}
	return mixed;
}
