import {limits} from '../api/limits.ts';
import {displayText} from '../core/display.ts';
import {P2pError} from '../core/errors.ts';
import type {Target} from '../net/secure-client.ts';
import type {DownloadSource, Fault} from './types.ts';

/** A source of one download, with what was experienced with it. */
export type KnownSource = {
	source: DownloadSource;
	/** Failures in a row. */
	fails: number;
	/** Not to be asked before, by performance.now(). */
	retryAt: number;
	/** Given up: for good when it sent wrong bytes, else until it is found again. */
	gone?: {fault: Fault; forGood: boolean};
	/** It said that all its slots are taken. */
	busy?: {place?: number};
	lastFault?: Fault;
	/** Verified bytes that came from it. */
	bytes: number;
	/** The pieces that it has, when it said that it has not all. */
	have?: Uint8Array;
};

/** Failures in a row after which a source is given up: 0.25 + 0.5 + 1 + 2 + 4 seconds of waiting. */
const mostFails = 6;
const firstBackOff = 250;

/** The sources of one download: who can be asked now, who later, who never again, and why there is nobody left. */
export class SourceBook {
	readonly #known = new Map<string, KnownSource>();
	readonly #self: string;
	readonly #from: string[] | undefined;
	readonly #barred: (peer: string) => boolean;
	readonly #now: () => number;

	/**
	 * @param self our own peer ID, which is no source. @param from only these sources; see {@link matchesPeer}
	 * @param barred whether a peer is to be asked for nothing any more
	 */
	constructor(
		self: string,
		from: string[] | undefined,
		now: () => number = () => performance.now(),
		barred: (peer: string) => boolean = () => false,
	) {
		this.#self = self;
		this.#from = from;
		this.#barred = barred;
		this.#now = now;
	}

