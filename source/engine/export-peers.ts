import path from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import type {PeerInfo} from '../api/schemas.ts';
import {diskError} from '../core/errors.ts';
import type {IndexStore} from '../index/store.ts';

const pageSize = 1000;
const columns = ['number', 'id', 'name', 'host', 'port', 'files', 'bytes', 'online', 'since'] as const;

/**
 * Writes all registered peers with their counts into a folder, once as JSON and once as CSV (RFC 4180).
 *
 * @param now Unix milliseconds, for the files' names
 * @returns where they lie, and how many peers are in them
 * @throws P2pError not-writable, no-space
 */
export async function exportPeers(
	store: IndexStore,
	folder: string,
	now: number,
): Promise<{json: string; csv: string; peers: number}> {
	const peers: PeerInfo[] = [];
	let cursor: string | undefined;
	do {
		const page = await store.listPeers({limit: pageSize, ...(cursor !== undefined && {cursor})});
		peers.push(...page.peers);
		cursor = page.cursor;
	} while (cursor !== undefined);
	const stamp = new Date(now).toISOString().slice(0, 19).replaceAll(':', '-');
	const json = path.join(folder, `peers-${stamp}.json`);
	const csv = path.join(folder, `peers-${stamp}.csv`);
	const lines = [columns.join(','), ...peers.map(peer => columns.map(column => csvCell(peer[column])).join(','))];
	try {
		await writeFileAtomic(json, `${JSON.stringify(peers, undefined, '\t')}\n`, {mode: 0o600});
		await writeFileAtomic(csv, `${lines.join('\r\n')}\r\n`, {mode: 0o600});
	} catch (error) {
		throw diskError(error, `Cannot export into ${folder}`);
	}
	return {json, csv, peers: peers.length};
}

/** A value as a cell. A name from the network that a spreadsheet would take for a formula becomes text. */
function csvCell(value: string | number | boolean): string {
	const text = String(value);
	const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
	return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
