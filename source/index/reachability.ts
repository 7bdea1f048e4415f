import {limits} from '../api/limits.ts';
import {type Address, formatAddress} from '../core/address.ts';
import {errorLine, P2pError} from '../core/errors.ts';
import type {Identity} from '../identity/identity.ts';
import {addressScope, usableAddresses} from '../net/address-scope.ts';
import {RateLimiter} from '../net/call-rates.ts';
import {isLoopback} from '../net/listen.ts';
import {isOwnAddress} from '../net/own-addresses.ts';
import {probeIdentity} from '../net/secure-client.ts';

/** Whom to try, and where. */
export type Candidate = {
	/** Peer ID: whoever asks for the try has proved its key. */
	id: string;
	/** The IP address that the registration came from. */
	from: string;
	/** What the peer is to be named under, the likeliest first. */
	addresses: Address[];
};

/** What came of it. `address`: the first that the peer answered at; else `problem` says why none did. */
export type Reached = {address: Address; problem?: undefined} | {address?: undefined; problem: string};

type Known = {key: string; result: Reached | undefined; at: number};

/**
 * Tries whether peers answer at the addresses that they announce, as others would: a TLS connection that must prove the
 * peer's key, and not a byte more. In the background; registering never waits for it.
 *
 * Nobody can have the server look around for him: where a registration came from may be tried at any port, other
 * addresses only as {@link mayTry} says and seldom, and of those nothing is told but that the peer answered.
 */
export class Reachability {
	readonly #identity: Identity;
	readonly #changed: (id: string, reached: Reached) => void;
	readonly #known = new Map<string, Known>();
	readonly #waiting: Candidate[] = [];
	readonly #stop = new AbortController();
	readonly #byPeer = new RateLimiter(limits.triesPerPeer);
	readonly #byOrigin = new RateLimiter(limits.triesPerAddress);
	readonly #byTarget = new RateLimiter(limits.triesElsewhere);
	#running = 0;

	/** @param changed told each result that differs from the one before */
	constructor(identity: Identity, changed: (id: string, reached: Reached) => void) {
		this.#identity = identity;
		this.#changed = changed;
	}

	/** What is known of a peer at these addresses; starts a try where that is nothing or old. */
	check(candidate: Candidate): Reached | undefined {
		const {id, from, addresses} = candidate;
		const key = addresses.map(formatAddress).join();
		const known = this.#known.get(id);
		const isSame = known?.key === key;
		if (isSame && (known.result === undefined || Date.now() - known.at < limits.tryAge)) return known.result;
		const hasRoom = this.#waiting.length < limits.triesWaiting && !this.#stop.signal.aborted;
		if (hasRoom && this.#byPeer.has(id) && (isLoopback(from) || this.#byOrigin.has(from))) {
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
		if (this.#running >= limits.triesAtOnce) return;
		const candidate = this.#waiting.shift();
		if (!candidate) return;
		this.#running++;
		void this.#try(candidate).finally(() => {
			this.#running--;
			this.#next();
		});
	}

	async #try({id, from, addresses}: Candidate): Promise<void> {
		const key = addresses.map(formatAddress).join();
		let result: Reached | undefined;
		let problem = '';
		for (const address of addresses) {
			const isTheirs = address.host === from;
			if (!isTheirs && (!mayTry(address.host, from) || !this.#byTarget.has(address.host))) continue;
			try {
				const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(limits.tryPatience)]);
				const found = await probeIdentity(this.#identity, address, signal);
				if (found !== id) throw new P2pError('wrong-peer', 'another peer answers there');
				result = {address};
				break;
			} catch (error) {
				if (this.#stop.signal.aborted) return;
				// Of other addresses nothing is told: the server is not there to look around for strangers.
				if (isTheirs && problem === '') problem = `others will not reach port ${address.port}: ${reasonOf(error)}`;
			}
		}
		const known = this.#known.get(id);
		if (known?.key !== key) return;
		const [first] = addresses;
		result ??= {problem: problem || `others will not reach ${first ? formatAddress(first) : 'it'} from here`};
		const before = known.result;
		this.#known.set(id, {key, result, at: Date.now()});
		if (JSON.stringify(before) !== JSON.stringify(result)) this.#changed(id, result);
	}
}

/**
 * Whether an address that is not the one a registration came from may be tried: not this machine's own for somebody
 * elsewhere, nor private ones for somebody from the internet, to whom the server's neighbours are none of his.
 */
export function mayTry(host: string, from: string): boolean {
	const isHere = isLoopback(from) || isOwnAddress(from);
	if (isOwnAddress(host) && !isHere) return false;
	return !(addressScope(from) === 'global' && addressScope(host) === 'private' && !isHere);
}

/**
 * The addresses of a registration, the likeliest first, each once; those that make no sense or that may not be named
 * from where it came are left out (net/address-scope.ts).
 *
 * @param observed the address that it came from, with the port that the peer listens on
 * @param chosen the address that a peer listens on when that is a single one: then it has no other
 */
export function candidateAddresses(observed: Address, chosen?: string, announced: readonly string[] = []): Address[] {
	const alone =
		chosen === undefined ? [] : usableAddresses([formatAddress({...observed, host: chosen})], observed.host, 1);
	if (alone.length > 0) return alone;
	const others = usableAddresses(announced, observed.host, limits.addressesPerPeer);
	const isOther = (address: Address) => formatAddress(address) !== formatAddress(observed);
	return [observed, ...others.filter(isOther)].slice(0, limits.addressesPerPeer + 1);
}

function reasonOf(error: unknown): string {
	if ((error as Error).name === 'TimeoutError') return 'it did not answer in time';
	const line = errorLine(error);
	return line.replace(/^Cannot reach \S+: /, '');
}