	/**
	 * Takes in sources as found. Those given up are tried again when they are found anew, unless they sent wrong bytes.
	 *
	 * @param revive false: given up stays given up, so that an end comes
	 */
	merge(sources: DownloadSource[], revive: boolean): void {
		for (const source of sources) {
			if (source.peer === this.#self || !(this.#from?.some(wanted => matchesPeer(source, wanted)) ?? true)) continue;
			if (this.#barred(source.peer)) continue;
			const known = this.#known.get(source.peer);
			if (!known) {
				if (this.#known.size >= limits.sourcesPerDownload) continue;
				// Nothing, as far as we know: it will say what.
				const have = source.partial ? new Uint8Array() : undefined;
				this.#known.set(source.peer, {source, fails: 0, retryAt: 0, bytes: 0, have});
				continue;
			}
			if (known.source.partial && !source.partial) known.have = undefined;
			const moved = placesOf(known.source) !== placesOf(source);
			known.source = source;
			if (known.gone && !known.gone.forGood && (revive || moved)) {
				known.gone = undefined;
				known.fails = 0;
			}
			if (moved) known.retryAt = 0;
		}
	}

	/** All sources, also those given up. */
	get all(): KnownSource[] {
		return [...this.#known.values()];
	}

	/** Whether any source is neither given up nor unknown. */
	get hopeful(): boolean {
		return this.all.some(known => !known.gone);
	}

	/** Whether a source cannot be reached, or broke its connections: it may listen elsewhere by now. */
	get hasLost(): boolean {
		return this.all.some(known => known.lastFault?.kind === 'network' && (known.gone || known.fails > 0));
	}

	/** Those that can be asked now. */
	usable(): KnownSource[] {
		const now = this.#now();
		for (const known of this.all) {
			if (known.gone || !this.isBarred(known)) continue;
			known.lastFault = {kind: 'refused', code: 'not-a-member', message: 'was removed from the private network'};
			known.gone = {fault: known.lastFault, forGood: false};
		}
		return this.all.filter(known => !known.gone && known.retryAt <= now);
	}

	/** Whether nothing may come from a source any more, not even what is on its way. */
	isBarred({source}: KnownSource): boolean {
		return this.#barred(source.peer);
	}

	/** When the next of the others can be asked again, by performance.now(); undefined when none will. */
	nextRetry(): number | undefined {
		const times = this.all.filter(known => !known.gone).map(known => known.retryAt);
		return times.length > 0 ? Math.min(...times) : undefined;
	}

	/** Verified bytes came. */
	succeeded(known: KnownSource, bytes: number): void {
		known.fails = 0;
		known.bytes += bytes;
		known.busy = undefined;
	}

	/** @returns whether the source is given up for good by this */
	failed(known: KnownSource, fault: Fault): boolean {
		if (fault.kind === 'cancelled' || fault.kind === 'disk' || known.gone?.forGood) return false;
		const lie = fault.kind === 'corrupt' || fault.kind === 'lied';
		// Its other connections may end later, and say less than why it was given up.
		if (known.gone && !lie) return false;
		const now = this.#now();
		if (fault.kind === 'busy') {
			known.busy = {place: fault.place};
			known.retryAt = now + fault.seconds * 1000;
			return false;
		}
		known.lastFault = fault;
		if (lie) {
			known.gone = {fault, forGood: true};
			return true;
		}
		if (fault.kind === 'refused') {
			known.gone = {fault, forGood: false};
			return false;
		}
		// Several connections that break at once are one failure.
		if (known.retryAt > now) return false;
		known.busy = undefined;
		known.fails++;
		if (known.fails >= mostFails) known.gone = {fault, forGood: false};
		else known.retryAt = now + firstBackOff * 2 ** (known.fails - 1) * (0.9 + Math.random() * 0.2);
		return false;
	}

	/** Whether a source has us in its queue. */
	get isQueued(): boolean {
		return this.all.some(known => !known.gone && known.busy);
	}

	/** What a download that waits is waiting for, in words. */
	waitingFor(): string {
		const queued = this.all.find(known => !known.gone && known.busy);
		if (queued) {
			const place = queued.busy?.place;
			return `queued at ${queued.source.name}${place === undefined ? '' : `, place ${place}`}`;
		}
		const last = this.all.find(known => known.lastFault);
		if (!last?.lastFault) return this.#from ? `waiting for ${this.#from.join(' or ')}` : 'waiting for a source';
		return `waiting for a source; ${last.source.name}: ${describe(last.lastFault)}`;
	}

	/** Those that were given up for good, and why. */
	get dropped(): {peer: string; name: string; reason: string}[] {
		return this.all
			.filter(known => known.gone?.forGood)
			.map(({source, gone}) => ({peer: source.peer, name: source.name, reason: describe(gone!.fault)}));
	}

	/** Why nobody is left, as the error that the download ends with. */
	verdict(what: string): P2pError {
		const faults = this.all.filter(known => known.lastFault);
		const details = {
			sources: faults.map(({source, lastFault}) => ({peer: source.peer, problem: describe(lastFault!)})),
		};
		const because = faults.map(({source, lastFault}) => `${source.name}: ${describe(lastFault!)}`).join('; ');
		if (faults.length === 0) {
			return new P2pError(
				'no-source',
				this.#from ? `${this.#from.join(' or ')} does not offer ${what}` : `Nobody who is online has ${what}`,
				{hint: 'Ask again when a peer that shares it is online'},
			);
		}
		if (faults.some(known => known.gone?.forGood))
			return new P2pError('corrupt', `Nobody sent the right bytes of ${what} (${because})`, {
				hint: 'What was verified is kept; the download goes on when another source comes',
				details,
			});
		// Whether it says that the file changed or that it has none depends on how soon it has looked at the file again.
		const has = ({lastFault}: KnownSource) =>
			lastFault?.kind !== 'refused' || (lastFault.code !== 'not-found' && lastFault.code !== 'changed');
		const refusal = faults.find(known => known.lastFault?.kind === 'refused' && has(known));
		if (refusal?.lastFault?.kind === 'refused' && faults.every(known => known.lastFault?.kind === 'refused'))
			return new P2pError(refusal.lastFault.code, `Cannot get ${what} (${because})`, {details});
		if (faults.some(known => known.bytes > 0))
			return new P2pError('source-lost', `Lost the last source of ${what} (${because})`, {
				hint: faults.some(has)
					? 'What was verified is kept; run it again to go on from there'
					: 'Search again: what changed is offered anew once it has been read',
				details,
			});
		return new P2pError('no-source', `No source of ${what} can be reached (${because})`, {details});
	}
}

/** Whether a person who typed `wanted` means this peer: its number, its ID or the start of that, or its nickname. */
export function matchesPeer(source: Pick<DownloadSource, 'peer' | 'number' | 'name'>, wanted: string): boolean {
	const text = wanted.trim();
	if (/^\d{1,7}$/.test(text) && source.number === Number(text)) return true;
	if (source.name.toLowerCase() === text.toLowerCase()) return true;
	return /^[0-9a-f]{4,64}$/i.test(text) && source.peer.startsWith(text.toLowerCase());
}

/** A fault in words, to stand behind a source's name. */
export function describe(fault: Fault): string {
	switch (fault.kind) {
		case 'corrupt':
			return `wrong bytes in ${fault.file === undefined ? `piece ${fault.piece}` : displayText(fault.file)}`;
		case 'busy':
			return 'all its slots are taken';
		case 'cancelled':
			return 'cancelled';
		default:
			return fault.message;
	}
}

/** A source without what else an answer may say of it. */
export function plainSource({peer, number, name, host, port, addresses, partial}: DownloadSource): DownloadSource {
	return {peer, number, name, host, port, ...(addresses?.length && {addresses}), ...(partial && {partial})};
}

/** Where to connect to a source, and who must answer there. */
export function targetOf({peer: id, host, port, addresses}: DownloadSource): Target {
	return {id, host, port, ...(addresses?.length && {addresses})};
}

function placesOf({host, port, addresses = []}: DownloadSource): string {
	return [host, port, ...addresses].join();
}
