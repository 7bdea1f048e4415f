import type {BrowseEntry} from '../api/schemas.ts';
import {formatFolderLink} from '../content/folder-link.ts';
import {formatLink} from '../content/link.ts';
import {displayText} from '../core/display.ts';
import {P2pError} from '../core/errors.ts';
import {exitCodes} from '../core/exit-codes.ts';
import {formatBytes} from '../core/format.ts';
import {baseName} from '../core/share-path.ts';
import {browsePeer} from '../engine/browse-peer.ts';
import {eachPage} from '../net/each-page.ts';
import {type Command, printJson, printLine} from './context.ts';
import {withNetwork} from './network.ts';

/** `p2p-tui ls <peer> [path]`: what a peer shares, a folder at a time. */
export const command: Command = async context => {
	const [peer, ...rest] = context.input;
	if (peer === undefined)
		throw new P2pError('usage', 'Whose files should be listed?', {
			hint: 'Example: p2p-tui ls 1; p2p-tui peers shows the numbers',
		});
	if (rest.length > 1) throw new P2pError('usage', 'One path at a time', {hint: 'Put a path with spaces in quotes'});
	const path = (rest[0] ?? '').replace(/^\/+|\/+$/g, '');
	return withNetwork(context, async ({router, client, servers}) => {
		const {id} = await router.peer(peer, context.signal);
		let printed = 0;
		for await (const page of eachPage(cursor =>
			browsePeer(router, client, peer, {path, cursor, signal: context.signal}),
		)) {
			for (const entry of page.entries) {
				printed++;
				if (context.json) printJson({...entry, link: linkTo(entry, id, servers)});
				else printLine(entryLine(entry));
			}
		}
		if (printed === 0 && path !== '') throw new P2pError('not-found', `Peer ${peer} shares nothing under ${path}`);
		if (printed === 0 && !context.json) printLine(`Peer ${peer} shares nothing`);
		return exitCodes.done;
	});
};

/** What `get` takes: a file by its content, whoever has it; a folder by the peer that shares it. */
function linkTo(entry: BrowseEntry, peer: string, servers: string[]): string {
	if (entry.type === 'folder') return formatFolderLink({peer, path: entry.path, servers});
	const {content, size, path} = entry;
	return formatLink({content, size, name: baseName(path), servers});
}

function entryLine(entry: BrowseEntry): string {
	const size = formatBytes(entry.size).padStart(9);
	if (entry.type === 'file') return `${size}  ${displayText(entry.path)}`;
	return `${size}  ${displayText(entry.path)}/  (${entry.files.toLocaleString('en')} files)`;
}
