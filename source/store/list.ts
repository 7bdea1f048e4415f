// Moving a cursor in a long list of which only a window may be known.
import type {Step} from './actions.ts';
import type {ListState} from './state.ts';

const clamp = (value: number, low: number, high: number) => Math.max(low, Math.min(high, value));

/** `list` with the cursor at `index` and scrolled so that it is visible. `keyAt` names the row where it is known. */
export function placeCursor(
	list: ListState,
	index: number,
	total: number,
	rows: number,
	keyAt: (index: number) => string | undefined,
): ListState {
	const at = clamp(index, 0, Math.max(0, total - 1));
	const top = clamp(clamp(list.top, at - rows + 1, at), 0, Math.max(0, total - rows));
	const key = total > 0 ? keyAt(at) : undefined;
	return list.index === at && list.top === top && list.key === key ? list : {index: at, top, key};
}

/** Where a step from `index` leads. */
export function stepIndex(index: number, step: Step, total: number, rows: number): number {
	switch (step) {
		case 'up':
			return index - 1;
		case 'down':
			return index + 1;
		case 'pageUp':
			return index - Math.max(1, rows - 1);
		case 'pageDown':
			return index + Math.max(1, rows - 1);
		case 'first':
			return 0;
		case 'last':
			return total - 1;
	}
}

/**
 * The cursor after the rows changed: with its row if that is still known, else where it was. The view moves with the
 * row, so that what is under the eye stays there.
 */
export function followRow(
	list: ListState,
	total: number,
	rows: number,
	indexOf: (key: string) => number | undefined,
	keyAt: (index: number) => string | undefined,
): ListState {
	const found = list.key === undefined || list.index === 0 ? undefined : indexOf(list.key);
	const index = found ?? list.index;
	const moved = {...list, top: Math.max(0, list.top + (index - list.index))};
	const next = placeCursor(moved, index, total, rows, keyAt);
	return next.index === list.index && next.top === list.top && next.key === list.key ? list : next;
}
