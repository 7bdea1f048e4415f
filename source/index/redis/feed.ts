import type {CatalogChange} from '../../api/schemas.ts';

/** Batches handed from one who has them to one who iterates: each waits for the other. */
export class Feed implements AsyncIterable<CatalogChange[]> {
	#wanted = Promise.withResolvers<void>();
	#next = Promise.withResolvers<CatalogChange[] | undefined>();
	#ended = false;

	/** Gives a batch; resolves when it was taken, or nobody will. */
	async push(batch: CatalogChange[]): Promise<void> {
		if (this.#ended) return;
		await this.#wanted.promise;
		if (this.#ended) return;
		this.#wanted = Promise.withResolvers();
		this.#next.resolve(batch);
	}

	/** There are no more. */
	async end(): Promise<void> {
		if (this.#ended) return;
		await this.#wanted.promise;
		this.#ended = true;
		this.#next.resolve(undefined);
	}

	/** The reader gets this error in place of the next batch. */
	fail(error: unknown): void {
		if (this.#ended) return;
		this.#ended = true;
		this.#next.reject(error);
		this.#next.promise.catch(() => undefined);
		this.#wanted.resolve();
	}

	/** The reader takes no more: whoever pushes goes on. */
	close(): void {
		this.#ended = true;
		this.#wanted.resolve();
	}

	async *[Symbol.asyncIterator](): AsyncGenerator<CatalogChange[]> {
		while (true) {
			this.#wanted.resolve();
			const batch = await this.#next.promise;
			if (!batch) return;
			this.#next = Promise.withResolvers();
			yield batch;
		}
	}
}
