/** Downloads that ended but still have files open, by content: whatever is begun on the same files waits for them. */
export class Closing {
	readonly #over = new Map<string, Promise<void>>();

	/** Resolves when nothing closes files of that content. */
	async of(content: string): Promise<void> {
		await this.#over.get(content);
	}

	/** Resolves when nothing closes any. */
	async all(): Promise<void> {
		await Promise.all(this.#over.values());
	}

	/** Closes files, after what closes files of the same content already. @throws what `close` throws */
	async run(content: string, close: () => Promise<void>): Promise<void> {
		const work = this.of(content).then(close);
		const over = work
			.catch(() => undefined)
			.then(() => {
				if (this.#over.get(content) === over) this.#over.delete(content);
			});
		this.#over.set(content, over);
		return work;
	}
}
