// Much at once: where a node can be reached over TCP, what it is to keep goes there over TLS, hundreds of files a call.
import {limits} from '../api/limits.ts';
import type {SecureClient} from '../net/secure-client.ts';
import {type TableAnswer, tableAnswerSchema, tablePath} from '../net/table-route.ts';
import {commands, type Door, readDoor} from './messages.ts';
import type {NetworkKey} from './network-key.ts';
import type {DhtNode, TableNode} from './node.ts';

/** Milliseconds that a door is remembered, and one that did not open. */
const remembered = {open: 600_000, shut: 120_000};
/** Milliseconds that a call may take: a machine under load takes in a thousand files within some seconds. */
const callMs = 20_000;
/** Milliseconds that the first call through a door may take, as its port may be closed to this machine. */
const firstMs = 6000;

/** The doors of other nodes. */
export class Doors {
	readonly #node: DhtNode;
	readonly #client: SecureClient;
	readonly #key: NetworkKey;
	readonly #known = new Map<string, {door: Promise<Door | undefined>; until: number; used: boolean}>();

	constructor(node: DhtNode, client: SecureClient, key: NetworkKey) {
		this.#node = node;
		this.#client = client;
		this.#key = key;
	}

	/** Sends a list of files to a node. @returns what it answered; undefined when it can only be sent packets */
	async send(to: TableNode, list: Buffer): Promise<TableAnswer | undefined> {
		const name = `${to.host}:${to.port}`;
		let known = this.#known.get(name);
		if (!known || known.until < Date.now()) {
			if (this.#known.size >= limits.table.doors) this.#known.clear();
			known = {door: this.#ask(to), until: Date.now() + remembered.open, used: false};
			this.#known.set(name, known);
		}
		const door = await known.door;
		if (!door) {
			known.until = Math.min(known.until, Date.now() + remembered.shut);
			return undefined;
		}
		try {
			const answer = await this.#client.json(
				{id: door.id, host: to.host, port: door.port},
				{
					...{method: 'POST', path: tablePath, body: this.#key.seal(list), schema: tableAnswerSchema},
					headers: {'content-type': 'application/octet-stream'},
					signal: AbortSignal.timeout(known.used ? callMs : firstMs),
				},
			);
			known.used = true;
			return answer;
		} catch {
			// Whatever the reason, packets are the way that every node has.
			known.door = Promise.resolve(undefined);
			known.until = Date.now() + remembered.shut;
			return undefined;
		}
	}

	async #ask(to: TableNode): Promise<Door | undefined> {
		try {
			const {error, value} = await this.#node.request(to, commands.door, Buffer.alloc(0));
			return error === 0 && value ? readDoor(value) : undefined;
		} catch {
			return undefined;
		}
	}
}
