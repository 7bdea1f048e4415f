import {layoutOf} from '../../store/layout.ts';
import {Footer} from '../components/footer.tsx';
import {ServerHeader} from '../components/header.tsx';
import {Rows} from '../components/row.tsx';
import {StatCards} from '../components/stat-cards.tsx';
import {TabBar} from '../components/tab-bar.tsx';
import {usePicked, useUi} from '../components/ui-context.ts';
import {grouped} from '../draw/format.ts';
import {paintLine} from '../draw/line.ts';
import {MembersPane} from '../panes/peers-pane.tsx';
import {RatesPane} from '../panes/rates-pane.tsx';
import {RequestsPane} from '../panes/requests-pane.tsx';

const panes = {requests: RequestsPane, members: MembersPane, rates: RatesPane};

function FiguresLine({columns}: {columns: number}) {
	const {theme} = useUi();
	const [counts, requests] = usePicked(state => [state.server?.counts, state.server?.requests.now ?? 0]);
	const line = paintLine(theme, columns, [
		[`${grouped(counts?.online ?? 0)} peers `, 'plain'],
		[`${grouped(requests)}/s`, 'down'],
	]);
	return <Rows y={0} rows={[line]} />;
}

/** The server's dashboard: figures, requests, peers and rates. */
export function ServerScreen() {
	const [size, focus, zoom, corner] = usePicked(state => [state.size, state.focus, state.zoom, state.corner]);
	const {columns} = size;
	const layout = layoutOf({size, focus, zoom, corner, screen: 'server'});
	if (layout.kind === 'line') return <FiguresLine columns={columns} />;
	return (
		<>
			<ServerHeader columns={columns} />
			{layout.tabs && <TabBar columns={columns} />}
			{layout.cards > 0 && <StatCards y={layout.tabs ? 2 : 1} width={columns} height={layout.cards} />}
			{layout.panes.map(({id, rect}) => {
				const Pane = panes[id as keyof typeof panes];
				return <Pane key={id} rect={rect} />;
			})}
			<Footer columns={columns} />
		</>
	);
}
