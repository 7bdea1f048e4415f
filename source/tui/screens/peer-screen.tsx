import {layoutOf} from '../../store/layout.ts';
import {Footer} from '../components/footer.tsx';
import {PeerHeader} from '../components/header.tsx';
import {Rows} from '../components/row.tsx';
import {TabBar} from '../components/tab-bar.tsx';
import {usePicked, useUi} from '../components/ui-context.ts';
import {speed} from '../draw/format.ts';
import {paintLine} from '../draw/line.ts';
import {LogPane} from '../panes/log-pane.tsx';
import {PeersPane} from '../panes/peers-pane.tsx';
import {SearchPane} from '../panes/search-pane.tsx';
import {SharesPane} from '../panes/shares-pane.tsx';
import {TransfersPane} from '../panes/transfers-pane.tsx';

const panes = {search: SearchPane, transfers: TransfersPane, peers: PeersPane, log: LogPane, shares: SharesPane};

/** One line where there is room for nothing else. */
function RatesLine({columns}: {columns: number}) {
	const {theme} = useUi();
	const {glyphs} = theme;
	const [down, up, counts] = usePicked(state => [
		state.peer?.down.now ?? 0,
		state.peer?.up.now ?? 0,
		state.peer?.transfers.counts,
	]);
	const line = paintLine(theme, columns, [
		[`${glyphs.down}${speed(down)} `, 'down'],
		[`${glyphs.up}${speed(up)} `, 'up'],
		[counts ? `${glyphs.check}${counts.done} ` : '', 'ok'],
		[counts && counts.failed > 0 ? `${glyphs.cross}${counts.failed}` : '', 'error'],
	]);
	return <Rows y={0} rows={[line]} />;
}

/** The peer's screen: search, transfers, peers, log and shares. */
export function PeerScreen() {
	const [size, focus, zoom, corner] = usePicked(state => [state.size, state.focus, state.zoom, state.corner]);
	const {columns} = size;
	const layout = layoutOf({size, focus, zoom, corner, screen: 'peer'});
	if (layout.kind === 'line') return <RatesLine columns={columns} />;
	return (
		<>
			<PeerHeader columns={columns} />
			{layout.tabs && <TabBar columns={columns} />}
			{layout.panes.map(({id, rect}) => {
				const Pane = panes[id as keyof typeof panes];
				return <Pane key={id} rect={rect} />;
			})}
			<Footer columns={columns} />
		</>
	);
}
