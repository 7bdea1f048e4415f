import {countBits, hasBit, setBit} from './bitmap.ts';

/** Consecutive pieces. */
export type PieceRange = {first: number; count: number};

/** One that fetches runs, as the scheduler sees it. */
export type Fetcher = {
	/** Which source it fetches from: two fetchers of one source do not race each other without need. */
	source: string;
	/** Bytes per second; 0: not known yet. */
	speed: number;
	/** Milliseconds since bytes last came in. */
	silent: number;
};

type Run<F> = {fetcher: F; range: PieceRange; left: number; started: number};

/** Shortest time in seconds that a run should take: long enough that asking costs nothing, short enough to steer. */
const runSeconds = 0.35;
const firstRunBytes = 2 * 1024 * 1024;
const longestRunBytes = 16 * 1024 * 1024;
/** A run is worth racing when it would take this many seconds longer than the racer. */
const worthRacing = 0.25;
/** A source that has been silent for so many milliseconds is raced at once. */
const silentMs = 1000;
/** What an unmeasured fetcher is taken to do, bytes/s. */
const guess = 1024 * 1024;

/**
 * Decides who fetches which pieces. Runs are as long as a fetcher's measured speed makes worth while, and shorter near
 * the end; when all pieces are under way, idle fetchers race the slowest for what it has not brought yet.
 */
export class PieceScheduler<F extends Fetcher> {
	readonly #pieces: number;
	readonly #pieceSize: number;
	readonly #have: Uint8Array;
	/** How many runs hold each piece now. */
	readonly #holders: Uint8Array;
	readonly #runs = new Map<number, Run<F>>();
	readonly #now: () => number;
	#missing: number;
	#unassigned: number;
	#cursor = 0;

	/** @param have verified pieces; the scheduler's own from now on, and always up to date */
	constructor(pieces: number, pieceSize: number, have: Uint8Array, now: () => number = () => performance.now()) {
		this.#pieces = pieces;
		this.#pieceSize = pieceSize;
		this.#have = have;
		this.#holders = new Uint8Array(pieces);
		this.#missing = pieces - countBits(have);
		this.#unassigned = this.#missing;
		this.#now = now;
	}

	/** Every piece is there. */
	get complete(): boolean {
		return this.#missing === 0;
	}

	/** Pieces that are not there yet. */
	get missing(): number {
		return this.#missing;
	}

	/** Pieces that nobody fetches. */
	get unassigned(): number {
		return this.#unassigned;
	}

