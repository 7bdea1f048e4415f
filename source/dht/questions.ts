// Asking the table: the nodes that keep a key and this node's own part, page after page, each answer as it comes.
import {limits} from '../api/limits.ts';
import {commands, type GetAnswer, type GetRequest, readAnswer, writeGet} from './messages.ts';
import type {DhtNode, NodeAddress} from './node.ts';
import type {RemoteKeeper} from './remote-keeper.ts';

/** Where to ask: at the keepers of a key, or, in a network small enough, everybody. */
export type Question = {
	topic: Buffer;
	request: GetRequest /** Most nodes that are asked for more than a page. */;
	pagers?: number;
};

/** Takes in an answer; returns whether the next page of that node is wanted. */
export type AnswerTaker = (answer: GetAnswer) => boolean;

/** Asks questions. */
export class Asker {
	readonly #node: DhtNode;
	readonly #keeper: RemoteKeeper | undefined;

	constructor(node: DhtNode, keeper: RemoteKeeper | undefined) {
		this.#node = node;
		this.#keeper = keeper;
	}

	/** Whether there is anybody to ask. */
	get connected(): boolean {
		return this.#node.size > 0 || this.#node.id !== undefined;
	}

	get isSmall(): boolean {
		return this.#node.isSmall;
	}

	/** Asks until all have answered to their end, nobody wants more, or the signal aborts. Never rejects. */
	async ask(
		{topic, request, pagers = Number.POSITIVE_INFINITY}: Question,
		take: AnswerTaker,
		signal: AbortSignal,
	): Promise<void> {
		const message = writeGet(request);
		const going: Array<Promise<void>> = [];
		let paged = 0;
		const goOn = (node: NodeAddress & {id?: Buffer | null}, first: GetAnswer) => {
			if (take(first) && first.next && paged++ < pagers) going.push(this.#pages(node, request, first, take, signal));
		};
		going.push(this.#own(request, take, signal));
		if (this.#node.isSmall) {
			const nodes = this.#node.knownClosest(topic, 1000);
			await Promise.all(
				nodes.map(async node => {
					const answer = await this.#page(node, message, signal);
					if (answer) goOn(node, answer);
				}),
			);
		} else {
			for await (const {node, value} of this.#node.ask(topic, commands.get, message, signal)) {
				const answer = readSafely(value);
				if (answer) goOn(node, answer);
			}
		}
		await Promise.all(going);
	}

	/** What this node keeps itself. */
	async #own(request: GetRequest, take: AnswerTaker, signal: AbortSignal): Promise<void> {
		const keeper = this.#keeper;
		if (!keeper || !this.#node.id) return;
		const page = async (asked: GetRequest) => {
			// It may be full, or about to be stopped; the others answer.
			const bytes = await keeper.get(writeGet(asked)).catch(() => undefined);
			return bytes && readSafely(bytes);
		};
		let answer = await page(request);
		for (let pages = 0; answer && pages < limits.table.pages && !signal.aborted; pages++) {
			if (!take(answer) || !answer.next || !('cursor' in request)) return;
			answer = await page({...request, cursor: answer.next});
		}
	}

	async #pages(
		node: NodeAddress & {id?: Buffer | null},
		request: GetRequest,
		first: GetAnswer,
		take: AnswerTaker,
		signal: AbortSignal,
	): Promise<void> {
		let answer: GetAnswer | undefined = first;
		for (let page = 0; page < limits.table.pages && answer?.next && 'cursor' in request && !signal.aborted; page++) {
			answer = await this.#page(node, writeGet({...request, cursor: answer.next}), signal);
			if (!answer || !take(answer)) return;
		}
	}

	async #page(
		node: NodeAddress & {id?: Buffer | null},
		message: Buffer,
		signal: AbortSignal,
	): Promise<GetAnswer | undefined> {
		if (signal.aborted) return undefined;
		const ended = Promise.withResolvers<undefined>();
		const end = () => ended.resolve(undefined);
		signal.addEventListener('abort', end, {once: true});
		try {
			const answer = await Promise.race([this.#node.request(node, commands.get, message), ended.promise]);
			return answer?.value && answer.error === 0 ? readSafely(answer.value) : undefined;
		} catch {
			// It left; the others answer.
			return undefined;
		} finally {
			signal.removeEventListener('abort', end);
		}
	}
}

/** An answer; undefined for one that is none. */
function readSafely(bytes: Buffer): GetAnswer | undefined {
	try {
		return readAnswer(bytes);
	} catch {
		return undefined;
	}
}
