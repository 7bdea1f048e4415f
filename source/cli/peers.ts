import type {PeerInfo} from '../api/schemas.ts';
import {formatAddress} from '../core/address.ts';
import {displayText} from '../core/display.ts';
import {exitCodes} from '../core/exit-codes.ts';
import {formatBytes, shortId} from '../core/format.ts';
import {eachPage} from '../net/each-page.ts';
import {type Command, printJson, printLine} from './context.ts';
import {withNetwork} from './network.ts';

/** `p2p-tui peers`: the registered peers, those online first. */
export const command: Command = async context =>
	withNetwork(context, async ({router}) => {
		let printed = 0;
		for await (const page of eachPage(cursor => router.peers({cursor, signal: context.signal}))) {
			for (const peer of page.peers) {
				printed++;
				if (context.json) printJson(peer);
				else printLine(peerLine(peer));
			}
		}
		if (printed === 0 && !context.json) printLine('No peer has registered yet');
		return exitCodes.done;
	});

function peerLine(peer: PeerInfo): string {
	const state = peer.online ? 'online ' : 'offline';
	return displayText(
		`${String(peer.number).padStart(4)}  ${state}  ${shortId(peer.id)}  ${peer.name}  ${formatAddress(peer)}  ${peer.files.toLocaleString('en')} files, ${formatBytes(peer.bytes)}`,
	);
}
