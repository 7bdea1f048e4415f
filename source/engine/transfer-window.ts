import type {DownloadRow, DownloadState} from '../download/types.ts';
import type {TransferCounts, TransferFilter, TransferRow, TransferState, Window} from './messages.ts';

/** Running ones first, then what needs a person, then those that go on by themselves, then what is over. */
const shownOrder: TransferState[] = ['running', 'verifying', 'failed', 'waiting', 'queued', 'paused', 'done'];

/** Which rows each filter lets through, by state and direction. */
const passes: Record<TransferFilter, (state: TransferState, direction: 'down' | 'up') => boolean> = {
	all: () => true,
	down: (_, direction) => direction === 'down',
	up: (_, direction) => direction === 'up',
	unfinished: state => state !== 'done' && state !== 'failed',
	failed: state => state === 'failed',
	done: state => state === 'done',
};

/** The downloads, of which there may be a hundred thousand: counted, and read a few rows at a time. */
export type DownloadList = {
	counts(): Record<DownloadState, number>;
	inState(state: DownloadState, offset: number, limit: number): DownloadRow[];
};

/**
 * The visible part of all transfers, and how many there are of each kind. Within a state downloads come first, in the
 * order of their queue. Only the rows that show are made.
 */
export function transferWindow(
	downloads: DownloadList,
	uploads: readonly TransferRow[],
	visible: {offset: number; rows: number; filter?: TransferFilter},
): Window<TransferRow> & {counts: TransferCounts} {
	const stored = downloads.counts();
	const wanted = passes[visible.filter ?? 'all'];
	const ups = (state: TransferState) => uploads.filter(row => row.state === state);
	const parts = shownOrder.flatMap(state => {
		const up = wanted(state, 'up') ? ups(state) : [];
		const down = wanted(state, 'down') ? stored[state] : 0;
		return [
			{length: down, rows: (from: number, most: number) => downloads.inState(state, from, most).map(downloadRow)},
			{length: up.length, rows: (from: number, most: number) => up.slice(from, from + most)},
		];
	});
	const total = parts.reduce((sum, {length}) => sum + length, 0);
	const offset = Math.max(0, Math.min(visible.offset, total - 1));
	const rows: TransferRow[] = [];
	let skip = offset;
	for (const part of parts) {
		const left = visible.rows - rows.length;
		if (left <= 0) break;
		if (skip < part.length) rows.push(...part.rows(skip, Math.min(left, part.length - skip)));
		skip = Math.max(0, skip - part.length);
	}
	return {offset, total, rows, counts: countsOf(stored, uploads)};
}

function countsOf(down: Record<DownloadState, number>, uploads: readonly TransferRow[]): TransferCounts {
	const up = (...states: TransferState[]) => uploads.filter(row => states.includes(row.state)).length;
	return {
		down: down.running + down.verifying,
		up: up('running', 'verifying'),
		waiting: down.waiting + down.queued + up('waiting', 'queued'),
		paused: down.paused + up('paused'),
		failed: down.failed + up('failed'),
		done: down.done + up('done'),
	};
}

function downloadRow(row: DownloadRow): TransferRow {
	return {...row, key: `down:${row.key}`, direction: 'down'};
}
