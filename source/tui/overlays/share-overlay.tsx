import type {Overlay} from '../../store/state.ts';
import {Dialog, dialogInner} from '../components/dialog.tsx';
import {usePicked, useUi} from '../components/ui-context.ts';
import type {Span} from '../draw/line.ts';
import {footerHints} from '../keys/hints.ts';

/** Asks for a folder to share. */
export function ShareOverlay({overlay}: {overlay: Extract<Overlay, {kind: 'share'}>}) {
	const {theme, context} = useUi();
	const [size] = usePicked(state => [state.size]);
	const inner = dialogInner(size, 66);
	const {glyphs} = theme;
	const message: Span[] = overlay.error
		? [['  '], [`${glyphs.cross} ${theme.text(overlay.error)}`, 'error']]
		: [[overlay.busy ? '  looking at the folder' : '  Everybody on the server can download what is in it', 'muted']];
	return (
		<Dialog
			title="Share a folder"
			width={66}
			padded
			rows={[
				{
					before: `${theme.paint(`  ${glyphs.pointer} `, 'accent')}Folder  `,
					field: overlay.value,
					width: inner - 12,
				},
				[['']] as Span[],
				message,
				[['']] as Span[],
			]}
			hints={footerHints(context.store.get(), glyphs).hints}
		/>
	);
}
