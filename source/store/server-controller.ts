import {errorLine} from '../core/errors.ts';
import {shortId} from '../core/format.ts';
import type {ServerEngine} from '../engine/messages.ts';
import {shortFolder} from './folder.ts';
import type {ToastKind} from './state.ts';
import type {UiStore} from './ui-store.ts';
import {WindowSender} from './window-sender.ts';

const windowedLists = [{list: 'members', name: 'peers'}] as const;

/** The commands of the server's dashboard. None of them throws: a failure is told in a toast. */
export class ServerController {
	readonly #store: UiStore;
	readonly #engine: ServerEngine;
	readonly #windows: WindowSender;

	constructor(store: UiStore, engine: ServerEngine) {
		this.#store = store;
		this.#engine = engine;
		this.#windows = new WindowSender(windowedLists, windows => engine.commands.windows(windows));
	}

	/** Loads what the screen is about to need; called after each change of the state. */
	follow(): void {
		this.#windows.follow(this.#store.get());
	}

	#say(kind: ToastKind, text: string): void {
		this.#store.dispatch({type: 'toast', kind, text});
	}

	/** Asks whether the chosen peer is to be sent away. */
	askKick(): void {
		const {server, lists} = this.#store.get();
		const row = server?.peers.rows[lists.members.index - server.peers.offset];
		if (!row) {
			this.#say('info', 'No peer is chosen');
			return;
		}
		this.#store.dispatch({
			type: 'overlay',
			overlay: {
				kind: 'confirm',
				title: 'Kick peer?',
				lines: [`${row.name} ${shortId(row.id)} with ${row.files} files.`, 'It may register again by itself.'],
				yes: 'kick it',
				no: 'let it stay',
				command: {do: 'kick', peer: row.id, name: row.name},
			},
		});
	}

	/** Sends a peer away after the question was answered. */
	async kick(peer: string, name: string): Promise<void> {
		try {
			await this.#engine.commands.kick({peer});
			this.#say('ok', `${name} is no longer registered`);
		} catch (error) {
			this.#say('error', errorLine(error));
		}
	}

	/** Writes the list of peers into files, and says where. */
	async export(): Promise<void> {
		try {
			const {json, peers} = await this.#engine.commands.export();
			this.#say('ok', `${peers} ${peers === 1 ? 'peer' : 'peers'} written to ${shortFolder(json)} and .csv`);
		} catch (error) {
			this.#say('error', errorLine(error));
		}
	}
}
