import type {Overlay} from '../../store/state.ts';
import {Dialog, dialogInner} from '../components/dialog.tsx';
import {usePicked, useUi} from '../components/ui-context.ts';
import type {Span} from '../draw/line.ts';
import {cells, wrapped} from '../draw/width.ts';

/** A question before what cannot be taken back. */
export function ConfirmOverlay({overlay}: {overlay: Extract<Overlay, {kind: 'confirm'}>}) {
	const {theme} = useUi();
	const [size] = usePicked(state => [state.size]);
	const lines = overlay.lines.map(line => theme.text(line));
	const width = Math.max(46, Math.min(76, ...lines.map(line => cells(line) + 6)));
	const inner = dialogInner(size, width);
	const body = lines.flatMap(line =>
		wrapped(line, inner - 4, theme.glyphs.ellipsis).map((part): Span[] => [['  '], [part]]),
	);
	return (
		<Dialog
			title={overlay.title}
			width={width}
			padded
			rows={[...body, [['']] as Span[]]}
			hints={[
				{key: 'y', label: overlay.yes, command: 'confirm.yes'},
				{key: 'n', label: overlay.no, command: 'overlay.close'},
			]}
		/>
	);
}
