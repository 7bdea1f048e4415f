// Stands between Ink and the terminal: Ink hands over whole frames, and only the cells that changed are written.
import {type CellRow, changeRow} from './cell-row.ts';
import {composeRow, isSameRow, type Piece, piecesOf} from './compose.ts';
import type {Sheet} from './sheet.ts';
import type {ScreenStream} from './terminal-modes.ts';

/** Sequences before a frame by which Ink would take its last one away: whatever is no colour. */
const erasing = /^(?:\u001b\[[\d;?]*[A-Za-ln-z])+/;
/** Begin and end of what a terminal is to show at once. */
const begin = '\u001b[?2026h';
const end = '\u001b[?2026l';
/** Columns that Ink has more than the terminal: the signs of what lies above everything else stand there. */
export const columnsBeside = 1;

/**
 * A terminal for Ink. A frame is compared with the last one cell by cell, and goes out in one write: a third of the
 * bytes that Ink's own comparison by rows takes. All else passes through as it is.
 */
export class FramePainter {
	readonly #stream: ScreenStream;
	readonly #sheet: Sheet | undefined;
	#pieces: readonly (readonly Piece[])[] = [];
	#rows: (CellRow | undefined)[] = [];
	#columns = 0;

	/** @param sheet what the signs in a frame stand for; without one a frame is taken as it is */
	constructor(stream: ScreenStream, sheet?: Sheet) {
		this.#stream = stream;
		this.#sheet = sheet;
	}

	/** What is on the screen is no longer known: the next frame is drawn whole. */
	forget(): void {
		this.#pieces = [];
		this.#rows = [];
	}

	/** For Ink. */
	write(chunk: string, ...rest: ((error?: Error | null) => void)[]): boolean {
		const prefix = erasing.exec(chunk)?.[0] ?? '';
		const frame = chunk.slice(prefix.length);
		if (frame === '') {
			if (chunk === begin || chunk === end) return true;
			// Another screen, or this one erased.
			if (chunk !== '' && !/^\u001b\[\?25[hl]$/.test(chunk)) this.forget();
			return this.#stream.write(chunk, ...rest);
		}
		if (prefix.includes('J')) this.forget();
		return this.#stream.write(this.#paint(frame), ...rest);
	}

	#paint(frame: string): string {
		const {rows} = this;
		const columns = this.#stream.columns || 80;
		const lines = frame.split('\n').slice(0, rows);
		if (columns !== this.#columns || lines.length < this.#pieces.length) this.forget();
		this.#columns = columns;
		const isNew = this.#pieces.length === 0;
		const pieces = piecesOf(lines, this.#sheet);
		let bytes = '';
		for (const [at, row] of pieces.entries()) {
			if (!isNew && isSameRow(this.#pieces[at], row)) continue;
			const next = composeRow(row, columns);
			bytes += changeRow(this.#rows[at], next, at + 1);
			this.#rows[at] = next;
		}
		this.#pieces = pieces;
		if (isNew) bytes = `\u001b[2J${bytes}`;
		return bytes === '' ? '' : begin + bytes + end;
	}

	get isTTY(): boolean {
		return this.#stream.isTTY ?? false;
	}
	get columns(): number {
		return (this.#stream.columns || 80) + (this.#sheet ? columnsBeside : 0);
	}
	get rows(): number {
		return this.#stream.rows || 24;
	}
	get destroyed(): boolean {
		return this.#stream.destroyed ?? false;
	}
	get writable(): boolean {
		return this.#stream.writable;
	}
	on(event: string, listener: () => void): this {
		this.#stream.on(event, listener);
		return this;
	}
	off(event: string, listener: () => void): this {
		this.#stream.off(event, listener);
		return this;
	}
}
