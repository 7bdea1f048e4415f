// What happened between two snapshots that a person wants to be told, wherever they look.
import type {PeerSnapshot, TransferRow} from '../engine/messages.ts';
import {shortFolder} from './folder.ts';
import type {Toast} from './state.ts';

const isOver = ({state}: TransferRow) => state === 'done' || state === 'failed';

/** The newest end of a download, or a change of the first index server; undefined when there is nothing to tell. */
export function noticeBetween(before: PeerSnapshot, after: PeerSnapshot): Omit<Toast, 'id'> | undefined {
	const running = new Map(before.transfers.rows.filter(row => !isOver(row)).map(row => [row.key, row]));
	for (const row of after.transfers.rows) {
		if (row.direction !== 'down' || !isOver(row) || !running.has(row.key)) continue;
		if (row.state === 'failed') return {kind: 'error', text: `${row.name}: ${row.message ?? 'failed'}`, isNews: true};
		const place = row.path ? `: ${shortFolder(row.path)}` : '';
		return {kind: 'ok', text: `${row.name} is verified and on disk${place}`, isNews: true};
	}
	for (const link of after.servers) {
		const was = before.servers.find(server => server.address === link.address)?.state;
		if (was === 'online' && link.state === 'lost') {
			return {kind: 'warn', text: `${link.address} is lost, trying again; transfers go on`};
		}
		if (was === 'lost' && link.state === 'online') return {kind: 'ok', text: `${link.address} is back`};
	}
	return undefined;
}
