// One stay at an index server: registered, catalog brought up to date, event stream held open, until it is lost.
import {setTimeout as sleep} from 'node:timers/promises';
import {limits} from '../../api/limits.ts';
import {
	type CatalogPoint,
	type PartialContent,
	type PeerInfo,
	partialsResponseSchema,
	type RegisterResponse,
	registerResponseSchema,
	type ServerEvents,
	serverEventSchemas,
} from '../../api/schemas.ts';
import {formatAddress} from '../../core/address.ts';
import {errorLine, networkError, P2pError} from '../../core/errors.ts';
import {answeredError, type SecureClient, type Target} from '../../net/secure-client.ts';
import type {Announcement, CatalogLog, ClientTiming} from './link.ts';
import {publish} from './publish.ts';
import {readEvents} from './read-events.ts';

/** What a stay needs, and whom it tells. */
export type SessionOptions = {
	client: SecureClient;
	target: Target;
	timing: ClientTiming;
	catalog?: CatalogLog;
	announce?: Announcement;
	/** The contents that this peer holds parts of now. */
	partials(): PartialContent[];
	/** Sees to it that the membership of a private network stays fresh. */
	renewMembership(target: Target): Promise<void>;
	signal: AbortSignal;
	/** Registered, up to date and online. */
	online(answer: {number?: number; rtt: number}): void;
	/** The server took in changes, or knew them already. */
	published(state: {number: number; files: number; bytes: number}): void;
	event<K extends keyof ServerEvents>(name: K, data: ServerEvents[K]): void;
	warn(message: string): void;
	/** The last problem that was told, so that it is told once and not with each renewal. */
	told: {problem?: string};
};

/** Runs until the connection is lost, which it throws, or the signal aborts. */
export class Session {
	readonly #options: SessionOptions;
	readonly #ended = new AbortController();
	readonly #signal: AbortSignal;
	#have: CatalogPoint | null = null;
	#number: number | undefined;
	#takesCompact = false;
	/** Files of the catalog when the server said that they are too many. */
	#tooMany: number | undefined;
	#dirty = false;
	#listening = false;
	#untold = false;
	#telling: Promise<void> | undefined;
	#pushing: Promise<void> | undefined;

	constructor(options: SessionOptions) {
		this.#options = options;
		this.#signal = AbortSignal.any([options.signal, this.#ended.signal]);
	}

