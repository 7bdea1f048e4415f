import {Client} from 'undici';
import {type Identity, temporaryIdentity} from '../../source/identity/identity.ts';
import {tlsOptions} from '../../source/net/tls-options.ts';

const epoch = 'cd'.repeat(16);

/** A peer that adds one file after the other at one server, and looks for them at another. */
export class SingleChanges {
	readonly #writer: Client;
	readonly #reader: Client;
	readonly #events: Client;
	#version = 0;

	private constructor(identity: Identity, writeTo: number, readFrom: number) {
		const open = (port: number) =>
			new Client(`https://127.0.0.1:${port}`, {connect: {...tlsOptions(identity)}, headersTimeout: 60_000});
		this.#writer = open(writeTo);
		// A guest, who on this machine may ask as often as it likes.
		this.#reader = new Client(`https://127.0.0.1:${readFrom}`, {connect: {rejectUnauthorized: false}});
		this.#events = open(writeTo);
	}

	static async start(writeTo: number, readFrom: number): Promise<SingleChanges> {
		const changes = new SingleChanges(await temporaryIdentity(), writeTo, readFrom);
		await changes.#call('PUT', '/v1/peers/me', {name: 'single', port: 25_000, epoch, version: 0});
		// Online, as a peer is: by holding its event stream open.
		await changes.#listen();
		await changes.add();
		return changes;
	}

	/** Adds a file; returns its name when the server has taken it. */
	async add(): Promise<string> {
		const from = this.#version++;
		const name = `single${String(from).padStart(6, '0')}z`;
		const content = from.toString(16).padStart(64, 'e');
		const line = JSON.stringify({op: 'add', path: `s/${name}`, size: 1, content});
		await this.#call('POST', `/v1/peers/me/files?epoch=${epoch}&from=${from}&to=${from + 1}`, line);
		return name;
	}

	/** Whether a search at the other server finds it. */
	async isFound(name: string): Promise<boolean> {
		const {body, statusCode} = await this.#reader.request({method: 'GET', path: `/v1/search?q=${name}`});
		const {hits} = (await body.json()) as {hits?: unknown[]};
		if (statusCode !== 200) throw new Error(`search: ${statusCode}`);
		return hits?.length === 1;
	}

	async close(): Promise<void> {
		await Promise.all([this.#writer, this.#reader, this.#events].map(client => client.destroy()));
	}

	async #listen(): Promise<void> {
		const {body} = await this.#events.request({method: 'GET', path: '/v1/events', bodyTimeout: 0});
		body.on('error', () => undefined);
		body.resume();
	}

	async #call(method: 'PUT' | 'POST', path: string, data: object | string): Promise<void> {
		const isLine = typeof data === 'string';
		const {statusCode, body} = await this.#writer.request({
			method,
			path,
			body: isLine ? data : JSON.stringify(data),
			headers: {'content-type': isLine ? 'application/x-ndjson' : 'application/json'},
		});
		const text = await body.text();
		if (statusCode !== 200) throw new Error(`${path}: ${statusCode} ${text}`);
	}
}
