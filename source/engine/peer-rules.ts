import {statSync} from 'node:fs';
import path from 'node:path';
import {configFile, writeConfigFile} from '../config/config-file.ts';
import {errorLine} from '../core/errors.ts';
import type {EngineBus} from '../core/events.ts';

/** Who may be sent what. */
export type PeerRules = {
	/** Whether a caller is answered: asked at each call. `undefined`: a guest, who shows no key and so cannot be blocked. */
	allow(peerId: string | undefined): boolean;
	/** The peer IDs that a shared folder (absolute) is for; none: for nobody; undefined: for everybody in the network. */
	audience(folder: string): readonly string[] | undefined;
	/** Changes and keeps whom a folder (absolute) is for; undefined: everybody. @throws P2pError not-writable, usage */
	setAudience(folder: string, peers: string[] | undefined): Promise<void>;
	/** Calls the listener soon after {@link audience} has changed for any folder; returns the stop. */
	onChange(listener: () => void): () => void;
};

/** Milliseconds between two looks at the config file, so that `p2p-tui block` and `share` reach a running peer. */
const lookEvery = 1000;

/**
 * The rules of a peer: everybody is allowed but those whose ID begins with an entry of `block` in its `config.json`, and
 * what is shared is for everybody but the folders in `shareFor`. The file is read again when it has changed; one that
 * cannot be read leaves the rules as they were.
 *
 * @throws P2pError usage when the file is wrong at the start
 */
export function createPeerRules(dataDir: string, bus: EngineBus, now: () => number = Date.now): PeerRules {
	const file = path.join(dataDir, 'config.json');
	let stamp = stampOf(file);
	let {block: blocked = [], shareFor = {}} = configFile(dataDir);
	let lookAt = now() + lookEvery;
	const listeners = new Set<() => void>();
	const look = () => {
		if (now() < lookAt) return;
		lookAt = now() + lookEvery;
		const seen = stampOf(file);
		if (seen === stamp) return;
		stamp = seen;
		const before = JSON.stringify(shareFor);
		try {
			({block: blocked = [], shareFor = {}} = configFile(dataDir));
		} catch (error) {
			bus.emit('log', {
				level: 'warn',
				message: `Who is blocked, and who may have what, stays as it was: ${errorLine(error)}`,
			});
		}
		if (JSON.stringify(shareFor) !== before) for (const listener of listeners) listener();
	};
	return {
		allow(peerId) {
			look();
			return peerId === undefined || !blocked.some(entry => peerId.startsWith(entry));
		},
		audience(folder) {
			look();
			return shareFor[folder];
		},
		async setAudience(folder, peers) {
			const {[folder]: _before, ...others} = configFile(dataDir).shareFor ?? {};
			await writeConfigFile(dataDir, {shareFor: peers ? {...others, [folder]: peers} : others});
			lookAt = 0;
			look();
		},
		onChange(listener) {
			listeners.add(listener);
			const timer = setInterval(look, lookEvery / 2).unref();
			return () => {
				clearInterval(timer);
				listeners.delete(listener);
			};
		},
	};
}

/** What changes whenever the file is replaced; the same as long as it is missing. */
function stampOf(file: string): string {
	const stat = statSync(file, {throwIfNoEntry: false});
	return stat ? `${stat.ino} ${stat.mtimeMs} ${stat.size}` : '';
}
