// Stands between Ink and the terminal: Ink hands over whole frames, and only the cells that changed are written.
import {type CellRow, changeRow, parseRow} from './cell-row.ts';
import type {ScreenStream} from './terminal-modes.ts';

/** Sequences before a frame by which Ink would take its last one away: whatever is no colour. */
const erasing = /^(?:\u001b\[[\d;?]*[A-Za-ln-z])+/;
/** Begin and end of what a terminal is to show at once. */
const begin = '\u001b[?2026h';
const end = '\u001b[?2026l';

/**
 * A terminal for Ink. A frame is compared with the last one cell by cell, and goes out in one write: a third of the
 * bytes that Ink's own comparison by rows takes. All else passes through as it is.
 */
export class FramePainter {
	readonly #stream: ScreenStream;
	#lines: readonly string[] = [];
	#rows: (CellRow | undefined)[] = [];
	#columns = 0;

	constructor(stream: ScreenStream) {
		this.#stream = stream;
	}

	/** What is on the screen is no longer known: the next frame is drawn whole. */
	forget(): void {
		this.#lines = [];
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
		const {columns, rows} = this;
		const lines = frame.split('\n').slice(0, rows);
		if (columns !== this.#columns || lines.length < this.#lines.length) this.forget();
		this.#columns = columns;
		const isNew = this.#lines.length === 0;
		let bytes = '';
		for (const [at, line] of lines.entries()) {
			if (!isNew && this.#lines[at] === line) continue;
			const next = parseRow(line, columns);
			bytes += changeRow(this.#rows[at], next, at + 1);
			this.#rows[at] = next;
		}
		this.#lines = lines;
		if (isNew) bytes = `\u001b[2J${bytes}`;
		return bytes === '' ? '' : begin + bytes + end;
	}

	get isTTY(): boolean {
		return this.#stream.isTTY ?? false;
	}
	get columns(): number {
		return this.#stream.columns || 80;
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
