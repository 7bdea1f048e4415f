import {setInterval} from 'node:timers';
import type {HashedFile, HashPool} from './hash-pool.ts';

const checkEvery = 50;

/** A file to hash when it has been quiet for a while. */
export type HashTask = {
	file: string;
	size: number;
	/** Not before this time, in Unix milliseconds. */
	dueAt: number;
	owner: HashTaskOwner;
};

/** Who gave a task, for all of its tasks. */
export type HashTaskOwner = {
	onProgress(task: HashTask, bytes: number): void;
	onHashed(task: HashTask, hashed: HashedFile): void;
	onFailed(task: HashTask, error: unknown): void;
};

/** Feeds the hash pool from all shares, first come first served, with just enough to keep its threads busy. */
export class HashQueue {
	readonly #pool: HashPool;
	readonly #waiting = new Set<HashTask>();
	readonly #ready = new Set<HashTask>();
	readonly #running = new Map<HashTask, AbortController>();
	#timer: NodeJS.Timeout | undefined;

	constructor(pool: HashPool) {
		this.#pool = pool;
	}

	add(task: HashTask): void {
		if (task.dueAt <= Date.now()) {
			this.#ready.add(task);
			this.#fill();
			return;
		}
		this.#waiting.add(task);
		this.#timer ??= setInterval(() => this.#check(), checkEvery);
	}

	/** Whether the task is still waiting to be quiet. */
	isWaiting(task: HashTask): boolean {
		return this.#waiting.has(task);
	}

	/** Takes a task back; it calls nothing any more. */
	remove(task: HashTask): void {
		this.#waiting.delete(task);
		this.#ready.delete(task);
		const running = this.#running.get(task);
		this.#running.delete(task);
		running?.abort();
		if (this.#waiting.size === 0) this.#stopTimer();
	}

	#check(): void {
		const now = Date.now();
		for (const task of this.#waiting) {
			if (task.dueAt > now) continue;
			this.#waiting.delete(task);
			this.#ready.add(task);
		}
		if (this.#waiting.size === 0) this.#stopTimer();
		this.#fill();
	}

	#stopTimer(): void {
		clearInterval(this.#timer);
		this.#timer = undefined;
	}

	#fill(): void {
		for (const task of this.#ready) {
			if (this.#running.size >= this.#pool.concurrency) return;
			this.#ready.delete(task);
			void this.#run(task);
		}
	}

	async #run(task: HashTask): Promise<void> {
		const controller = new AbortController();
		this.#running.set(task, controller);
		const isCurrent = () => this.#running.get(task) === controller;
		const {file, size, owner} = task;
		try {
			const hashed = await this.#pool.hash(file, {
				size,
				signal: controller.signal,
				followLinks: false,
				onProgress: bytes => isCurrent() && owner.onProgress(task, bytes),
			});
			if (isCurrent() && this.#running.delete(task)) owner.onHashed(task, hashed);
		} catch (error) {
			if (isCurrent() && this.#running.delete(task)) owner.onFailed(task, error);
		}
		this.#fill();
	}
}
