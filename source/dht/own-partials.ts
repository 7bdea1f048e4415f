// Telling of which contents this peer has parts, while it downloads them: others fetch those from it.
import type {PartialContent} from '../api/schemas.ts';
import {keepersOf} from './distance.ts';
import {contentBit, type PutFile} from './messages.ts';
import type {NetworkKey} from './network-key.ts';
import type {DhtNode, TableNode} from './node.ts';
import {type Signer, signFile} from './records.ts';
import type {Sender} from './sender.ts';

/** Seconds that such a record lives, and after which it is told anew. */
const life = 300;
const tellEvery = 120;

/** What is told, kept up to date until it is stopped. */
export class OwnPartials {
	readonly #node: DhtNode;
	readonly #sender: Sender;
	readonly #key: NetworkKey;
	readonly #signer: Signer;
	readonly #log: (message: string) => void;
	readonly #timer: NodeJS.Timeout;
	#contents = new Map<string, number>();
	#telling: Promise<void> = Promise.resolve();
	#stopped = false;

	constructor(node: DhtNode, sender: Sender, key: NetworkKey, signer: Signer, log: (message: string) => void) {
		this.#node = node;
		this.#sender = sender;
		this.#key = key;
		this.#signer = signer;
		this.#log = log;
		this.#timer = setInterval(() => this.#tell(this.#contents), tellEvery * 1000).unref();
	}

	/** Replaces what was told before. What is left out is taken back. */
	set(contents: PartialContent[]): void {
		const before = this.#contents;
		this.#contents = new Map(contents.map(({content, size}) => [content, size]));
		this.#tell(new Map([...this.#contents].filter(([content]) => !before.has(content))));
		this.#tell(new Map([...before].filter(([content]) => !this.#contents.has(content))), true);
	}

	async stop(): Promise<void> {
		this.#stopped = true;
		clearInterval(this.#timer);
		await this.#telling;
	}

	/** One after the other: what is told later is newer. */
	#tell(contents: ReadonlyMap<string, number>, removed = false): void {
		if (contents.size === 0) return;
		this.#telling = this.#telling
			.then(() => this.#send(contents, removed))
			.catch(error => this.#log(`DHT: parts were not told of: ${String(error)}`));
	}

	async #send(contents: ReadonlyMap<string, number>, removed: boolean): Promise<void> {
		const loads = new Map<string, {to: TableNode | 'self'; files: PutFile[]}>();
		const node = this.#node;
		for (const [content, size] of contents) {
			if (this.#stopped) return;
			const time = Math.floor(Date.now() / 1000);
			// Under no word, and under a path that no file of a share has: it stands beside what is shared.
			const record = {content, size, path: content, time, expiry: time + life, removed, partial: !removed};
			const file = await signFile(record, this.#signer);
			const topic = this.#key.content(content);
			const others = await node.findClosest(topic);
			for (const keeper of keepersOf(topic, node.id ? [...others, {...node.address, id: node.id}] : others)) {
				const name = keeper.id.toString('hex');
				const load = loads.get(name) ?? {to: node.id?.equals(keeper.id) ? 'self' : keeper, files: []};
				load.files.push({mask: contentBit, parts: 0, file});
				loads.set(name, load);
			}
		}
		await Promise.all([...loads.values()].map(({to, files}) => this.#sender.files(to, files)));
	}
}
