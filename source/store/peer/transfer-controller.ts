import {errorLine} from '../../core/errors.ts';
import {shortBytes} from '../../core/format.ts';
import type {TransferRow} from '../../engine/messages.ts';
import {shortFolder} from '../folder.ts';
import {currentTransfer} from '../selectors.ts';
import {ControllerBase} from './controller-base.ts';

/** Why a transfer cannot do something now; undefined when it can. */
type Reason = (row: TransferRow) => string | undefined;

const pauseReason: Reason = row => {
	if (row.direction === 'up') return 'An upload is paused by the peer that fetches it';
	if (row.state === 'done') return 'This download is finished';
	return row.state === 'failed' ? 'This download failed: r tries again' : undefined;
};

const retryReason: Reason = row => {
	if (row.direction === 'up') return 'An upload is retried by the peer that fetches it';
	return row.state === 'failed' || row.state === 'waiting'
		? undefined
		: 'Only a failed or waiting download can be retried';
};

const cancelReason: Reason = row => {
	if (row.direction === 'up') return 'An upload ends when its share is taken back: 5, then x';
	return row.state === 'done' ? 'This download is finished' : undefined;
};

const moveReason: Reason = row => {
	if (row.direction === 'up') return 'Uploads have no order here: the peers that fetch them queue up';
	return row.state === 'done' ? 'This download is finished' : undefined;
};

/** Milliseconds between two looks at the details of a transfer. */
const detailsPause = 500;

/** Pausing, ordering, retrying and cancelling. */
export class TransferController extends ControllerBase {
	#detailsTimer: NodeJS.Timeout | undefined;

	async #withRow(reason: Reason, work: (row: TransferRow) => Promise<void> | void): Promise<void> {
		const row = currentTransfer(this.state);
		const why = row ? reason(row) : 'No transfer is chosen';
		if (!row || why) {
			this.say('info', why ?? '');
			return;
		}
		try {
			await work(row);
		} catch (error) {
			this.say('error', `${row.name}: ${errorLine(error)}`);
		}
	}

	/** Pauses the chosen download, or lets it go on. */
	async togglePause(): Promise<void> {
		await this.#withRow(pauseReason, ({state, key}) =>
			state === 'paused' ? this.engine.commands.resume({key}) : this.engine.commands.pause({key}),
		);
	}

	/** Tries the chosen download again. */
	async retry(): Promise<void> {
		await this.#withRow(retryReason, ({key}) => this.engine.commands.retry({key}));
	}

	/** Asks whether the chosen download is to be cancelled. */
	async askCancel(): Promise<void> {
		await this.#withRow(cancelReason, row => {
			const lines = [row.name, `${shortBytes(row.done)} of ${shortBytes(row.size)} are here and would be deleted.`];
			this.store.dispatch({
				type: 'overlay',
				overlay: {
					kind: 'confirm',
					title: 'Cancel download?',
					lines,
					yes: 'cancel it',
					no: 'keep it',
					command: {do: 'cancel', key: row.key},
				},
			});
		});
	}

	/** Cancels a download after the question was answered. */
	async cancel(key: string): Promise<void> {
		await this.engine.commands.cancel({key}).catch((error: unknown) => this.say('error', errorLine(error)));
	}

	/** Opens the details of the chosen transfer, which are asked for again and again while they are open. */
	details(): void {
		const row = currentTransfer(this.state);
		if (!row) {
			this.say('info', 'Nothing is on its way: / finds a file');
			return;
		}
		this.store.dispatch({type: 'overlay', overlay: {kind: 'transfer', key: row.key}});
		clearTimeout(this.#detailsTimer);
		if (row.direction === 'down') void this.#refreshDetails(row.key);
	}

	async #refreshDetails(key: string): Promise<void> {
		try {
			const details = await this.engine.commands.transferDetails({key});
			this.store.dispatch({type: 'transfer/details', key, details});
		} catch {
			// It left the list meanwhile; what the list still knows of it stays on screen.
			return;
		}
		const {overlay} = this.state.focus;
		if (overlay?.kind !== 'transfer' || overlay.key !== key) return;
		this.#detailsTimer = setTimeout(() => void this.#refreshDetails(key), detailsPause);
	}

	/** Moves the chosen download in the queue. */
	async move(by: 1 | -1): Promise<void> {
		await this.#withRow(moveReason, ({key}) => this.engine.commands.move({key, by}));
	}

	/** Ends what runs on timers. */
	stop(): void {
		clearTimeout(this.#detailsTimer);
	}

	/** Says where a finished download lies, or will lie; returns the place. */
	place(): string | undefined {
		const row = currentTransfer(this.state);
		const folder = this.state.peer?.downloads.folder;
		if (row?.path) this.say('info', `It lies at ${shortFolder(row.path)}`);
		else if (folder) this.say('info', `Downloads go to ${shortFolder(folder)}`);
		return row?.path ?? folder;
	}
}
