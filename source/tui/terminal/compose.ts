// From Ink's frame to rows of cells: what each sign stands for is laid where it belongs.
import {blankRow, type CellRow, layCells} from './cell-row.ts';
import {type Sheet, SheetRow} from './sheet.ts';

/** A painted row, or a part of one, and the cell where it begins. */
export type Piece = {readonly row: SheetRow; readonly left: number};

/** A line in which nothing stands for itself. */
const onlySigns = /^[ \ue000-\uf8ff]*$/;

/** What lies in each row of a frame, undermost first. */
export function piecesOf(lines: readonly string[], sheet: Sheet | undefined): Piece[][] {
	const pieces = lines.map((): Piece[] => []);
	const above: {y: number; rows: readonly SheetRow[]; left: number}[] = [];
	for (const [y, line] of lines.entries()) {
		if (!sheet || !onlySigns.test(line)) {
			// What Ink draws by itself, such as the report of a crash.
			pieces[y]?.push({row: new SheetRow(line), left: 0});
			continue;
		}
		for (let at = 0; at < line.length; at++) {
			const block = line[at] === ' ' ? undefined : sheet.blockOf(line.charCodeAt(at));
			if (!block) continue;
			if (block.left === undefined) {
				for (const [below, row] of block.rows.entries()) pieces[y + below]?.push({row, left: at});
			} else above.push({y, rows: block.rows, left: block.left});
		}
	}
	for (const {y, rows, left} of above) for (const [below, row] of rows.entries()) pieces[y + below]?.push({row, left});
	return pieces;
}

/** Whether a row consists of the same pieces as in the frame before. */
export function isSameRow(before: readonly Piece[] | undefined, after: readonly Piece[]): boolean {
	return (
		before?.length === after.length &&
		after.every(({row, left}, at) => {
			const old = before[at];
			return old?.left === left && (old.row === row || old.row.text === row.text);
		})
	);
}

/** The cells of one row of the screen. */
export function composeRow(pieces: readonly Piece[], columns: number): CellRow {
	const cells = blankRow(columns);
	for (const {row, left} of pieces) layCells(cells, row.cells, left);
	return cells;
}
