// Painted rows on their way past Ink: a component's rows stand in Ink's frame as one sign, and are put in the sign's
// place after Ink is done.
import {type Cells, parseCells} from './cell-row.ts';

/**
 * The signs are those that Unicode leaves to private use (U+E000 to U+F8FF); each is one cell wide to Ink. No name is
 * taken for one: what others wrote reaches a frame only inside of painted rows.
 */
const firstSign = 0xe000;
const lastSign = 0xf8ff;
/** Signs that a block takes in turns, so that Ink sees another frame when its rows are others than what was drawn. */
const turns = 2;

/** One painted row, taken apart when it is drawn first. The same object for as long as the row stays the same. */
export class SheetRow {
	readonly text: string;
	#cells: Cells | undefined;

	constructor(text: string) {
		this.text = text;
	}

	get cells(): Cells {
		this.#cells ??= parseCells(this.text);
		return this.#cells;
	}
}

/** The rows of one component. */
export type SheetBlock = {
	readonly rows: readonly SheetRow[];
	/** First cell of rows that lie above all others; others lie where their sign stands. */
	readonly left: number | undefined;
};

type Slot = {
	rows: SheetRow[];
	left: number | undefined;
	turn: number;
	/** Whether it was drawn since it was changed. Only then it needs its other sign: two changes must not look like none. */
	drawn: boolean;
	used: boolean;
};

/**
 * Holds the painted rows of what is mounted. Ink takes each text of a frame apart and measures it, and builds the frame
 * of all its cells anew, up to 60 times a second: most of a frame's time. Here a row is taken apart once, when it changes.
 */
export class Sheet {
	readonly #slots: Slot[] = [];
	readonly #free: number[] = [];

	/** A place for a component's rows; a number for `sign` and `close`. */
	open(): number {
		const free = this.#free.pop();
		const slot = free === undefined ? undefined : this.#slots[free];
		if (free !== undefined && slot) {
			slot.used = true;
			return free;
		}
		if ((this.#slots.length + 1) * turns > lastSign - firstSign) throw new RangeError('too many parts on one screen');
		return this.#slots.push({rows: [], left: undefined, turn: 0, drawn: false, used: true}) - 1;
	}

	/** The component is gone; its sign goes to another. */
	close(place: number): void {
		const slot = this.#slots[place];
		if (!slot?.used) return;
		slot.used = false;
		slot.rows = [];
		this.#free.push(place);
	}

	/**
	 * What Ink is to draw for these rows: one character.
	 * @param left where the rows begin when they lie above everything else, wherever their sign stands
	 */
	sign(place: number, rows: readonly string[], left: number | undefined): string {
		const slot = this.#slots[place] as Slot;
		const before = slot.rows;
		const isSame =
			slot.left === left && before.length === rows.length && rows.every((text, at) => before[at]?.text === text);
		if (!isSame) {
			if (slot.drawn) slot.turn = (slot.turn + 1) % turns;
			slot.drawn = false;
			slot.left = left;
			slot.rows = rows.map((text, at) => {
				const old = before[at];
				return old?.text === text ? old : new SheetRow(text);
			});
		}
		return String.fromCharCode(firstSign + place * turns + slot.turn);
	}

	/** The rows that a character of a frame stands for, to be drawn; undefined for one that stands for itself. */
	blockOf(code: number): SheetBlock | undefined {
		const slot = code < firstSign || code > lastSign ? undefined : this.#slots[Math.floor((code - firstSign) / turns)];
		if (!slot?.used) return undefined;
		slot.drawn = true;
		return slot;
	}
}
