import type {CatalogChange} from '../../api/schemas.ts';

/** Changes of all batches that are kept: some 300 bytes each. What is more is unpacked from the log. */
const mostChanges = 100_000;

type Batch = {packed: Buffer; changes: CatalogChange[]};

/** Batches that this server has just put into a log and will read there: it need not unpack what it packed itself. */
export class OwnBatches {
	readonly #batches = new Map<string, Batch[]>();
	#changes = 0;

	/** A batch of an upload is about to be logged. */
	add(upload: string, packed: Buffer, changes: CatalogChange[]): void {
		if (this.#changes + changes.length > mostChanges) return;
		this.#changes += changes.length;
		const batches = this.#batches.get(upload);
		if (batches) batches.push({packed, changes});
		else this.#batches.set(upload, [{packed, changes}]);
	}

	/** The changes of a batch that was read, once; undefined where it has to be unpacked. */
	take(upload: string, packed: Buffer): CatalogChange[] | undefined {
		const batches = this.#batches.get(upload);
		const at = batches?.findIndex(batch => batch.packed.equals(packed)) ?? -1;
		const [batch] = at < 0 ? [] : (batches?.splice(at, 1) ?? []);
		if (batch) this.#changes -= batch.changes.length;
		return batch?.changes;
	}

	/** An upload has ended. */
	forget(upload: string): void {
		for (const {changes} of this.#batches.get(upload) ?? []) this.#changes -= changes.length;
		this.#batches.delete(upload);
	}
}
