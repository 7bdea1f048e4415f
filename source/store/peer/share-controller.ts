import {errorLine} from '../../core/errors.ts';
import {formatBytes} from '../../core/format.ts';
import {expandFolder} from '../folder.ts';
import {currentShare} from '../selectors.ts';
import {ControllerBase} from './controller-base.ts';

/** Adding, looking through and taking back shared folders. */
export class ShareController extends ControllerBase {
	/** Shares the folder that was typed. */
	async add(): Promise<void> {
		const {overlay} = this.state.focus;
		if (overlay?.kind !== 'share' || overlay.busy) return;
		const {dispatch} = this.store;
		if (overlay.value.trim() === '') {
			dispatch({type: 'share/state', busy: false, error: 'Type the path of a folder'});
			return;
		}
		dispatch({type: 'share/state', busy: true});
		try {
			const share = await this.engine.commands.addShare({folder: expandFolder(overlay.value)});
			dispatch({type: 'overlay', overlay: undefined});
			this.say('ok', `Sharing ${share.name}`);
		} catch (error) {
			dispatch({type: 'share/state', busy: false, error: errorLine(error)});
		}
	}

	/** Looks through the chosen share again. */
	async rescan(): Promise<void> {
		const share = currentShare(this.state);
		if (!share) {
			this.say('info', 'Nothing is shared yet: a adds a folder');
			return;
		}
		try {
			await this.engine.commands.rescan({name: share.name});
			this.say('info', `Looking through ${share.name} again`);
		} catch (error) {
			this.say('error', errorLine(error));
		}
	}

	/** Asks whether the chosen share is to be taken back. */
	askRemove(): void {
		const share = currentShare(this.state);
		if (!share) {
			this.say('info', 'Nothing is shared yet: a adds a folder');
			return;
		}
		this.store.dispatch({
			type: 'overlay',
			overlay: {
				kind: 'confirm',
				title: 'Stop sharing?',
				lines: [share.folder, `${share.files} files, ${formatBytes(share.bytes)}. Nothing is deleted from your disk.`],
				yes: 'stop sharing',
				no: 'keep it',
				command: {do: 'unshare', name: share.name},
			},
		});
	}

	/** Takes a share back after the question was answered. */
	async remove(name: string): Promise<void> {
		try {
			await this.engine.commands.removeShare({name});
			this.say('ok', `${name} is no longer shared`);
		} catch (error) {
			this.say('error', errorLine(error));
		}
	}
}
