// Telling where this peer is, to those nodes that keep it.
import {keepersOf} from './distance.ts';
import type {NetworkKey} from './network-key.ts';
import {type DhtNode, isPrivateAddress, lanAddresses, type TableNode} from './node.ts';
import {presenceLife} from './peer-book.ts';
import {type PresenceRecord, type Signed, type Signer, signPresence} from './records.ts';
import type {Sender} from './sender.ts';

/** What it says besides addresses and times; read anew each time. */
export type PresenceFields = Pick<PresenceRecord, 'name' | 'port' | 'files' | 'bytes' | 'floor'>;

export type OwnPresenceOptions = {
	node: DhtNode;
	sender: Sender;
	key: NetworkKey;
	signer: Signer;
	/** The address that the file server listens on where that is not all of them. */
	host?: string;
	fields(): PresenceFields;
	/** Given each presence that is told. */
	told(presence: Signed<PresenceRecord>): void;
};

/** This peer's own presence. */
export class OwnPresence {
	readonly #options: OwnPresenceOptions;
	readonly #since = Math.floor(Date.now() / 1000);

	constructor(options: OwnPresenceOptions) {
		this.#options = options;
	}

	/** Tells it to its keepers. @param left says goodbye */
	async tell(left: boolean): Promise<void> {
		const {node, sender, key, signer, fields, told} = this.#options;
		const time = Math.floor(Date.now() / 1000);
		const presence = signPresence(
			{
				...{peer: signer.peer, ...fields(), addresses: this.#addresses(), since: this.#since},
				// A goodbye in the same second must be later than the greeting.
				...{time: left ? time + 1 : time, expiry: time + presenceLife, left},
			},
			signer,
		);
		const keepers = new Map<string, TableNode | 'self'>();
		for (const topic of [key.peer(signer.peer), key.peers()]) {
			const nodes = await node.findClosest(topic);
			const all = node.id ? [...nodes, {...node.address, id: node.id}] : nodes;
			for (const keeper of keepersOf(topic, all))
				keepers.set(keeper.id.toString('hex'), node.id?.equals(keeper.id) ? 'self' : keeper);
		}
		told(presence);
		await Promise.all([...keepers.values()].map(to => sender.presence(to, presence)));
	}

	#addresses(): string[] {
		const {host, node} = this.#options;
		if (host !== undefined && host !== '::' && host !== '0.0.0.0') return [host];
		const seen = node.address.host;
		const own = lanAddresses();
		const all = !own.includes(seen) && !isPrivateAddress(seen) ? [...own, seen] : own;
		return all.length > 0 ? all : ['127.0.0.1'];
	}
}
