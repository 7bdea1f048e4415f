import {statSync} from 'node:fs';
import path from 'node:path';
import {configFile} from '../config/config-file.ts';
import {errorLine} from '../core/errors.ts';
import type {EngineBus} from '../core/events.ts';

/** Who may be sent anything. */
export type PeerRules = {
	/** Whether a caller is answered: asked at each call. `undefined`: a guest, who shows no key and so cannot be blocked. */
	allow(peerId: string | undefined): boolean;
};

/** Milliseconds between two looks at the config file, so that `p2p-tui block` reaches a running peer. */
const lookEvery = 1000;

/**
 * The rules of a peer: everybody is allowed but those whose ID begins with an entry of `block` in its `config.json`. The
 * file is read again when it has changed; one that cannot be read leaves the rules as they were.
 *
 * @throws P2pError usage when the file is wrong at the start
 */
export function createPeerRules(dataDir: string, bus: EngineBus, now: () => number = Date.now): PeerRules {
	const file = path.join(dataDir, 'config.json');
	let stamp = stampOf(file);
	let blocked = configFile(dataDir).block ?? [];
	let lookAt = now() + lookEvery;
	const look = () => {
		lookAt = now() + lookEvery;
		const seen = stampOf(file);
		if (seen === stamp) return;
		stamp = seen;
		try {
			blocked = configFile(dataDir).block ?? [];
		} catch (error) {
			bus.emit('log', {level: 'warn', message: `Who is blocked stays as it was: ${errorLine(error)}`});
		}
	};
	return {
		allow(peerId) {
			if (now() >= lookAt) look();
			return peerId === undefined || !blocked.some(entry => peerId.startsWith(entry));
		},
	};
}

/** What changes whenever the file is replaced; the same as long as it is missing. */
function stampOf(file: string): string {
	const stat = statSync(file, {throwIfNoEntry: false});
	return stat ? `${stat.ino} ${stat.mtimeMs} ${stat.size}` : '';
}
