// What the panes show, worked out from the state: the rows of each list, the chosen file and peer, what is busy.
import type {BrowseEntry, ContentSources, Source} from '../api/schemas.ts';
import type {LogLevel} from '../core/events.ts';
import type {LogLine, PeerRow, RequestRow, ShareRow, TransferRow} from '../engine/messages.ts';
import type {ListId, SortKey, UiState} from './state.ts';

const sorters: Record<Exclude<SortKey, 'best'>, (a: ContentSources, b: ContentSources) => number> = {
	name: (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
	size: (a, b) => b.size - a.size,
	peers: (a, b) => b.sourceCount - a.sourceCount,
};

/** One-entry memory: the same arguments give the same array, so that nothing is sorted or drawn twice. */
function remember<A extends readonly unknown[], R>(work: (...args: A) => R): (...args: A) => R {
	let last: {args: A; result: R} | undefined;
	return (...args) => {
		if (last?.args.every((arg, index) => Object.is(arg, args[index]))) return last.result;
		last = {args, result: work(...args)};
		return last.result;
	};
}

const sortHits = remember((hits: readonly ContentSources[], sort: SortKey, reverse: boolean) => {
	if (sort === 'best') return reverse ? hits.toReversed() : hits;
	const sorted = hits.toSorted(sorters[sort]);
	return reverse ? sorted.reverse() : sorted;
});

/** The hits in the order that was chosen. */
export function sortedHits({search}: UiState): readonly ContentSources[] {
	return sortHits(search.hits, search.sort, search.reverse);
}

/** The hit under the cursor. */
export function currentHit(state: UiState): ContentSources | undefined {
	return sortedHits(state)[state.lists.search.index];
}

/** The peer ID under the strip's cursor. */
export function currentSource(state: UiState): Source | undefined {
	return currentHit(state)?.sources[state.search.peerIndex];
}

/** Marked peer IDs of a hit. */
export function marksOf(state: UiState, content: string): readonly string[] {
	return state.search.marks[content] ?? [];
}

/** The sources that can be asked: online, and not this machine itself. */
export function ableSources(hit: ContentSources, self: string | undefined): Source[] {
	return hit.sources.filter(source => source.online && source.peer !== self);
}

/**
 * The peers that a download of this hit starts with: those that were marked, else the one that the cursor was moved
 * to, else all that are online.
 */
export function wantedPeers(state: UiState, hit: ContentSources): string[] {
	const able = ableSources(hit, state.peer?.id).map(source => source.peer);
	const marked = marksOf(state, hit.content).filter(peer => able.includes(peer));
	if (marked.length > 0) return marked;
	const moved = state.search.peerMoved ? hit.sources[state.search.peerIndex]?.peer : undefined;
	return moved !== undefined && able.includes(moved) ? [moved] : able;
}

type Windowed<T> = {offset: number; total: number; rows: readonly T[]};
const none: Windowed<never> = {offset: 0, total: 0, rows: []};

/** A list's rows as far as they are known, and how to name them. */
function windowOf(state: UiState, list: ListId): Windowed<unknown> & {key: (row: never) => string} {
	switch (list) {
		case 'search': {
			const rows = sortedHits(state);
			return {offset: 0, total: rows.length, rows, key: (hit: ContentSources) => hit.content};
		}
		case 'transfers':
			return {...(state.peer?.transfers ?? none), key: (row: TransferRow) => row.key};
		case 'peers':
			return {...(state.peer?.peers ?? none), key: (row: PeerRow) => row.id};
		case 'members':
			return {...(state.server?.peers ?? none), key: (row: PeerRow) => row.id};
		case 'shares': {
			const rows = state.peer?.shares ?? [];
			return {offset: 0, total: rows.length, rows, key: (row: ShareRow) => row.name};
		}
		case 'browse': {
			const rows = state.browse?.entries ?? [];
			return {offset: 0, total: rows.length, rows, key: (row: BrowseEntry) => row.path};
		}
	}
}

/** Looks keys and places of a list up. */
export function listIndex(state: UiState, list: ListId) {
	const {offset, total, rows, key} = windowOf(state, list);
	const nameOf = key as (row: unknown) => string;
	return {
		total,
		keyAt: (index: number) => {
			const row = rows[index - offset];
			return row === undefined ? undefined : nameOf(row);
		},
		indexOf: (wanted: string) => {
			const found = rows.findIndex(row => nameOf(row) === wanted);
			return found === -1 ? undefined : found + offset;
		},
	};
}

/** The transfer under the cursor. */
export function currentTransfer(state: UiState): TransferRow | undefined {
	const window = state.peer?.transfers;
	return window?.rows[state.lists.transfers.index - window.offset];
}

/** The peer under the cursor of the peers pane. */
export function currentPeer(state: UiState): PeerRow | undefined {
	const window = state.peer?.peers;
	return window?.rows[state.lists.peers.index - window.offset];
}

/** The share under the cursor. */
export function currentShare(state: UiState): ShareRow | undefined {
	return state.peer?.shares[state.lists.shares.index];
}

/** The entry under the cursor of a peer's tree. */
export function currentEntry(state: UiState): BrowseEntry | undefined {
	return state.browse?.entries[state.lists.browse.index];
}

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

const filterLog = remember((lines: readonly LogLine[], level: LogLevel, filter: string) => {
	const lowest = levels.indexOf(level);
	const wanted = filter.toLowerCase();
	return lines.filter(
		line => levels.indexOf(line.level) >= lowest && (wanted === '' || line.text.toLowerCase().includes(wanted)),
	);
});

/** The log's lines that pass its level and filter, oldest first. */
export function logLines({log, peer}: UiState): readonly LogLine[] {
	return filterLog(log.frozen ?? peer?.log ?? [], log.level, log.filter);
}

const filterRequests = remember((rows: readonly RequestRow[], filter: string) => {
	const wanted = filter.toLowerCase();
	if (wanted === '') return rows;
	return rows.filter(row => `${row.verb} ${row.peer} ${row.argument} ${row.result}`.toLowerCase().includes(wanted));
});

/** The server's requests that pass the filter, oldest first. */
export function requestRows({requests, server}: UiState): readonly RequestRow[] {
	return filterRequests(requests.frozen ?? server?.log ?? [], requests.filter);
}

/** The lines of a tail that are visible: `rows` of them, `back` above the end. */
export function tailWindow<T>(lines: readonly T[], back: number, rows: number): readonly T[] {
	const end = Math.max(Math.min(rows, lines.length), lines.length - back);
	return lines.slice(Math.max(0, end - rows), end);
}

/** Downloads and uploads that would stop with the program. */
export function runningTransfers(state: UiState): {down: number; up: number} {
	const counts = state.peer?.transfers.counts;
	return {down: counts?.down ?? 0, up: counts?.up ?? 0};
}