	/** @throws whatever ended it; returns only by the signal's reason */
	async run(): Promise<never> {
		const {online} = this.#options;
		let lease = 30;
		const {answer, rtt} = await this.#register();
		if (answer) {
			lease = believable(answer.lease);
			await this.#pushNow(this.#push());
		}
		const body = await this.#listen();
		// What a failing part throws ends the others.
		const parts = [this.#follow(body), this.#renew(lease)];
		online({number: this.#number, rtt});
		this.#listening = true;
		if (this.#options.partials().length > 0) this.partialsChanged();
		try {
			await Promise.race(parts);
			throw new P2pError('unreachable', 'The server closed the connection');
		} finally {
			this.#ended.abort(new P2pError('cancelled', 'The connection to the server ended'));
			body.destroy();
			await Promise.allSettled([...parts, this.#pushing, this.#telling]);
		}
	}

	/** The catalog has changes: they are sent soon, many at once. */
	catalogChanged(): void {
		this.#dirty = true;
		if (this.#number === undefined || this.#pushing) return;
		this.#pushNow(this.#pushSoon()).catch(error => this.#ended.abort(error));
	}

	/** The contents that are held in part are others now: told soon, many changes at once. */
	partialsChanged(): void {
		this.#untold = true;
		if (!this.#listening || this.#number === undefined || this.#telling) return;
		this.#telling = this.#tellPartials()
			// A lost connection shows on the event stream; a server that does not take them does without.
			.catch(error => this.#signal.aborted || this.#options.warn(`The server does not take parts: ${errorLine(error)}`))
			.then(() => {
				this.#telling = undefined;
			});
	}

	async #tellPartials(): Promise<void> {
		const {client, target, timing, partials} = this.#options;
		while (this.#untold) {
			await sleep(timing.settle, undefined, {signal: this.#signal});
			this.#untold = false;
			await client.json(target, {
				method: 'PUT',
				path: '/v1/peers/me/partials',
				body: {contents: partials()},
				schema: partialsResponseSchema,
				signal: this.#signal,
			});
		}
	}

	/** One push at a time: a server takes a second one as the word of a peer that started again. */
	async #pushNow(push: Promise<void>): Promise<void> {
		this.#dirty = false;
		this.#pushing = push;
		try {
			await push;
		} finally {
			this.#pushing = undefined;
		}
		if (this.#dirty && !this.#signal.aborted) this.catalogChanged();
	}

	async #pushSoon(): Promise<void> {
		await sleep(this.#options.timing.settle, undefined, {signal: this.#signal});
		this.#dirty = false;
		await this.#push();
	}

	async #register(): Promise<{answer?: RegisterResponse; rtt: number}> {
		const {client, target, announce, catalog} = this.#options;
		const started = performance.now();
		if (!announce || !catalog) return {rtt: 0};
		const answer = await client.json(target, {
			method: 'PUT',
			path: '/v1/peers/me',
			body: {...announce, epoch: catalog.epoch, version: catalog.version},
			schema: registerResponseSchema,
			signal: this.#signal,
		});
		this.#number = answer.number;
		this.#tellProblem(answer.problem);
		this.#have = answer.have;
		this.#takesCompact = answer.compact === true;
		return {answer, rtt: performance.now() - started};
	}

	#tellProblem(problem: string | undefined): void {
		const {told, target, warn} = this.#options;
		if (problem === undefined || problem === told.problem) return;
		told.problem = problem;
		warn(`${formatAddress(target)} cannot connect to this peer: ${problem}`);
	}

	/** Sends changes until the server has the newest version; a server that knows something else is asked again. */
	async #push(): Promise<void> {
		const {client, target, catalog, timing, published, warn} = this.#options;
		if (!catalog || this.#number === undefined) return;
		// All of them again and again would come to nothing.
		if (this.#tooMany !== undefined && catalog.files >= this.#tooMany) return;
		for (let attempt = 0; ; attempt++) {
			try {
				const answer = await publish(this.#have, {
					client,
					target,
					catalog,
					stall: timing.uploadStall,
					compact: this.#takesCompact,
					signal: this.#signal,
				});
				if (answer) this.#have = answer.have;
				this.#tooMany = undefined;
				if (answer && answer.rejectedCount > 0) {
					const [first] = answer.rejected;
					warn(`The server did not take ${answer.rejectedCount} files: ${first?.message ?? 'unknown reason'}`);
				}
				published({
					number: this.#number,
					files: answer?.files ?? catalog.files,
					bytes: answer?.bytes ?? catalog.bytes,
				});
				return;
			} catch (error) {
				if (error instanceof P2pError && error.code === 'too-large') {
					// What it took stays there, and everything else goes on.
					this.#tooMany = catalog.files;
					warn(`${formatAddress(target)} does not list all that is shared: ${error.line}`);
					return;
				}
				const healable = error instanceof P2pError && ['version-mismatch', 'changed'].includes(error.code);
				if (!healable || attempt >= 3) throw error;
				await this.#register();
			}
		}
	}

	async #listen() {
		const {client, target, timing} = this.#options;
		const where = formatAddress(target);
		try {
			const response = await client.send(target, {
				path: '/v1/events',
				headers: {accept: 'text/event-stream'},
				signal: this.#signal,
				bodyTimeout: timing.silence,
			});
			if (response.statusCode === 200) return response;
			throw await answeredError(response, where);
		} catch (error) {
			throw this.#signal.aborted ? this.#signal.reason : networkError(error, `Cannot reach ${where}`);
		}
	}

	async #follow(body: AsyncIterable<Uint8Array>): Promise<void> {
		try {
			for await (const {event, data} of readEvents(body)) this.#tell(event, data);
		} catch (error) {
			if (this.#signal.aborted) throw this.#signal.reason;
			throw networkError(error, `Lost ${formatAddress(this.#options.target)}`);
		}
	}

	#tell(event: string, data: string): void {
		if (!Object.hasOwn(serverEventSchemas, event)) return;
		const name = event as keyof ServerEvents;
		let value: unknown;
		try {
			value = JSON.parse(data);
		} catch {
			throw new P2pError('bad-request', 'The server sent an event that is not JSON');
		}
		const parsed = serverEventSchemas[name].safeParse(value);
		if (!parsed.success) throw new P2pError('bad-request', `The server sent a ${event} event of another form`);
		this.#options.event(name, parsed.data as PeerInfo & ServerEvents['counts'] & ServerEvents['member-removed']);
	}

	/** Renews the registration three times per lease, which also tells a server that no longer knows what we sent. */
	async #renew(lease: number): Promise<void> {
		if (this.#number === undefined) return new Promise((_, reject) => this.#onEnd(reject));
		while (true) {
			await sleep((lease * 1000) / 3, undefined, {signal: this.#signal}).catch(() => {
				throw this.#signal.reason;
			});
			await this.#options.renewMembership(this.#options.target);
			if (this.#pushing) continue;
			const {answer, rtt} = await this.#register();
			this.#options.online({number: this.#number, rtt});
			const {catalog} = this.#options;
			if (answer?.have?.epoch !== catalog?.epoch || answer?.have?.version !== catalog?.version) this.catalogChanged();
		}
	}

	#onEnd(reject: (reason: unknown) => void): void {
		if (this.#signal.aborted) reject(this.#signal.reason);
		else this.#signal.addEventListener('abort', () => reject(this.#signal.reason), {once: true});
	}
}

/** A lease as a peer keeps it: a tiny one would have it call without pause, a huge one would overflow the timer. */
function believable(lease: number): number {
	return Math.min(Math.max(lease, limits.leaseLeast), limits.leaseMost);
}
