// From records to the nodes that keep them: placed, signed, sent, and what found no room sent once more.
import {setImmediate} from 'node:timers/promises';
import PQueue from 'p-queue';
import type {Load, Placing} from './placing.ts';
import {type FileRecord, type Signed, type Signer, signFile} from './records.ts';
import type {Sender} from './sender.ts';

/** Signatures asked for at once: they wait in the thread pool that files are read in too. */
const signedAtOnce = 64;

/** Delivers records of one sweep. */
export class Delivery {
	readonly #placing: Placing;
	readonly #signer: Signer;
	readonly #sender: Pick<Sender, 'files'>;
	/** Nodes that did not take all that they are to keep, by ID; this one as `self`. */
	readonly missed = new Set<string>();
	/** Lookups of neighbouring keys lead to each other: one part after the other. */
	readonly #places = new PQueue({concurrency: 1});
	readonly #signs = new PQueue({concurrency: 1});

	constructor({placing, signer, sender}: {placing: Placing; signer: Signer; sender: Pick<Sender, 'files'>}) {
		this.#placing = placing;
		this.#signer = signer;
		this.#sender = sender;
	}

	/** Sends each file to its keepers. @throws what the signal is aborted with */
	async deliver(files: FileRecord[], signal: AbortSignal): Promise<void> {
		const signed = new Map<number, Signed<FileRecord>>();
		const loads = await this.#places.add(() => this.#placing.place(files));
		signal.throwIfAborted();
		const full = await this.#send(files, loads, signed, signal);
		if (full.size === 0) return;
		for (const [index, mask] of full)
			for (let n = 0; n < 31; n++) if ((mask & (2 ** n)) !== 0) this.#placing.markFull(files[index]!, n);
		// Words that have too many files: those that found no place go to a part of the word.
		const rest = await this.#places.add(() => this.#placing.place(files, full));
		signal.throwIfAborted();
		await this.#send(files, rest, signed, signal);
	}

	/** @returns by index the words that had no room at the most of their keepers */
	async #send(
		files: FileRecord[],
		loads: Load[],
		signed: Map<number, Signed<FileRecord>>,
		signal: AbortSignal,
	): Promise<Map<number, number>> {
		// What nobody needs to be told is not signed.
		const wanted = new Set(loads.flatMap(load => [...load.files.keys()]));
		await this.#signs.add(() => this.#sign(files, wanted, signed, signal));
		const counts = new Map<string, number>();
		const sends: Array<Promise<void>> = [];
		for (const load of loads) {
			const sending = this.#sendLoad(load, signed, counts);
			// It may fail while the others are still being written.
			sending.catch(() => undefined);
			sends.push(sending);
			// To write a list for one node takes some milliseconds, and others want the loop too.
			await setImmediate();
		}
		await Promise.all(sends);
		const full = new Map<number, number>();
		for (const [place, count] of counts) {
			const [index, n] = place.split(' ').map(Number);
			if (count * 2 > Math.min(loads.length, 8)) full.set(index!, (full.get(index!) ?? 0) + 2 ** n!);
		}
		return full;
	}

	/** @param counts of words that are full, by index and word, at how many nodes they are: added to */
	async #sendLoad(load: Load, signed: Map<number, Signed<FileRecord>>, counts: Map<string, number>): Promise<void> {
		const indexes = [...load.files.keys()];
		const full = await this.#sender.files(
			load.to,
			indexes.map(index => ({...load.files.get(index)!, file: signed.get(index)!})),
		);
		if (!full) this.missed.add(load.to === 'self' ? 'self' : load.to.id.toString('hex'));
		for (const [at, mask] of full?.entries() ?? []) {
			for (let n = 0; mask !== 0 && n < 31; n++) {
				if ((mask & (2 ** n)) === 0) continue;
				const place = `${indexes[at]} ${n}`;
				counts.set(place, (counts.get(place) ?? 0) + 1);
			}
		}
	}

	async #sign(
		files: FileRecord[],
		wanted: Set<number>,
		signed: Map<number, Signed<FileRecord>>,
		signal: AbortSignal,
	): Promise<void> {
		const missing = [...wanted].filter(index => !signed.has(index));
		for (let at = 0; at < missing.length; at += signedAtOnce) {
			signal.throwIfAborted();
			await Promise.all(
				missing.slice(at, at + signedAtOnce).map(async index => {
					signed.set(index, await signFile(files[index]!, this.#signer));
				}),
			);
		}
	}
}
