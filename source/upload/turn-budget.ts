type Waiter = {bytes: number; go(): void};

/**
 * How many bytes may be encrypted in one turn of the event loop, by all answers together. Node encrypts what is written
 * at once: five hundred downloaders that are all ready for more would hold the loop up for a tenth of a second. Whoever
 * comes too late in a turn is the first in the next.
 */
export class TurnBudget {
	readonly #perTurn: number;
	readonly #waiting: Waiter[] = [];
	#left: number;
	#turning = false;

	/** @param perTurn bytes */
	constructor(perTurn: number) {
		this.#perTurn = perTurn;
		this.#left = perTurn;
	}

	/** @returns undefined when it can be done now: the common case costs no promise */
	take(bytes: number): Promise<void> | undefined {
		if (this.#waiting.length === 0 && this.#left > 0) {
			this.#left -= bytes;
			this.#nextTurn();
			return undefined;
		}
		this.#nextTurn();
		return new Promise(go => this.#waiting.push({bytes, go}));
	}

	#nextTurn(): void {
		if (this.#turning) return;
		this.#turning = true;
		setImmediate(() => {
			this.#turning = false;
			this.#left = this.#perTurn;
			let served = 0;
			for (; served < this.#waiting.length && this.#left > 0; served++) {
				const {bytes, go} = this.#waiting[served]!;
				this.#left -= bytes;
				go();
			}
			this.#waiting.splice(0, served);
			if (this.#waiting.length > 0) this.#nextTurn();
		});
	}
}
