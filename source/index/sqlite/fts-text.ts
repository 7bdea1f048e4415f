// What stands in the full-text table for a content: the words of its paths, and private-use characters for the filters,
// so that they are part of one index lookup. User text never reaches SQLite's query syntax but as quoted tokens.
import {type FileKind, fileKinds} from '../../api/kinds.ts';
import {nameStem} from '../../api/query-match.ts';

/** Room for file IDs below the popularity in a row ID. */
export const idSpace = 2 ** 40;
const popularities = 40;
const kindBase = 0xe000;
const sizeBase = 0xe100;
/** Size classes have a character together as well: a range of thirty is as many lookups otherwise. */
const sizeGroupBase = 0xe180;
const sizeGroup = 8;
/** The class from 8 GiB on, and how many a narrow range has. */
const lastCommonSize = 33;
const narrowSizes = 6;
/** Planes 15 and 16 are private use: endings and whole names share their characters, and are compared afterwards. */
const extensionBase = 0xf0000;
const nameBase = 0x100000;
const planeSize = 0xfffe;
const highestSizeClass = 53;

/** The row ID of a content: the more popular, the smaller, so that reading in its order meets the popular ones first. */
export function rowIdOf(file: number, popularity: number): number {
	return (popularities - popularity) * idSpace + file;
}

/** The content of a row ID. */
export function fileOfRow(row: number): number {
	return row % idSpace;
}

/**
 * Contents of one popularity have one order of magnitude of shares. The few shares that most contents have are one:
 * each step to the next is written to the index anew.
 */
export function popularityOf(shares: number): number {
	return shares < 4 ? 0 : Math.min(popularities - 1, Math.floor(Math.log2(shares)));
}

/** The characters of a size, for ranges of sizes. */
export function sizeSignsOf(size: number): string {
	return `${sizeSign(sizeClass(size))} ${sizeGroupSign(sizeClass(size))}`;
}

/** The character of a kind. */
export function kindSign(kind: FileKind): string {
	return String.fromCharCode(kindBase + fileKinds.indexOf(kind));
}

/** Whether a word of the full-text table is the character of a kind. */
export function isKindSign(word: string): boolean {
	const place = word.charCodeAt(0) - kindBase;
	return place >= 0 && place < fileKinds.length;
}

/** The character that an ending shares with few others. */
export function extensionSign(extension: string): string {
	return String.fromCodePoint(extensionBase + (hash(extension) % planeSize));
}

/** The character that a folded name without its ending shares with few others. */
export function nameSign(stem: string): string {
	return String.fromCodePoint(nameBase + (hash(stem) % planeSize));
}

/** The characters of all names that are this text, with or without an ending. */
export function nameSigns(text: string): string[] {
	return [...new Set([nameSign(text), nameSign(nameStem(text))])];
}

/** The characters of all sizes in a range; the ends are compared afterwards. */
export function sizeSigns(min: number, max: number): string[] {
	const signs: string[] = [];
	const last = sizeClass(max);
	for (let at = sizeClass(min); at <= last; ) {
		const isGroup = at % sizeGroup === 0 && (at + sizeGroup - 1 <= last || last === highestSizeClass);
		signs.push(isGroup ? sizeGroupSign(at) : sizeSign(at));
		at += isGroup ? sizeGroup : 1;
	}
	return signs;
}

/**
 * Whether a range of sizes has so much in it that going through the lists of its classes costs more than looking up the
 * size of what was found: classes above the last common one have few files.
 */
export function isWide(min: number, max: number): boolean {
	return Math.min(sizeClass(max), lastCommonSize) - sizeClass(min) >= narrowSizes;
}

function sizeGroupSign(of: number): string {
	return String.fromCharCode(sizeGroupBase + Math.floor(of / sizeGroup));
}

function sizeSign(of: number): string {
	return String.fromCharCode(sizeBase + of);
}

/** The class of a size: its order of magnitude, by twos. */
export function sizeClass(size: number): number {
	return Math.min(highestSizeClass, Math.floor(Math.log2(size + 1)));
}

/** FNV-1a over UTF-16 units, 32 bits: stable across versions, as it is stored. */
function hash(text: string): number {
	let value = 0x811c9dc5;
	for (let index = 0; index < text.length; index++) {
		value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
	}
	return value >>> 0;
}