	/**
	 * The next range for a fetcher; undefined when it has nothing useful to do. Not under way until {@link began}.
	 *
	 * @param share its part of the speed of all, 0 to 1
	 * @param available which pieces its source has; undefined: all
	 */
	next(fetcher: F, share: number, available?: Uint8Array): PieceRange | undefined {
		const most = this.#longest(fetcher, share);
		for (let piece = this.#cursor, leading = true; piece < this.#pieces; piece++) {
			if (!this.#isFree(piece)) {
				if (leading && hasBit(this.#have, piece)) this.#cursor = piece + 1;
				else leading = false;
				continue;
			}
			leading = false;
			if (available && !hasBit(available, piece)) continue;
			let count = 1;
			while (count < most && piece + count < this.#pieces && this.#isFree(piece + count)) {
				if (available && !hasBit(available, piece + count)) break;
				count++;
			}
			return {first: piece, count};
		}
		return this.#race(fetcher, available);
	}

	/** A run has been handed out. */
	began(run: number, fetcher: F, range: PieceRange): void {
		let left = 0;
		for (let piece = range.first; piece < range.first + range.count; piece++) {
			if (hasBit(this.#have, piece)) continue;
			left++;
			if (this.#holders[piece] === 0) this.#unassigned--;
			this.#holders[piece]!++;
		}
		this.#runs.set(run, {fetcher, range, left, started: this.#now()});
	}

	/**
	 * A piece is there.
	 *
	 * @returns whether it is new, and the runs that have nothing left to bring and should be cancelled
	 */
	arrived(run: number, piece: number): {isNew: boolean; useless: {run: number; fetcher: F}[]} {
		if (hasBit(this.#have, piece)) return {isNew: false, useless: []};
		setBit(this.#have, piece);
		this.#missing--;
		if (this.#holders[piece] === 0) this.#unassigned--;
		this.#holders[piece] = 0;
		const useless: {run: number; fetcher: F}[] = [];
		for (const [id, held] of this.#runs) {
			if (piece < held.range.first || piece >= held.range.first + held.range.count) continue;
			held.left--;
			if (held.left === 0 && id !== run) useless.push({run: id, fetcher: held.fetcher});
		}
		return {isNew: true, useless};
	}

	/** A run is over: what it did not bring is free for others. */
	ended(run: number): void {
		const held = this.#runs.get(run);
		if (!held) return;
		this.#runs.delete(run);
		const {first, count} = held.range;
		for (let piece = first; piece < first + count; piece++) {
			if (hasBit(this.#have, piece)) continue;
			this.#holders[piece]!--;
			if (this.#holders[piece] !== 0) continue;
			this.#unassigned++;
			this.#cursor = Math.min(this.#cursor, piece);
		}
	}

	#isFree(piece: number): boolean {
		return this.#holders[piece] === 0 && !hasBit(this.#have, piece);
	}

	#longest({speed}: F, share: number): number {
		const bytes = speed === 0 ? firstRunBytes : Math.min(speed * runSeconds, longestRunBytes);
		const fair = Math.ceil((this.#unassigned * Math.min(Math.max(share, 0.02), 1)) / 2);
		return Math.max(1, Math.min(Math.floor(bytes / this.#pieceSize), fair));
	}

	/** Half of what the slowest has left, from its end, if this fetcher would have it clearly earlier. */
	#race(racer: F, available: Uint8Array | undefined): PieceRange | undefined {
		let best: {run: Run<F>; gain: number} | undefined;
		for (const run of this.#runs.values()) {
			if (run.fetcher === racer || run.left === 0) continue;
			if (run.fetcher.source === racer.source && !this.#isStuck(run)) continue;
			const gain = this.#gain(run, racer);
			if (gain > worthRacing && gain > (best?.gain ?? 0) && this.#tail(run, racer, available)) best = {run, gain};
		}
		return best && this.#tail(best.run, racer, available);
	}

	#isStuck({fetcher, started}: Run<F>): boolean {
		return fetcher.silent > silentMs && this.#now() - started > silentMs;
	}

	/** How many seconds earlier the racer would have its half of what a run has left. */
	#gain(run: Run<F>, racer: F): number {
		const pace = this.#pieceSize / (racer.speed || guess);
		const needs = this.#isStuck(run) ? 60 : (run.left * this.#pieceSize) / (run.fetcher.speed || guess);
		return needs - pace * Math.ceil(run.left / 2);
	}

	/** The last half of a run's open pieces, as far as they lie together. */
	#tail({range, left}: Run<F>, racer: F, available: Uint8Array | undefined): PieceRange | undefined {
		const most = Math.ceil(left / 2);
		let count = 0;
		let first = range.first + range.count;
		for (let piece = first - 1; piece >= range.first && count < most; piece--) {
			const isOpen =
				!hasBit(this.#have, piece) && (!available || hasBit(available, piece)) && this.#mayRace(piece, racer);
			if (!isOpen && count > 0) break;
			if (!isOpen) continue;
			first = piece;
			count++;
		}
		return count > 0 ? {first, count} : undefined;
	}

	/**
	 * Nobody else races for it; or one does who is no better: a slow source that seemed stuck was raced by a connection of
	 * its own, which must not keep the fast ones away.
	 */
	#mayRace(piece: number, racer: F): boolean {
		const holders = this.#holders[piece]!;
		if (holders !== 2) return holders === 1;
		for (const run of this.#runs.values()) {
			const {first, count} = run.range;
			if (piece < first || piece >= first + count || run.left === 0) continue;
			if (run.fetcher.source === racer.source || this.#gain(run, racer) <= worthRacing) return false;
		}
		return true;
	}
}
