import {errorLine} from '../../core/errors.ts';
import {shortBytes, shortId} from '../../core/format.ts';
import {expandFolder} from '../folder.ts';
import {currentPeer, currentShare} from '../selectors.ts';
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
				lines: [share.folder, `${share.files} files, ${shortBytes(share.bytes)}. Nothing is deleted from your disk.`],
				yes: 'stop sharing',
				no: 'keep it',
				command: {do: 'unshare', name: share.name},
			},
		});
	}

	/** Switches the chosen share off, or opens it to everybody in the network. */
	toggleOff(): void {
		const share = currentShare(this.state);
		if (!share) {
			this.say('info', 'Nothing is shared yet: a adds a folder');
			return;
		}
		void this.setAudience(share.name, share.audience ? null : []);
	}

	/** Gives the chosen share to the peer under the cursor: to it alone (asks), to it too, or no more. */
	toggleFor(): void {
		const [share, peer] = [currentShare(this.state), currentPeer(this.state)];
		if (!share || !peer || peer.self) {
			this.say('info', share ? 'Choose another peer than yourself' : 'Nothing is shared yet: a adds a folder');
			return;
		}
		const {name, audience} = share;
		if (audience) {
			const others = audience.filter(id => id !== peer.id);
			void this.setAudience(name, others.length < audience.length ? others : [...audience, peer.id]);
			return;
		}
		this.store.dispatch({
			type: 'overlay',
			overlay: {
				kind: 'confirm',
				title: `For ${peer.name} alone?`,
				lines: [share.folder, 'Everybody else in the network no longer sees it, nor finds it.'],
				yes: 'that peer alone',
				no: 'as it is',
				command: {do: 'audience', name, peers: [peer.id]},
			},
		});
	}

	/** Says whom a share is for: those peers alone, nobody, or (null) everybody. */
	async setAudience(name: string, peers: string[] | null): Promise<void> {
		try {
			await this.engine.commands.setAudience({name, peers});
			const whom = !peers ? 'everybody' : peers.length === 0 ? 'nobody' : peers.map(shortId).join(', ');
			this.say('ok', `${name} is for ${whom}${peers && peers.length > 0 ? ' alone' : ''} now`);
		} catch (error) {
			this.say('error', errorLine(error));
		}
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
