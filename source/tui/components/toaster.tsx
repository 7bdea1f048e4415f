import {Box} from 'ink';
import {Footer} from './footer.tsx';
import {usePicked} from './ui-context.ts';

/** A toast in the last row of screens that have no footer. */
export function Toaster() {
	const [size, toast] = usePicked(state => [state.size, state.toast]);
	if (!toast) return null;
	return (
		<Box position="absolute" marginTop={size.rows - 1}>
			<Footer columns={size.columns} />
		</Box>
	);
}
