// What is shared, and with whom, without a screen.
import {displayText} from '../../core/display.ts';
import {P2pError} from '../../core/errors.ts';
import {formatBytes, shortId} from '../../core/format.ts';
import type {PeerRow, ShareRow} from '../../engine/messages.ts';
import {chosen, count, peerNames} from './chosen.ts';
import type {PlainCommand, PlainState} from './commands.ts';

/** Whom a share is for, in words. */
function audienceText(ids: readonly string[] | undefined, peers: readonly PeerRow[]): string {
	if (ids === undefined) return 'everybody';
	if (ids.length === 0) return 'nobody';
	const names = ids.map(id => displayText(peers.find(peer => peer.id === id)?.name ?? shortId(id)));
	return `${names.join(', ')} alone`;
}

function shares({engine, print}: PlainState): void {
	const {shares: rows, peers} = engine.snapshot();
	if (rows.length === 0) print('Nothing is shared: share and a folder adds one');
	for (const row of rows) {
		const whom = row.audience ? `, for ${audienceText(row.audience, peers.rows)}` : '';
		print(
			`${displayText(row.name)}, ${displayText(row.folder)}, ${count(row.files, 'file')}, ${formatBytes(row.bytes)}, ${row.state}${whom}`,
		);
	}
}

const shareCalled = (rows: readonly ShareRow[], asked: string) => chosen(rows, asked, row => row.name, 'share');

/** The peer of a name, a number or the start of an ID. @throws P2pError not-found, ambiguous */
function peerCalled(rows: readonly PeerRow[], asked: string): PeerRow {
	const others = rows.filter(row => !row.self);
	const exact = others.filter(({name, number}) => name === asked || String(number) === asked);
	const found = exact.length > 0 ? exact : others.filter(({id}) => id.startsWith(asked.toLowerCase()));
	if (found.length > 1) throw new P2pError('ambiguous', `Several peers are called ${asked}: give a number or an ID`);
	if (!found[0]) throw new P2pError('not-found', `There is no peer ${asked}: peers lists them`);
	return found[0];
}

/** `audience NAME for everybody`, `for nobody`, or `for alice, bob`. */
async function audience({engine, print}: PlainState, argument: string): Promise<void> {
	const [, asked = '', typed = ''] = /^(.*?)(?:\s+for\s+(.+))?$/i.exec(argument) ?? [];
	const {shares: rows, peers} = engine.snapshot();
	const {name, audience: now} = shareCalled(rows, asked.trim());
	if (typed === '') {
		print(`${displayText(name)} is for ${audienceText(now, peers.rows)}`);
		return;
	}
	const whom = typed.trim().toLowerCase();
	const ids =
		whom === 'everybody'
			? null
			: whom === 'nobody'
				? []
				: [...new Set(peerNames(typed, peers.rows).map(peer => peerCalled(peers.rows, peer).id))];
	await engine.commands.setAudience({name, peers: ids});
	print(`${displayText(name)} is for ${audienceText(ids ?? undefined, peers.rows)} now`);
}

/** The commands about shares. */
export const shareCommands: readonly PlainCommand[] = [
	{name: 'shares', usage: '', help: 'what you share', run: shares},
	{
		name: 'share',
		usage: 'FOLDER',
		help: 'share a folder',
		async run({engine, print}, folder) {
			if (folder === '') throw new P2pError('usage', 'Share which folder? For example: share ~/Music');
			print(`Sharing ${displayText((await engine.commands.addShare({folder})).name)}`);
		},
	},
	{
		name: 'unshare',
		usage: 'NAME',
		help: 'stop sharing a folder; nothing is deleted',
		async run({engine, print}, asked) {
			const {name} = shareCalled(engine.snapshot().shares, asked);
			await engine.commands.removeShare({name});
			print(`${displayText(name)} is no longer shared`);
		},
	},
	{
		name: 'rescan',
		usage: 'NAME',
		help: 'look through a shared folder again',
		async run({engine, print}, asked) {
			const {name} = shareCalled(engine.snapshot().shares, asked);
			await engine.commands.rescan({name});
			print(`Looking through ${displayText(name)} again`);
		},
	},
	{
		name: 'audience',
		usage: 'NAME [for everybody, nobody or PEER…]',
		help: 'whom a share is for',
		run: audience,
	},
];
