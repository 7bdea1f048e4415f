// Much at once: where a node can be reached over TCP, what it is to keep goes there over TLS, hundreds of files a call.
import {setTimeout as sleep} from 'node:timers/promises';
import {limits} from '../api/limits.ts';
import {P2pError} from '../core/errors.ts';
import type {SecureClient} from '../net/secure-client.ts';
import {type TableAnswer, tableAnswerSchema, tablePath} from '../net/table-route.ts';
import {commands, type Door, readDoor} from './messages.ts';
import type {NetworkKey} from './network-key.ts';
import type {DhtNode, TableNode} from './node.ts';

/** Milliseconds that a door is remembered, and one that did not open. */
const remembered = {open: 600_000, shut: 120_000};
/** Milliseconds that a call may take: a machine under load takes in a thousand files within some seconds. A closed port ends it sooner. */
const callMs = 30_000;
/** How often a node that takes in others' lists is asked again, and milliseconds between. */
const busyTries = 10;
const busyMs = 500;

/** The doors of other nodes. */
export class Doors {
	readonly #node: DhtNode;
	readonly #client: SecureClient;
	readonly #key: NetworkKey;
	readonly #known = new Map<string, {door: Promise<Door | undefined>; until: number}>();

	constructor(node: DhtNode, client: SecureClient, key: NetworkKey) {
		this.#node = node;
		this.#client = client;
		this.#key = key;
	}

	/** Sends a list of files to a node. @returns what it answered; undefined when it can only be sent packets */
	async send(to: TableNode, list: Buffer): Promise<TableAnswer | 'refused' | undefined> {
		const name = `${to.host}:${to.port}`;
		let known = this.#known.get(name);
		if (!known || known.until < Date.now()) {
			if (this.#known.size >= limits.table.doors) this.#known.clear();
			known = {door: this.#ask(to), until: Date.now() + remembered.open};
			this.#known.set(name, known);
		}
		const door = await known.door;
		if (!door) {
			known.until = Math.min(known.until, Date.now() + remembered.shut);
			return undefined;
		}
		const body = this.#key.seal(list);
		for (let attempt = 0; ; attempt++) {
			try {
				return await this.#client.json(
					{id: door.id, host: to.host, port: door.port},
					{
						...{method: 'POST', path: tablePath, body, schema: tableAnswerSchema},
						headers: {'content-type': 'application/octet-stream'},
						signal: AbortSignal.timeout(callMs),
					},
				);
			} catch (error) {
				const code = error instanceof P2pError ? error.code : undefined;
				if (code === 'refused') return code;
				if (code === 'busy' && attempt < busyTries) {
					await sleep(busyMs);
					continue;
				}
				// Packets are the way that every node has.
				known.door = Promise.resolve(undefined);
				known.until = Date.now() + remembered.shut;
				return undefined;
			}
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
