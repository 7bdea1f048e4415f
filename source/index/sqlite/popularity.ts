import type {CatalogStatements} from './catalog-statements.ts';
import {type ContentTexts, searchedPlaces} from './content-texts.ts';
import {popularityOf, rowIdOf} from './fts-text.ts';

/** Contents that one step moves, and rows that it looks at: some ten milliseconds. */
const movedPerStep = 500;
const readPerStep = 10_000;

type FileRow = [id: number, nsrc: number, size: number, twin: number, pop: number, hash: Uint8Array, name: string];
type Move = {
	id: number;
	shares: number;
	twin: number;
	popularity: number;
	/** Row IDs. */
	from: number;
	to: number;
	text: string;
};

/**
 * Moves contents in the full-text table to the popularity that they have come to. Uploads leave it for a quiet moment:
 * a content that a hundred peers register one after the other moves once instead of seven times.
 */
export class PopularityMoves {
	readonly #statements: CatalogStatements;
	readonly #texts: ContentTexts;
	readonly #waiting = new Set<number>();
	/** What was left at the end of the last run is looked for once, up to here. */
	#lookedAt = 0;
	#isSure: boolean;

	/** @param isSure nothing can be left from before */
	constructor(statements: CatalogStatements, texts: ContentTexts, isSure: boolean) {
		this.#statements = statements;
		this.#texts = texts;
		this.#isSure = isSure;
	}

	/** Takes in contents of a transaction that stands. */
	add(files: number[]): void {
		for (const file of files) this.#waiting.add(file);
	}

	/** Whether there is something to do. */
	get isDone(): boolean {
		return this.#isSure && this.#waiting.size === 0;
	}

	/** One step, inside a transaction; returns the contents whose rows of the full-text table were written anew. */
	step(): number[] {
		if (!this.#isSure && this.#waiting.size < movedPerStep) this.#look();
		const moves: Move[] = [];
		for (const id of this.#waiting) {
			if (moves.length === movedPerStep) break;
			this.#waiting.delete(id);
			const move = this.#read(id);
			if (move) moves.push(move);
		}
		const {dropText, addText, setFile} = this.#statements;
		// FTS5 writes out what it has gathered whenever a row ID is smaller than the one before.
		for (const {from} of moves.sort((a, b) => a.from - b.from)) dropText.get(from);
		for (const {to, text} of moves.sort((a, b) => a.to - b.to)) addText.get(to, text);
		for (const {id, shares, twin, popularity} of moves) setFile.get(shares, twin, popularity, id);
		return moves.map(({id}) => id);
	}

	#look(): void {
		const rows = this.#statements.popularities.all(this.#lookedAt, readPerStep) as unknown as [
			number,
			number,
			number,
		][];
		for (const [id, shares, popularity] of rows) if (popularityOf(shares) !== popularity) this.#waiting.add(id);
		this.#lookedAt = rows.at(-1)?.[0] ?? this.#lookedAt;
		this.#isSure = rows.length < readPerStep;
	}

	#read(file: number): Move | undefined {
		const row = this.#statements.fileById.get(file) as unknown as FileRow | undefined;
		if (!row) return undefined;
		const [id, shares, size, twin, before, , name] = row;
		const popularity = popularityOf(shares);
		if (popularity === before) return undefined;
		const text = this.#texts.of(searchedPlaces(this.#statements.placesOf(id, name)), size);
		return {id, shares, twin, popularity, from: rowIdOf(id, before), to: rowIdOf(id, popularity), text};
	}
}
