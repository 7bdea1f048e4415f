import {type Address, defaultPorts, formatAddress, parseAddress} from '../core/address.ts';
import {errorLine, P2pError} from '../core/errors.ts';
import type {Identity} from '../identity/identity.ts';
import {probeIdentity} from '../net/secure-client.ts';

/** Whom to try, and where: the address that the server saw first. */
export type Candidate = {id: string; addresses: Address[]};

/** What came of it. `address`: the first that the peer answered at; else `problem` says why the first one failed. */
export type Reached = {address: Address; problem?: undefined} | {address?: undefined; problem: string};

type Known = {key: string; result: Reached | undefined; at: number};

/** Tries that run at the same time, so that a thousand peers that come back at once cost no more than a few. */
const atOnce = 8;
/** Tries that may wait; past them a peer is tried when it renews. */
const mostWaiting = 2000;
/** Milliseconds that a result counts. */
const age = 5 * 60_000;
/** Milliseconds for one address. */
const patience = 4000;

/**
 * Tries whether peers answer at the addresses that they announce, as others would: a TLS connection that must prove the
 * peer's key, and not a byte more. In the background; registering never waits for it.
 */
export class Reachability {
	readonly #identity: Identity;
	readonly #changed: (id: string, reached: Reached) => void;
	readonly #known = new Map<string, Known>();
	readonly #waiting: Candidate[] = [];
	readonly #stop = new AbortController();
	#running = 0;

	/** @param changed told each result that differs from the one before */
	constructor(identity: Identity, changed: (id: string, reached: Reached) => void) {
		this.#identity = identity;
		this.#changed = changed;
	}

	/** What is known of a peer at these addresses; starts a try where that is nothing or old. */
	check(candidate: Candidate): Reached | undefined {
		const {id, addresses} = candidate;
		const key = addresses.map(formatAddress).join();
		const known = this.#known.get(id);
		const isSame = known?.key === key;
		if (isSame && (known.result === undefined || Date.now() - known.at < age)) return known.result;
		if (this.#waiting.length < mostWaiting && !this.#stop.signal.aborted) {
			this.#known.set(id, {key, result: isSame ? known.result : undefined, at: Date.now()});
			this.#waiting.push(candidate);
			this.#next();
		}
		return isSame ? known.result : undefined;
	}

	/** Forgets a peer that went. */
	forget(id: string): void {
		this.#known.delete(id);
	}

	/** Ends all tries. */
	close(): void {
		this.#waiting.length = 0;
		this.#stop.abort(new P2pError('cancelled', 'Stopped'));
	}

	#next(): void {
		if (this.#running >= atOnce) return;
		const candidate = this.#waiting.shift();
		if (!candidate) return;
		this.#running++;
		void this.#try(candidate).finally(() => {
			this.#running--;
			this.#next();
		});
	}

	async #try({id, addresses}: Candidate): Promise<void> {
		const key = addresses.map(formatAddress).join();
		let result: Reached | undefined;
		let problem = '';
		for (const [index, address] of addresses.entries()) {
			try {
				const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(patience)]);
				const found = await probeIdentity(this.#identity, address, signal);
				if (found !== id) throw new P2pError('wrong-peer', 'another peer answers there');
				result = {address};
				break;
			} catch (error) {
				if (this.#stop.signal.aborted) return;
				// Of other addresses nothing is told: the server is not there to look around for strangers.
				if (index === 0) problem = reasonOf(error);
			}
		}
		const known = this.#known.get(id);
		if (known?.key !== key) return;
		const [first] = addresses;
		result ??= {problem: `others will not reach port ${first?.port ?? 0}: ${problem}`};
		const before = known.result;
		this.#known.set(id, {key, result, at: Date.now()});
		if (JSON.stringify(before) !== JSON.stringify(result)) this.#changed(id, result);
	}
}

/** The addresses of a registration, the observed one first, each once; those that make no sense are left out. */
export function candidateAddresses(observed: Address, announced: string[] = []): Address[] {
	const all = new Map([[formatAddress(observed), observed]]);
	for (const text of announced) {
		try {
			const address = parseAddress(text, observed.port || defaultPorts.peer);
			all.set(formatAddress(address), address);
		} catch {
			// An address that is none can be reached by nobody.
		}
	}
	return [...all.values()];
}

function reasonOf(error: unknown): string {
	if ((error as Error).name === 'TimeoutError') return 'it did not answer in time';
	const line = errorLine(error);
	return line.replace(/^Cannot reach \S+: /, '');
}
