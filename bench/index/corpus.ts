// A made-up network that looks like real ones: names in several languages with words by Zipf's law, half of the files
// held by many peers, the other half by one. The same seed gives the same files.
import type {CatalogChange} from '../../source/api/schemas.ts';

/** Different words; the most frequent one is in about a third of all names. */
const vocabulary = 60_000;
const filesPerPeer = 5000;
const filesPerFolder = 12;
/** Part of the files whose content others have as well, and how many such contents there are per file. */
const sharedPart = 0.5;
const poolPart = 0.1;

const scripts = [
	{
		share: 72,
		letters: [
			'ba',
			'con',
			'de',
			'er',
			'fi',
			'gra',
			'ho',
			'in',
			'ka',
			'lo',
			'mar',
			'ne',
			'or',
			'pel',
			'qui',
			'ro',
			'sta',
			'ti',
			'un',
			've',
			'xan',
			'zu',
			'é',
			'ñ',
			'ö',
		],
	},
	{share: 10, letters: ['ба', 'ве', 'го', 'ди', 'жу', 'за', 'ко', 'ла', 'мо', 'не', 'по', 'ра', 'со', 'ту']},
	{share: 4, letters: ['αλ', 'βε', 'γα', 'δι', 'κο', 'λο', 'μα', 'νε', 'πο', 'ρα', 'σι', 'τη']},
	{share: 4, letters: ['سا', 'لم', 'كت', 'نو', 'را', 'بي', 'دا', 'مو']},
	{share: 10, letters: [...'山川田中村本木日月火水金土空海風花星音楽写真映画旅行記録家族東京北南西']},
];
const shares = ['music', 'films', 'photos', 'documents', 'projects', 'books', 'backup', 'downloads'];
const endings = ['mp3', 'flac', 'jpg', 'jpg', 'png', 'mkv', 'mp4', 'pdf', 'txt', 'zip', 'epub', 'ts', 'docx', 'iso'];

/** Repeatable pseudo-random numbers in [0, 1) (mulberry32). */
export function random(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

const words: string[] = [];

/** The word of a rank, 0 being the most frequent. */
export function wordAt(rank: number): string {
	const known = words[rank];
	if (known) return known;
	const next = random(rank * 7919 + 17);
	let pick = next() * 100;
	const script =
		scripts.find(one => {
			pick -= one.share;
			return pick < 0;
		}) ?? scripts[0]!;
	const syllables = script.letters[0]?.length === 1 ? 2 + Math.floor(next() * 2) : 2 + Math.floor(next() * 3);
	let word = '';
	for (let i = 0; i < syllables; i++) word += script.letters[Math.floor(next() * script.letters.length)];
	words[rank] = word;
	return word;
}

/** A rank by Zipf's law (exponent 1), by inverting its continuous form. */
export function zipf(chance: number, count = vocabulary): number {
	return Math.min(count - 1, Math.floor((count + 1) ** chance) - 1);
}

export class Corpus {
	readonly files: number;
	readonly peers: number;

	/** @param peers one alone shares nothing with others */
	constructor(files: number, peers = Math.max(20, Math.ceil(files / filesPerPeer))) {
		this.files = files;
		this.peers = peers;
	}

	/** Files of one peer: as many for each. */
	get perPeer(): number {
		return Math.ceil(this.files / this.peers);
	}

	/** The file of a peer at a place of its catalog. Files come by folders of twelve that are shared whole. */
	file(peer: number, at: number): CatalogChange & {op: 'add'} {
		const group = Math.floor(at / filesPerFolder);
		const next = random((peer * 100_003 + group) * 2_654_435 + 1);
		const pool = Math.floor((this.files * poolPart) / filesPerFolder);
		const isShared = next() < sharedPart && this.peers > 1;
		const album = isShared ? Math.floor(pool * next() ** 2) : pool + peer * this.perPeer + group;
		const of = random(album * 40_503 + 7);
		const share = shares[Math.floor(of() * shares.length)] ?? '';
		const folder = `${share}/${titled(wordAt(zipf(of())))} ${wordAt(zipf(of()))}`;
		const key = album * filesPerFolder + (at % filesPerFolder);
		const own = random(key * 7919 + 11);
		const name = fileName(own);
		// Some name a copy anew.
		const renamed = isShared && next() < 0.1 ? name.replace(/(\.\w+)$/, ` (${1 + Math.floor(next() * 3)})$1`) : name;
		const size = Math.floor(10 ** (2 + own() * 7));
		return {op: 'add', path: `${folder}/${renamed}`, size, content: contentOf(key)};
	}

	/** All of a peer. */
	*catalog(peer: number): Generator<CatalogChange & {op: 'add'}> {
		for (let at = 0; at < this.perPeer; at++) yield this.file(peer, at);
	}
}

function fileName(of: () => number): string {
	const count = 2 + Math.floor(of() * 4);
	const parts: string[] = [];
	for (let i = 0; i < count; i++) parts.push(wordAt(zipf(of())));
	const style = of();
	if (style < 0.2) parts.push(String(1990 + Math.floor(of() * 36)));
	if (style > 0.9) parts.unshift(String(1 + Math.floor(of() * 20)).padStart(2, '0'));
	const ending = endings[Math.floor(of() * endings.length)];
	const separator = style < 0.5 ? ' ' : style < 0.7 ? '_' : style < 0.85 ? '-' : style < 0.93 ? '.' : '';
	return `${separator === '' ? parts.map(titled).join('') : parts.join(separator)}.${ending}`;
}

function titled(word: string): string {
	return word.charAt(0).toUpperCase() + word.slice(1);
}

function contentOf(key: number): string {
	const next = random(key * 97 + 3);
	let hex = '';
	for (let i = 0; i < 8; i++)
		hex += Math.floor(next() * 2 ** 32)
			.toString(16)
			.padStart(8, '0');
	return hex;
}
