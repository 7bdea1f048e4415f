import {menuBox} from '../../store/layout.ts';
import {PaneFrame} from '../components/pane-frame.tsx';
import {Title, titleHeight} from '../components/title.tsx';
import {usePicked, useUi} from '../components/ui-context.ts';
import {paintLine} from '../draw/line.ts';

/** One sentence while something starts or stops. */
export function NoticeScreen({text}: {text: string}) {
	const {theme} = useUi();
	const [size] = usePicked(state => [state.size]);
	const box = menuBox(size, 5, titleHeight);
	const inner = box.width - 2;
	return (
		<>
			{box.withTitle && <Title y={box.y - titleHeight - 1} columns={size.columns} />}
			<PaneFrame
				rect={box}
				title={[]}
				focused={false}
				rows={[' '.repeat(inner), paintLine(theme, inner, [['  '], [text]])]}
			/>
		</>
	);
}
