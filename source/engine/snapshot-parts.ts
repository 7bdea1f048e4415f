// Snapshots on their way between threads: only what changed crosses, and what did not stays the same object, so that
// nobody draws it again.
import type {LogLine, PeerSnapshot, RequestRow, ServerSnapshot} from './messages.ts';

type Snapshot = PeerSnapshot | ServerSnapshot;
type Line = LogLine | RequestRow;

/** The parts of a snapshot that are others than before, and the lines that its log has gained. */
export type SnapshotChange = {
	parts: Partial<Record<keyof PeerSnapshot | keyof ServerSnapshot, unknown>>;
	log?: {/** First line that is still there. */ from: number; added: Line[]};
};

/** Whether two values show the same. Objects are compared by what they hold. */
export function isSame(a: unknown, b: unknown): boolean {
	if (Object.is(a, b)) return true;
	if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
	if (Array.isArray(a) && Array.isArray(b))
		return a.length === b.length && a.every((value, at) => isSame(value, b[at]));
	const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
	const keys = Object.keys(left);
	return keys.length === Object.keys(right).length && keys.every(key => key in right && isSame(left[key], right[key]));
}

/** What became another between two snapshots of one engine; undefined when nothing did. */
export function changeBetween(before: Snapshot, after: Snapshot): SnapshotChange | undefined {
	const parts: SnapshotChange['parts'] = {};
	const [old, now] = [before as Record<string, unknown>, after as Record<string, unknown>];
	for (const key of Object.keys(after)) {
		if (key !== 'log' && !isSame(old[key], now[key])) parts[key as keyof PeerSnapshot] = now[key];
	}
	const last = before.log.at(-1)?.seq ?? 0;
	const from = after.log[0]?.seq ?? Number.MAX_SAFE_INTEGER;
	const hasNewLog = (after.log[0]?.seq ?? 0) !== (before.log[0]?.seq ?? 0) || (after.log.at(-1)?.seq ?? 0) !== last;
	if (!hasNewLog && Object.keys(parts).length === 0) return undefined;
	return {parts, ...(hasNewLog && {log: {from, added: after.log.filter(line => line.seq > last)}})};
}

/** The snapshot after a change; parts that did not change are the same objects. */
export function withChange<S extends Snapshot>(before: S, {parts, log}: SnapshotChange): S {
	const lines = log && [...(before.log as Line[]).filter(line => line.seq >= log.from), ...log.added];
	return {...before, ...parts, ...(lines && {log: lines})} as S;
}
