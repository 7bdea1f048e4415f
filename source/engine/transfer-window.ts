import type {TransferCounts, TransferRow, TransferState, Window} from './messages.ts';

/** Running ones first, then those that go on by themselves, then those that wait for a person, then what is over. */
const order: Record<TransferState, number> = {
	running: 0,
	verifying: 1,
	waiting: 3,
	queued: 4,
	paused: 5,
	failed: 2,
	done: 6,
};

/** The visible part of all transfers, and how many there are of each kind. */
export function transferWindow(
	rows: TransferRow[],
	visible: {offset: number; rows: number},
): Window<TransferRow> & {counts: TransferCounts} {
	const counts: TransferCounts = {down: 0, up: 0, waiting: 0, paused: 0, failed: 0, done: 0};
	for (const row of rows) count(counts, row);
	// Sorting is stable: within a state the order of the queue stays.
	const sorted = rows.toSorted((a, b) => order[a.state] - order[b.state] || direction(a) - direction(b));
	const offset = Math.max(0, Math.min(visible.offset, sorted.length - 1));
	return {offset, total: sorted.length, rows: sorted.slice(offset, offset + visible.rows), counts};
}

function direction(row: TransferRow): number {
	return row.direction === 'down' ? 0 : 1;
}

function count(counts: TransferCounts, {state, direction}: TransferRow): void {
	if (state === 'running' || state === 'verifying') counts[direction]++;
	else if (state === 'waiting' || state === 'queued') counts.waiting++;
	else counts[state]++;
}
