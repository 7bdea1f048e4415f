import {Footer} from './footer.tsx';
import {usePicked} from './ui-context.ts';

/** A toast in the last row of screens that have no footer. */
export function Toaster() {
	const [size, toast] = usePicked(state => [state.size, state.toast]);
	return toast ? <Footer columns={size.columns} above /> : null;
}
